#pragma once
// The best alternation of kept and cut stretches under per-token scores, by dynamic programming.

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

namespace keep_cut_decode {

/// Scores are log odds: what choosing it adds over not choosing it.
struct Scores {
  std::vector<float> keep;   ///< per token
  std::vector<float> start;  ///< of a kept stretch that starts at this token
  std::vector<float> end;    ///< of a kept stretch whose first token behind it is this one
};

struct Limits {
  std::int64_t min_kept = 1;  ///< tokens
  std::int64_t min_cut = 1;   ///< tokens; the stretches at both ends may be shorter
};

/// Half-open token ranges, ascending.
using Ranges = std::vector<std::pair<std::int64_t, std::int64_t>>;

/// The ranges with the largest sum of (keep - price) over kept tokens plus the scores of starts and
/// ends. O(tokens). Empty when keeping nothing is best or the recording is shorter than min_kept.
Ranges best_ranges(const Scores& scores, const Limits& limits, double price);

/// As best_ranges with the price at which the kept length comes nearest to `target` tokens.
Ranges ranges_of_length(const Scores& scores, const Limits& limits, std::int64_t target);

/// As best_ranges at `price`, or at the largest lower price that keeps anything: an edit is never
/// empty. Recordings shorter than min_kept are kept whole.
Ranges some_ranges(const Scores& scores, const Limits& limits, double price);

/// Tokens kept.
std::int64_t kept_tokens(const Ranges& ranges);

}  // namespace keep_cut_decode

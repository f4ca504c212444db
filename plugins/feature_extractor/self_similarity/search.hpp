#pragma once
// The best diagonal matches of a sequence of vectors with itself.

#include <cstdint>
#include <functional>
#include <vector>

namespace self_similarity {

/// Runs body(begin, end) over [0, n) on several threads.
using ParallelFor =
    std::function<void(std::size_t n, const std::function<void(std::size_t, std::size_t)>&)>;

struct SearchOptions {
  std::vector<std::int64_t> windows;  ///< rows, each >= 1
  std::int64_t min_lag = 1;           ///< rows
  std::int64_t max_lag = 1;           ///< rows
};

/// For one window length, per row t (the first row of the window): the best mean dot product with
/// the same number of rows `lag` later (earlier), and that lag; 0 and 0 where there is none. Mean
/// and standard deviation of these products over all pairs of places; 0 and 0 without a pair.
struct Matches {
  std::vector<float> later, earlier;
  std::vector<std::int32_t> later_lag, earlier_lag;
  double mean = 0.0, deviation = 0.0;
};

/// `rows` is row-major [count, width] of vectors of length at most 1. One Matches per window.
/// Time O(count * min(count, max_lag)), memory O(count). The result does not depend on threads.
std::vector<Matches> search(const std::vector<float>& rows, std::int64_t width,
                            const SearchOptions& options, const ParallelFor& parallel_for);

}  // namespace self_similarity

#pragma once
// did-you-mean.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace retake {

/// A name that can be meant, with other words people type for it.
struct Candidate {
  std::string name;
  std::vector<std::string> synonyms;
};

/// Optimal string alignment distance (Damerau-Levenshtein with adjacent transpositions).
std::size_t edit_distance(std::string_view a, std::string_view b);

/// Candidates that `word` may have meant, best first: equal but for case and `_-`, a declared
/// synonym, within max(2, len/3) edits, or by matching tokens and prefixes.
std::vector<std::string> suggestions(std::string_view word, const std::vector<Candidate>& known);
std::optional<std::string> did_you_mean(std::string_view word, const std::vector<Candidate>& known);
std::optional<std::string> did_you_mean(std::string_view word,
                                        const std::vector<std::string>& known);

}  // namespace retake

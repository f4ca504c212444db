#pragma once
// How well the best match would fit by chance: without this, a longer recording looks more alike.

#include <cstdint>
#include <vector>

#include "search.hpp"

namespace self_similarity {

/// Expected largest of `n` independent standard normal values; 0 for n <= 1. Blom's approximation
/// (G. Blom, Statistical Estimates and Transformed Beta-Variables, 1958), within 0.03 for all n.
double expected_maximum(std::int64_t n);

/// Scales the matches for windows of `window` rows, so that 0 is what the best of as many lags
/// gives where nothing comes again, and 1 is an exact repeat: (best - c) / (1 - c), within [-1, 1],
/// where c = mean + deviation * expected_maximum(lags at that row), at most 0.95. Lags of values
/// below `min_match` are noise and become 0. A row without a lag to look at keeps 0 and 0.
void remove_chance(Matches& matches, std::int64_t window, const SearchOptions& options,
                   float min_match);

}  // namespace self_similarity

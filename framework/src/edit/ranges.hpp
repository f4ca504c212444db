#pragma once
// Sorted, disjoint, half-open ranges of samples.

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace retake::edit {

using Range = std::pair<std::int64_t, std::int64_t>;
using Ranges = std::vector<Range>;

inline std::int64_t total(const Ranges& ranges) {
  std::int64_t sum = 0;
  for (const auto& [begin, end] : ranges) sum += end - begin;
  return sum;
}

inline Ranges intersect(const Ranges& a, const Ranges& b) {
  Ranges result;
  for (std::size_t i = 0, j = 0; i < a.size() && j < b.size();) {
    const Range both{std::max(a[i].first, b[j].first), std::min(a[i].second, b[j].second)};
    if (both.first < both.second) result.push_back(both);
    (a[i].second < b[j].second ? i : j) += 1;
  }
  return result;
}

/// Samples of `ranges` inside [begin, end).
inline std::int64_t overlap(const Ranges& ranges, std::int64_t begin, std::int64_t end) {
  auto it = std::partition_point(ranges.begin(), ranges.end(),
                                 [&](const Range& r) { return r.second <= begin; });
  std::int64_t sum = 0;
  for (; it != ranges.end() && it->first < end; ++it) {
    sum += std::min(end, it->second) - std::max(begin, it->first);
  }
  return sum;
}

}  // namespace retake::edit

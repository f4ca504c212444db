#include "decode.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace keep_cut_decode {

namespace {

constexpr double kImpossible = -std::numeric_limits<double>::infinity();

/// Best sums over the first t tokens that end kept (cut), and how they came about.
struct Lattice {
  std::vector<double> kept, cut;
  std::vector<bool> entered;  ///< kept[t] began min_kept tokens ago
  std::vector<bool> left;     ///< cut[t] began min_cut tokens ago
};

Lattice fill(const Scores& s, const Limits& limits, const std::vector<double>& sums) {
  const auto n = static_cast<std::int64_t>(s.keep.size());
  const auto size = static_cast<std::size_t>(n + 1);
  Lattice l{std::vector<double>(size, kImpossible), std::vector<double>(size, kImpossible),
            std::vector<bool>(size, false), std::vector<bool>(size, false)};
  l.cut[0] = 0;
  for (std::int64_t t = 1; t <= n; ++t) {
    const auto at = static_cast<std::size_t>(t);
    l.kept[at] = l.kept[at - 1] + sums[at] - sums[at - 1];
    if (t >= limits.min_kept) {
      const auto from = static_cast<std::size_t>(t - limits.min_kept);
      const double entered =
          l.cut[from] + static_cast<double>(s.start[from]) + sums[at] - sums[from];
      if (entered > l.kept[at]) {
        l.kept[at] = entered;
        l.entered[at] = true;
      }
    }
    l.cut[at] = l.cut[at - 1];
    if (t >= limits.min_cut) {
      const auto from = static_cast<std::size_t>(t - limits.min_cut);
      const double left = l.kept[from] + static_cast<double>(s.end[from]);
      if (left > l.cut[at]) {
        l.cut[at] = left;
        l.left[at] = true;
      }
    }
  }
  return l;
}

Ranges trace(const Lattice& l, const Limits& limits, std::int64_t t, bool kept) {
  Ranges ranges;
  std::int64_t end = t;
  while (t > 0) {
    const auto at = static_cast<std::size_t>(t);
    if (kept) {
      if (l.entered[at]) {
        t -= limits.min_kept;
        ranges.emplace_back(t, end);
        kept = false;
      } else {
        --t;
      }
    } else if (l.left[at]) {
      t -= limits.min_cut;
      end = t;
      kept = true;
    } else {
      --t;
    }
  }
  std::reverse(ranges.begin(), ranges.end());
  return ranges;
}

}  // namespace

std::int64_t kept_tokens(const Ranges& ranges) {
  std::int64_t total = 0;
  for (const auto& [begin, end] : ranges) total += end - begin;
  return total;
}

Ranges best_ranges(const Scores& scores, const Limits& limits, double price) {
  const auto n = static_cast<std::int64_t>(scores.keep.size());
  std::vector<double> sums(static_cast<std::size_t>(n + 1), 0.0);
  for (std::size_t t = 0; t < scores.keep.size(); ++t) {
    sums[t + 1] = sums[t] + static_cast<double>(scores.keep[t]) - price;
  }
  const Lattice l = fill(scores, limits, sums);
  const auto last = static_cast<std::size_t>(n);
  double best = l.cut[last];
  std::int64_t end = n;
  bool kept = false;
  if (l.kept[last] > best) {
    best = l.kept[last];
    kept = true;
  }
  // The cut stretch at the very end may be shorter than min_cut.
  for (std::int64_t t = std::max<std::int64_t>(0, n - limits.min_cut + 1); t < n; ++t) {
    const auto at = static_cast<std::size_t>(t);
    const double value = l.kept[at] + static_cast<double>(scores.end[at]);
    if (value > best) {
      best = value;
      end = t;
      kept = true;
    }
  }
  return trace(l, limits, end, kept);
}

Ranges ranges_of_length(const Scores& scores, const Limits& limits, std::int64_t target) {
  double low = -50.0, high = 50.0;  // more is kept at the lower price
  Ranges best = best_ranges(scores, limits, low);
  for (int i = 0; i < 40; ++i) {
    const double middle = 0.5 * (low + high);
    Ranges ranges = best_ranges(scores, limits, middle);
    const std::int64_t kept = kept_tokens(ranges);
    const bool nearer = std::abs(kept - target) < std::abs(kept_tokens(best) - target);
    if (kept > 0 && nearer) best = ranges;  // nothing at all is no edit, however short is wanted
    (kept > target ? low : high) = middle;
  }
  return best;
}

Ranges some_ranges(const Scores& scores, const Limits& limits, double price) {
  const auto n = static_cast<std::int64_t>(scores.keep.size());
  if (n <= limits.min_kept) return n > 0 ? Ranges{{0, n}} : Ranges{};
  Ranges ranges = best_ranges(scores, limits, price);
  double low = price, high = price;  // nothing at high, something at low
  for (double step = 1.0; ranges.empty() && step < 1e6; step *= 2) {
    low = price - step;
    ranges = best_ranges(scores, limits, low);
  }
  for (int i = 0; i < 30 && low < high; ++i) {
    const double middle = 0.5 * (low + high);
    Ranges fewer = best_ranges(scores, limits, middle);
    (fewer.empty() ? high : low) = middle;
    if (!fewer.empty()) ranges = std::move(fewer);
  }
  return ranges;
}

}  // namespace keep_cut_decode

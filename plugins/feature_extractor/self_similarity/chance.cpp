#include "chance.hpp"

#include <algorithm>
#include <boost/math/special_functions/erf.hpp>
#include <cmath>

namespace self_similarity {

namespace {

/// Of equal rows every match is 1 by chance too; they must still count as repeats.
constexpr double kMaxChance = 0.95;

struct Scale {
  double mean = 0.0;
  double deviation = 0.0;
  float min_match = 0.0F;

  void apply(std::int64_t lags, float& value, std::int32_t& lag) const {
    if (lags <= 0) return;
    const double chance = std::min(kMaxChance, mean + deviation * expected_maximum(lags));
    const double scaled = (static_cast<double>(value) - chance) / (1.0 - chance);
    value = static_cast<float>(std::clamp(scaled, -1.0, 1.0));
    if (value < min_match) lag = 0;
  }
};

}  // namespace

double expected_maximum(std::int64_t n) {
  if (n <= 1) return 0.0;
  const double p = (static_cast<double>(n) - 0.375) / (static_cast<double>(n) + 0.25);
  return std::sqrt(2.0) * boost::math::erf_inv(2.0 * p - 1.0);
}

void remove_chance(Matches& m, std::int64_t window, const SearchOptions& options, float min_match) {
  const auto count = static_cast<std::int64_t>(m.later.size());
  const Scale scale{m.mean, m.deviation, min_match};
  for (std::int64_t t = 0; t + window <= count; ++t) {
    const auto at = static_cast<std::size_t>(t);
    const std::int64_t behind = std::min(options.max_lag, count - window - t);
    const std::int64_t before = std::min(options.max_lag, t);
    scale.apply(behind - options.min_lag + 1, m.later[at], m.later_lag[at]);
    scale.apply(before - options.min_lag + 1, m.earlier[at], m.earlier_lag[at]);
  }
}

}  // namespace self_similarity

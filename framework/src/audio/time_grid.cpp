#include "retake/audio/time_grid.hpp"

#include <cmath>

namespace retake {

bool operator==(const TimeGrid& a, const TimeGrid& b) {
  if (a.hop != b.hop || a.rows != b.rows) return false;
  if (a.hop != 0) return a.rate == b.rate;
  if (a.beats.size() != b.beats.size()) return false;
  for (std::size_t i = 0; i < a.beats.size(); ++i) {
    const TimeGrid::Beat& x = a.beats[i];
    const TimeGrid::Beat& y = b.beats[i];
    if (x.time != y.time || x.position != y.position || x.confidence != y.confidence) return false;
  }
  return true;
}

std::int64_t resampled_length(std::int64_t samples, double from_rate, double to_rate) {
  if (from_rate == std::floor(from_rate) && to_rate == std::floor(to_rate)) {
    // Exact for whole rates, as all that files state are.
    __extension__ using Wide = __int128;
    const Wide scaled = static_cast<Wide>(samples) * static_cast<std::int64_t>(to_rate);
    const auto divisor = static_cast<std::int64_t>(from_rate);
    return static_cast<std::int64_t>((scaled + divisor - 1) / divisor);
  }
  return static_cast<std::int64_t>(std::ceil(static_cast<double>(samples) * to_rate / from_rate));
}

TimeGrid frame_grid(std::int64_t samples, double sample_rate, std::int64_t hop, std::int64_t rate) {
  TimeGrid grid;
  grid.hop = hop;
  grid.rate = rate;
  grid.rows = 1 + resampled_length(samples, sample_rate, static_cast<double>(rate)) / hop;
  return grid;
}

}  // namespace retake

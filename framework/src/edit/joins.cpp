#include "edit/joins.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace retake::edit {

std::vector<JoinWindow> join_windows(const Edl& edl) {
  std::vector<JoinWindow> windows(edl.segments.size());
  for (std::size_t i = 0; i + 1 < edl.segments.size(); ++i) {
    const std::int64_t n = edl.segments[i].join.samples;
    windows[i].before = std::min(n / 2, edl.segments[i].output_samples() / 2);
    windows[i].after = std::min(n - n / 2, edl.segments[i + 1].output_samples() / 2);
  }
  return windows;
}

double rise(Curve curve, double x) {
  x = std::clamp(x, 0.0, 1.0);
  switch (curve) {
    case Curve::linear:
      return x;
    case Curve::equal_power:
      return std::sin(x * std::numbers::pi / 2.0);
    case Curve::equal_gain: {
      const double s = std::sin(x * std::numbers::pi / 2.0);
      return s * s;
    }
    case Curve::exponential:
      return x == 0.0 ? 0.0 : std::pow(10.0, -3.0 * (1.0 - x));
  }
  return x;
}

double gain_db_at(const Segment& segment, double output_sample) {
  const auto& curve = segment.gain_curve;
  if (curve.empty()) return segment.gain_db;
  const auto above = std::upper_bound(
      curve.begin(), curve.end(), output_sample,
      [](double at, const auto& point) { return at < static_cast<double>(point.first); });
  if (above == curve.begin()) return curve.front().second;
  if (above == curve.end()) return curve.back().second;
  const auto below = std::prev(above);
  const double span = static_cast<double>(above->first - below->first);
  const double x = (output_sample - static_cast<double>(below->first)) / span;
  return below->second + x * (above->second - below->second);
}

}  // namespace retake::edit

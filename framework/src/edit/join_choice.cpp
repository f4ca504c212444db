#include "retake/edit/join_choice.hpp"

#include <cmath>
#include <vector>

namespace retake {
namespace {

constexpr double kRelated = 0.5;

bool plain(const Segment& s) {
  return !s.is_gap() && !s.reverse && s.rate == 1.0;
}

}  // namespace

double join_correlation(AudioSource& raw, std::int64_t leave, std::int64_t enter,
                        std::int64_t samples) {
  if (samples <= 0) return 0.0;
  const auto n = static_cast<std::size_t>(samples);
  std::vector<float> a(n);
  std::vector<float> b(n);
  raw.read_mono(leave - samples / 2, samples, a.data());
  raw.read_mono(enter - samples / 2, samples, b.data());
  double mean_a = 0.0;
  double mean_b = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    mean_a += a[i];
    mean_b += b[i];
  }
  mean_a /= static_cast<double>(n);
  mean_b /= static_cast<double>(n);
  double ab = 0.0;
  double aa = 0.0;
  double bb = 0.0;
  for (std::size_t i = 0; i < n; ++i) {
    const double x = a[i] - mean_a;
    const double y = b[i] - mean_b;
    ab += x * y;
    aa += x * x;
    bb += y * y;
  }
  return aa > 0.0 && bb > 0.0 ? ab / std::sqrt(aa * bb) : 0.0;
}

Curve join_curve(double correlation) {
  return correlation > kRelated ? Curve::equal_gain : Curve::equal_power;
}

void choose_joins(Edl& edl, AudioSource& raw, std::int64_t samples) {
  for (std::size_t i = 0; i + 1 < edl.segments.size(); ++i) {
    Segment& a = edl.segments[i];
    const Segment& b = edl.segments[i + 1];
    if (a.is_gap() && b.is_gap()) continue;
    if (plain(a) && plain(b) && a.source == b.source && a.end == b.begin) continue;
    a.join = {samples, Curve::equal_power};
    if (plain(a) && plain(b))
      a.join.curve = join_curve(join_correlation(raw, a.end, b.begin, samples));
  }
}

}  // namespace retake

#include "splice.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace retake::synthetic {

namespace {

constexpr double kHalfPi = std::numbers::pi / 2;

/// Gains of the side that ends and of the side that begins at place x of the window, 0 <= x < 1.
struct Gains {
  float out;
  float in;
};

Gains gains(const Splice& splice, double x) {
  if (splice.kind == "pause" || splice.kind == "dip") {
    // Each side has its own part of the window; between them there is the pause.
    const double pause = static_cast<double>(splice.pause) / static_cast<double>(2 * splice.half);
    const double ramp = 0.5 - pause / 2;
    const double out = std::clamp(1.0 - x / ramp, 0.0, 1.0);
    const double in = std::clamp((x - 0.5 - pause / 2) / ramp, 0.0, 1.0);
    return {static_cast<float>(out * out), static_cast<float>(in * in)};
  }
  return {static_cast<float>(std::cos(kHalfPi * x)), static_cast<float>(std::sin(kHalfPi * x))};
}

void add_thump(const Splice& splice, double level, AudioBuffer& window) {
  Rng rng(splice.seed);
  const double hz = rng.uniform(55.0, 110.0);
  const double decay = rng.uniform(0.015, 0.04);
  const double peak = level * rng.uniform(2.0, 4.0);
  const double phase = 2 * std::numbers::pi * hz / window.sample_rate;
  double rustle = 0.0;
  for (std::int64_t i = 0; i < window.samples(); ++i) {
    const double t = static_cast<double>(i) / window.sample_rate;
    // Rises within a millisecond, so that the blow itself is no click.
    const double envelope = (1.0 - std::exp(-t / 0.001)) * std::exp(-t / decay);
    rustle += 0.3 * (rng.uniform(-1.0, 1.0) - rustle);
    const double y = peak * envelope * (std::sin(phase * static_cast<double>(i)) + 0.5 * rustle);
    for (auto& channel : window.channels) {
      channel[static_cast<std::size_t>(i)] += static_cast<float>(y);
    }
  }
}

}  // namespace

const std::vector<std::string>& splice_kinds() {
  static const std::vector<std::string> kinds = {"butt", "short", "long", "pause", "dip", "thump"};
  return kinds;
}

Splice random_splice(const std::string& kind, double sample_rate, std::int64_t room, Rng& rng) {
  const auto samples = [&](double low, double high) {
    return std::llround(rng.uniform(low, high) * sample_rate);
  };
  Splice s;
  s.kind = kind;
  s.seed = rng.next();
  if (kind == "short") s.half = samples(0.003, 0.02);
  if (kind == "long") s.half = samples(0.06, 0.25);
  if (kind == "dip") s.half = samples(0.05, 0.2);
  if (kind == "thump") s.half = samples(0.04, 0.1);
  if (kind == "pause") {
    s.pause = samples(0.1, 0.4);
    s.half = s.pause / 2 + samples(0.03, 0.15);
  }
  const std::int64_t half = std::max<std::int64_t>(0, std::min(s.half, room));
  if (half < s.half) s.pause = s.pause * half / s.half;
  s.half = half;
  return s;
}

void apply_splice(const Splice& splice, double level, AudioBuffer& left, const AudioBuffer& right) {
  const std::int64_t n = 2 * splice.half;
  // A thump hides a crossfade of a tenth of its window.
  const double from = splice.kind == "thump" ? 0.45 : 0.0;
  for (std::size_t c = 0; c < left.channels.size(); ++c) {
    auto& a = left.channels[c];
    const auto& b = right.channels[c];
    for (std::int64_t i = 0; i < n; ++i) {
      const auto k = static_cast<std::size_t>(i);
      const double x = (static_cast<double>(i) + 0.5) / static_cast<double>(n);
      const Gains g = gains(splice, std::clamp((x - from) / (1.0 - 2 * from), 0.0, 1.0));
      a[k] = g.out * a[k] + g.in * b[k];
    }
  }
  if (splice.kind == "thump") add_thump(splice, level, left);
}

}  // namespace retake::synthetic

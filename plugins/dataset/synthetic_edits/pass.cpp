#include "pass.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace retake::synthetic {

namespace {

constexpr double kPi = std::numbers::pi;

/// Windowed-sinc interpolation: 16 taps, Blackman window, nearest of 2048 phases (error below
/// -65 dB up to 0.8 of the Nyquist frequency).
class Interpolator {
 public:
  static constexpr int kTaps = 16;
  static constexpr int kPhases = 2048;

  Interpolator() : table_(static_cast<std::size_t>(kTaps) * (kPhases + 1)) {
    for (int p = 0; p <= kPhases; ++p) {
      double sum = 0.0;
      std::array<double, kTaps> taps{};
      for (int k = 0; k < kTaps; ++k) {
        const double x = k - (kTaps / 2 - 1) - static_cast<double>(p) / kPhases;
        const double u = x / (kTaps / 2);
        const double window = std::abs(u) >= 1.0
                                  ? 0.0
                                  : 0.42 + 0.5 * std::cos(kPi * u) + 0.08 * std::cos(2 * kPi * u);
        const double sinc = std::abs(x) < 1e-12 ? 1.0 : std::sin(kPi * x) / (kPi * x);
        taps[static_cast<std::size_t>(k)] = sinc * window;
        sum += sinc * window;
      }
      for (int k = 0; k < kTaps; ++k) {
        table_[static_cast<std::size_t>(p * kTaps + k)] =
            static_cast<float>(taps[static_cast<std::size_t>(k)] / sum);
      }
    }
  }

  float at(const std::vector<float>& x, double position) const {
    const double whole = std::floor(position);
    const auto first = static_cast<std::int64_t>(whole) - (kTaps / 2 - 1);
    const auto size = static_cast<std::int64_t>(x.size());
    if (first + kTaps <= 0 || first >= size) return 0.0F;
    const auto phase = static_cast<std::size_t>(std::lround((position - whole) * kPhases));
    const float* taps = &table_[phase * kTaps];
    float sum = 0.0F;
    if (first >= 0 && first + kTaps <= size) {
      const float* in = &x[static_cast<std::size_t>(first)];
      for (int k = 0; k < kTaps; ++k) sum += taps[k] * in[k];
    } else {
      for (int k = 0; k < kTaps; ++k) {
        const std::int64_t i = first + k;
        if (i >= 0 && i < size) sum += taps[k] * x[static_cast<std::size_t>(i)];
      }
    }
    return sum;
  }

 private:
  std::vector<float> table_;
};

/// Adds `gain` times the song along `drift` to `out`. Positions are exact every 64 samples and
/// straight between: the rate changes far too slowly to tell.
void play(const Drift& drift, const AudioBuffer& song, std::int64_t begin, float gain,
          AudioBuffer& out) {
  static const Interpolator interpolator;
  constexpr std::int64_t kStep = 64;
  const std::int64_t n = out.samples();
  for (std::int64_t at = 0; at < n; at += kStep) {
    const std::int64_t count = std::min(kStep, n - at);
    const double first = drift.position(static_cast<double>(begin + at));
    const double rate = (drift.position(static_cast<double>(begin + at + kStep)) - first) / kStep;
    for (std::size_t c = 0; c < out.channels.size(); ++c) {
      float* to = &out.channels[c][static_cast<std::size_t>(at)];
      for (std::int64_t i = 0; i < count; ++i) {
        to[i] += gain * interpolator.at(song.channels[c], first + rate * static_cast<double>(i));
      }
    }
  }
}

void punch_hole(const Pass::Hole& hole, std::int64_t begin, std::int64_t ramp, AudioBuffer& out) {
  const std::int64_t from = std::max(hole.begin, begin);
  const std::int64_t to = std::min(hole.end, begin + out.samples());
  for (std::int64_t t = from; t < to; ++t) {
    const std::int64_t edge = std::min(t - hole.begin, hole.end - 1 - t);
    const double depth = edge >= ramp ? 1.0 : static_cast<double>(edge) / static_cast<double>(ramp);
    const auto gain = static_cast<float>(1.0 + (hole.gain - 1.0) * depth);
    for (auto& channel : out.channels) channel[static_cast<std::size_t>(t - begin)] *= gain;
  }
}

}  // namespace

double Drift::position(double t) const {
  double p = begin + (1.0 + slope) * t;
  for (const Wave& w : waves) {
    p += w.depth / w.omega * (std::cos(w.phase) - std::cos(w.omega * t + w.phase));
  }
  return p;
}

std::int64_t Drift::length_to(double song_end) const {
  double t = (song_end - begin) / (1.0 + slope);
  // The rate is within a few per cent of 1 + slope, so fixed-point steps shrink the error fast.
  for (int i = 0; i < 40; ++i) t += (song_end - position(t)) / (1.0 + slope);
  return std::max<std::int64_t>(1, std::llround(t));
}

Drift random_drift(Rng& rng, double begin, double depth, double sample_rate) {
  Drift d;
  d.begin = begin;
  d.slope = rng.uniform(-0.6, 0.6) * depth;
  for (int k = 0; k < 3; ++k) {
    Drift::Wave w;
    w.depth = rng.uniform(0.05, 0.3) * depth;
    w.omega = 2 * kPi * rng.uniform(0.02, 0.25) / sample_rate;
    w.phase = rng.uniform(0.0, 2 * kPi);
    d.waves.push_back(w);
  }
  return d;
}

Equaliser::Equaliser(Rng& rng, double depth_db, double sample_rate) {
  const std::array<double, 3> low = {80.0, 500.0, 3500.0};
  const std::array<double, 3> high = {250.0, 2500.0, 7000.0};
  for (std::size_t k = 0; k < 3; ++k) {
    const double limit = 0.4 * sample_rate;
    const double hz = std::min(limit, low[k] * std::pow(high[k] / low[k], rng.uniform()));
    const double a = std::pow(10.0, rng.uniform(-depth_db, depth_db) / 40.0);
    const double w = 2 * kPi * hz / sample_rate;
    const double c = std::cos(w);
    const double q = k == 1 ? 0.8 : std::numbers::sqrt2 / 2;
    const double alpha = std::sin(w) / (2 * q);
    const double s = 2 * std::sqrt(a) * alpha;
    double a0 = 1.0;
    Section& f = sections_[k];
    if (k == 1) {
      a0 = 1 + alpha / a;
      f = {1 + alpha * a, -2 * c, 1 - alpha * a, -2 * c, 1 - alpha / a};
    } else {
      const double sign = k == 0 ? 1.0 : -1.0;  // the high shelf is the low one mirrored
      a0 = (a + 1) + sign * (a - 1) * c + s;
      f = {a * ((a + 1) - sign * (a - 1) * c + s), sign * 2 * a * ((a - 1) - sign * (a + 1) * c),
           a * ((a + 1) - sign * (a - 1) * c - s), -sign * 2 * ((a - 1) + sign * (a + 1) * c),
           (a + 1) + sign * (a - 1) * c - s};
    }
    f = {f.b0 / a0, f.b1 / a0, f.b2 / a0, f.a1 / a0, f.a2 / a0};
  }
}

void Equaliser::apply(std::span<float> samples) const {
  for (const Section& f : sections_) {
    double z1 = 0.0;
    double z2 = 0.0;
    for (float& sample : samples) {
      const double x = sample;
      const double y = f.b0 * x + z1;
      z1 = f.b1 * x - f.a1 * y + z2;
      z2 = f.b2 * x - f.a2 * y;
      sample = static_cast<float>(y);
    }
  }
}

void spoil(Pass& pass, Fault fault, std::int64_t samples, std::int64_t song_samples,
           double sample_rate, Rng& rng) {
  pass.fault = fault;
  if (fault == Fault::wobble) {
    Drift::Wave w;
    w.depth = rng.uniform(0.025, 0.05);
    w.omega = 2 * kPi * rng.uniform(0.4, 1.5) / sample_rate;
    w.phase = rng.uniform(0.0, 2 * kPi);
    pass.drift.waves.push_back(w);
  } else if (fault == Fault::layer) {
    // Someone plays another place of the song, in another key.
    constexpr std::array<double, 6> steps = {-5, -2, -1, 1, 2, 5};
    const double far = rng.uniform(0.25, 0.75) * static_cast<double>(song_samples);
    const double begin = std::fmod(pass.drift.begin + far, static_cast<double>(song_samples));
    const double room = static_cast<double>(song_samples) - 1.4 * static_cast<double>(samples);
    pass.layer = random_drift(rng, std::clamp(begin, 0.0, std::max(0.0, room)), 0.01, sample_rate);
    pass.layer.slope += std::pow(2.0, steps[rng.below(steps.size())] / 12.0) - 1.0;
    pass.layer_gain = rng.uniform(0.6, 1.0);
  } else if (fault == Fault::drop_out) {
    double at = rng.uniform(0.2, 1.5);
    const double end = static_cast<double>(samples) / sample_rate;
    while (at < end) {
      const double length = rng.uniform(0.2, 1.0);
      pass.holes.push_back({std::llround(at * sample_rate),
                            std::llround((at + length) * sample_rate),
                            std::pow(10.0, -rng.uniform(18.0, 45.0) / 20.0)});
      at += length + rng.uniform(0.8, 3.0);
    }
  }
}

AudioBuffer render_pass(const Pass& pass, const AudioBuffer& song, std::int64_t begin,
                        std::int64_t n) {
  AudioBuffer out;
  out.sample_rate = song.sample_rate;
  out.channels.assign(song.channels.size(), std::vector<float>(static_cast<std::size_t>(n), 0.0F));
  // Uncorrelated layers add in power: the sum is as loud as a pass alone.
  const double norm = 1.0 / std::sqrt(1.0 + pass.layer_gain * pass.layer_gain);
  play(pass.drift, song, begin, static_cast<float>(norm), out);
  if (pass.fault == Fault::layer) {
    play(pass.layer, song, begin, static_cast<float>(norm * pass.layer_gain), out);
  }
  const auto ramp = static_cast<std::int64_t>(0.008 * song.sample_rate) + 1;
  for (const Pass::Hole& hole : pass.holes) punch_hole(hole, begin, ramp, out);
  return out;
}

}  // namespace retake::synthetic

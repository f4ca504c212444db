#include "instruments.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace retake::synthetic {

namespace {

constexpr double kTwoPi = 2 * std::numbers::pi;

std::vector<float> silence(double seconds, double sample_rate) {
  return std::vector<float>(static_cast<std::size_t>(seconds * sample_rate) + 1, 0.0F);
}

/// First-order high-pass in place.
void high_pass(std::span<float> samples, double hz, double sample_rate) {
  const double a = std::exp(-kTwoPi * hz / sample_rate);
  double low = 0.0;
  for (float& x : samples) {
    low = (1 - a) * x + a * low;
    x = static_cast<float>(x - low);
  }
}

}  // namespace

Wavetable::Wavetable(std::span<const double> partials) : table_(kSize + 1) {
  double peak = 1e-9;
  std::vector<double> sum(kSize, 0.0);
  for (std::size_t k = 0; k < partials.size(); ++k) {
    for (std::size_t i = 0; i < kSize; ++i) {
      sum[i] += partials[k] * std::sin(kTwoPi * static_cast<double>((k + 1) * i) / kSize);
    }
  }
  for (const double v : sum) peak = std::max(peak, std::abs(v));
  for (std::size_t i = 0; i < kSize; ++i) table_[i] = static_cast<float>(sum[i] / peak);
  table_[kSize] = table_[0];
}

float Wavetable::at(double phase) const {
  const double x = (phase - std::floor(phase)) * kSize;
  const auto i = std::min(static_cast<std::size_t>(x), kSize - 1);
  const auto f = static_cast<float>(x - static_cast<double>(i));
  return table_[i] + f * (table_[i + 1] - table_[i]);
}

void play_note(const Wavetable& wave, const Note& note, double start_s, double sample_rate,
               std::span<float> out) {
  const auto start = std::llround(start_s * sample_rate);
  const auto n = std::llround(note.envelope.seconds() * sample_rate);
  const Envelope& e = note.envelope;
  const double decay = std::exp(-1.0 / (e.decay * sample_rate));
  const double release = std::exp(-1.0 / (e.release * sample_rate));
  const auto attack = std::max<std::int64_t>(1, std::llround(e.attack * sample_rate));
  const auto off = std::llround(e.length * sample_rate);
  const double vibrato_step = 5.5 / sample_rate;
  double phase = 0.0;
  double fall = 1.0;
  double ending = 1.0;
  double increment = note.hz / sample_rate;
  for (std::int64_t i = 0; i < n; ++i) {
    if (i % 16 == 0) {  // pitch moves slowly
      double hz = note.hz;
      const double t = static_cast<double>(i) / sample_rate;
      if (note.glide_hz > 0.0) hz += (note.glide_hz - note.hz) * std::exp(-t / note.glide_s);
      hz *= 1.0 + note.vibrato * std::sin(kTwoPi * vibrato_step * static_cast<double>(i));
      increment = hz / sample_rate;
    }
    phase += increment;
    if (i >= attack) fall *= decay;
    if (i >= off) ending *= release;
    const double rise = i < attack ? static_cast<double>(i) / static_cast<double>(attack) : 1.0;
    const double level = note.gain * rise * (e.sustain + (1.0 - e.sustain) * fall) * ending;
    const std::int64_t at = start + i;
    if (at < 0 || at >= static_cast<std::int64_t>(out.size())) continue;
    out[static_cast<std::size_t>(at)] += static_cast<float>(level) * wave.at(phase);
  }
}

std::vector<float> kick_drum(Rng& rng, double sample_rate) {
  std::vector<float> out = silence(0.35, sample_rate);
  const double low = rng.uniform(42.0, 60.0);
  const double high = rng.uniform(120.0, 220.0);
  const double decay = rng.uniform(0.07, 0.12);
  double phase = 0.0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double t = static_cast<double>(i) / sample_rate;
    phase += (low + high * std::exp(-t / 0.02)) / sample_rate;
    const double click = t < 0.004 ? rng.uniform(-0.3, 0.3) : 0.0;
    out[i] = static_cast<float>(std::exp(-t / decay) * std::sin(kTwoPi * phase) + click);
  }
  return out;
}

std::vector<float> snare_drum(Rng& rng, double sample_rate) {
  std::vector<float> out = silence(0.3, sample_rate);
  const double hz = rng.uniform(160.0, 230.0);
  const double decay = rng.uniform(0.05, 0.09);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double t = static_cast<double>(i) / sample_rate;
    const double body = 0.6 * std::exp(-t / 0.04) * std::sin(kTwoPi * hz * t);
    out[i] = static_cast<float>(body + 0.7 * std::exp(-t / decay) * rng.uniform(-1.0, 1.0));
  }
  high_pass(out, 120.0, sample_rate);
  return out;
}

std::vector<float> hi_hat(Rng& rng, double sample_rate, double decay_s) {
  std::vector<float> out = silence(4 * decay_s, sample_rate);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double t = static_cast<double>(i) / sample_rate;
    out[i] = static_cast<float>(std::exp(-t / decay_s) * rng.uniform(-1.0, 1.0));
  }
  const double hz = std::min(6000.0, 0.3 * sample_rate);
  high_pass(out, hz, sample_rate);
  high_pass(out, hz, sample_rate);
  return out;
}

std::vector<float> stick_click(Rng& rng, double sample_rate) {
  std::vector<float> out = silence(0.09, sample_rate);
  const double hz = rng.uniform(1100.0, 1900.0);
  for (std::size_t i = 0; i < out.size(); ++i) {
    const double t = static_cast<double>(i) / sample_rate;
    const double ring = std::sin(kTwoPi * hz * t) + 0.6 * std::sin(kTwoPi * 2.31 * hz * t);
    out[i] = static_cast<float>(std::exp(-t / 0.014) * (0.5 * ring + rng.uniform(-0.4, 0.4)));
  }
  return out;
}

void mix_in(std::span<const float> sound, std::int64_t at, double gain, std::span<float> out) {
  const auto g = static_cast<float>(gain);
  const auto from = std::max<std::int64_t>(0, -at);
  const auto to =
      std::min(static_cast<std::int64_t>(sound.size()), static_cast<std::int64_t>(out.size()) - at);
  for (std::int64_t i = from; i < to; ++i) {
    out[static_cast<std::size_t>(at + i)] += g * sound[static_cast<std::size_t>(i)];
  }
}

void add_room(std::span<float> samples, double sample_rate, double seconds, double wet) {
  constexpr std::array<double, 4> combs = {0.0297, 0.0371, 0.0411, 0.0437};
  constexpr std::array<double, 2> all_passes = {0.005, 0.0017};
  std::vector<float> sum(samples.size(), 0.0F);
  for (const double delay_s : combs) {
    std::vector<float> line(static_cast<std::size_t>(delay_s * sample_rate) + 1, 0.0F);
    const auto feedback = static_cast<float>(std::pow(10.0, -3.0 * delay_s / seconds));
    std::size_t at = 0;
    float damped = 0.0F;
    for (std::size_t i = 0; i < samples.size(); ++i) {
      const float y = line[at];
      damped += 0.6F * (y - damped);
      line[at] = samples[i] + feedback * damped;
      sum[i] += 0.25F * y;
      at = at + 1 == line.size() ? 0 : at + 1;
    }
  }
  for (const double delay_s : all_passes) {
    std::vector<float> line(static_cast<std::size_t>(delay_s * sample_rate) + 1, 0.0F);
    std::size_t at = 0;
    for (float& x : sum) {
      const float delayed = line[at];
      const float y = delayed - 0.7F * x;
      line[at] = x + 0.7F * y;
      x = y;
      at = at + 1 == line.size() ? 0 : at + 1;
    }
  }
  const auto w = static_cast<float>(wet);
  for (std::size_t i = 0; i < samples.size(); ++i) samples[i] += w * sum[i];
}

double midi_hz(double note) {
  return 440.0 * std::pow(2.0, (note - 69.0) / 12.0);
}

}  // namespace retake::synthetic

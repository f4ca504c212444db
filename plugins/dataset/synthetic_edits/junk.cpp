#include "junk.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "instruments.hpp"
#include "pass.hpp"

namespace retake::synthetic {

namespace {

constexpr double kTwoPi = 2 * std::numbers::pi;

/// A two-pole resonator with a gain of about 1 at its frequency.
struct Resonator {
  double a1 = 0.0;
  double a2 = 0.0;
  double gain = 1.0;
  double y1 = 0.0;
  double y2 = 0.0;

  void tune(double hz, double bandwidth, double sample_rate) {
    const double r = std::exp(-std::numbers::pi * bandwidth / sample_rate);
    a1 = 2 * r * std::cos(kTwoPi * hz / sample_rate);
    a2 = -r * r;
    gain = (1 - r) * 2;
  }
  double step(double x) {
    const double y = gain * x + a1 * y1 + a2 * y2;
    y2 = y1;
    y1 = y;
    return y;
  }
};

/// One syllable: a vowel's voiced part, perhaps a consonant's noise before it.
void say_syllable(Rng& rng, double voice_hz, double stress, double sample_rate, double at_s,
                  double length_s, std::span<float> out) {
  constexpr std::array<std::array<double, 3>, 6> vowels = {{{730, 1090, 2440},
                                                            {530, 1840, 2480},
                                                            {390, 1990, 2550},
                                                            {570, 840, 2410},
                                                            {440, 1020, 2240},
                                                            {300, 870, 2240}}};
  const auto& from = vowels[rng.below(vowels.size())];
  const auto& to = vowels[rng.below(vowels.size())];
  const double throat = voice_hz > 150.0 ? 1.15 : 1.0;
  const double consonant_s = rng.chance(0.55) ? rng.uniform(0.03, 0.09) : 0.0;
  const double hiss_hz = std::min(rng.uniform(1800.0, 5500.0), 0.4 * sample_rate);
  const double bend = rng.uniform(-0.12, 0.08);
  std::array<Resonator, 3> formants;
  Resonator hiss;
  hiss.tune(hiss_hz, 1200.0, sample_rate);
  double phase = rng.uniform();
  const auto start = std::llround(at_s * sample_rate);
  const auto n = std::llround(length_s * sample_rate);
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t place = start + i;
    if (place < 0 || place >= static_cast<std::int64_t>(out.size())) continue;
    const double t = static_cast<double>(i) / sample_rate;
    const double x = static_cast<double>(i) / static_cast<double>(n);
    if (i % 64 == 0) {
      for (std::size_t k = 0; k < 3; ++k) {
        const double hz = throat * (from[k] + (to[k] - from[k]) * x);
        formants[k].tune(std::min(hz, 0.45 * sample_rate), 70.0 + 40.0 * static_cast<double>(k),
                         sample_rate);
      }
    }
    phase += voice_hz * (1.0 + bend * x) / sample_rate;
    phase -= std::floor(phase);
    // Glottal flow: opens over 60 % of the cycle, closes at once.
    const double pulse = phase < 0.6 ? phase / 0.6 : 0.0;
    const double breath = 0.03 * rng.uniform(-1.0, 1.0);
    double y = 0.0;
    for (std::size_t k = 0; k < 3; ++k)
      y += formants[k].step(pulse - 0.3 + breath) / (1.0 + 0.8 * static_cast<double>(k));
    const double voiced = t < consonant_s ? 0.0 : std::sin(std::numbers::pi * x);
    const double noise = t < consonant_s ? 0.35 * hiss.step(rng.uniform(-1.0, 1.0)) : 0.0;
    out[static_cast<std::size_t>(place)] += static_cast<float>(stress * (voiced * y + noise));
  }
}

void talk(Rng& rng, double sample_rate, std::span<float> out) {
  const double total = static_cast<double>(out.size()) / sample_rate;
  std::array<double, 2> voices = {rng.uniform(85.0, 140.0), rng.uniform(110.0, 230.0)};
  double t = rng.uniform(-0.1, 0.15);
  while (t < total) {
    const double voice = voices[rng.below(2)];
    const std::int64_t syllables = rng.integer(3, 14);
    double tone = rng.uniform(1.05, 1.3);
    for (std::int64_t s = 0; s < syllables && t < total; ++s) {
      const double length = rng.uniform(0.11, 0.27);
      say_syllable(rng, voice * tone, rng.uniform(0.5, 1.0), sample_rate, t, length, out);
      t += 0.9 * length;
      tone = std::max(0.85, tone - rng.uniform(0.0, 0.06));
    }
    t += rng.uniform(0.12, 0.7);
  }
}

void tune_up(Rng& rng, double sample_rate, std::span<float> out) {
  constexpr std::array<double, 6> strings = {40, 45, 50, 55, 59, 64};
  const double total = static_cast<double>(out.size()) / sample_rate;
  std::array<double, 8> partials{};
  for (std::size_t k = 0; k < partials.size(); ++k) {
    partials[k] = rng.uniform(0.5, 1.0) / static_cast<double>(k + 1);
  }
  const Wavetable wave(partials);
  double t = rng.uniform(-0.2, 0.2);
  std::size_t string = rng.below(strings.size());
  double cents = rng.uniform(-60.0, 60.0);
  while (t < total) {
    Note note;
    const double length = rng.uniform(0.8, 2.2);
    note.hz = midi_hz(strings[string] + cents / 100.0);
    cents *= rng.uniform(-0.2, 0.7);
    note.glide_hz = note.hz;
    note.hz = midi_hz(strings[string] + cents / 100.0);
    note.glide_s = 0.4 * length;
    note.gain = rng.uniform(0.6, 1.0);
    note.envelope = {0.003, rng.uniform(0.8, 2.0), 0.0, 0.06, length};
    play_note(wave, note, t, sample_rate, out);
    t += length * rng.uniform(0.8, 1.1);
    if (rng.chance(0.35)) {
      string = (string + 1) % strings.size();
      cents = rng.uniform(-60.0, 60.0);
    }
  }
}

void count_in(Rng& rng, double beat_s, double sample_rate, std::span<float> out) {
  const std::vector<float> click = stick_click(rng, sample_rate);
  // The last beat is followed by the downbeat, which is where this stretch ends.
  const double total = static_cast<double>(out.size()) / sample_rate;
  for (double t = total - beat_s; t > -0.05; t -= beat_s) {
    const double late = rng.normal(0.0, 0.006);
    mix_in(click, std::llround((t + late) * sample_rate), rng.uniform(0.75, 1.0), out);
  }
}

/// Somebody plays about: a random walk on a scale.
void noodle(Rng& rng, double sample_rate, std::span<float> out) {
  constexpr std::array<int, 7> minor = {0, 2, 3, 5, 7, 8, 10};
  const double total = static_cast<double>(out.size()) / sample_rate;
  std::array<double, 10> partials{};
  for (std::size_t k = 0; k < partials.size(); ++k) {
    partials[k] = rng.uniform(0.3, 1.0) / std::pow(static_cast<double>(k + 1), 1.1);
  }
  const Wavetable wave(partials);
  const double root = static_cast<double>(rng.integer(40, 55));
  std::int64_t degree = rng.integer(5, 14);
  const double pace = rng.uniform(0.11, 0.3);
  double t = rng.uniform(-0.2, 0.2);
  while (t < total) {
    degree = std::clamp<std::int64_t>(degree + rng.integer(-3, 3), 0, 20);
    Note note;
    note.hz = midi_hz(root + 12.0 * static_cast<double>(degree / 7) +
                      minor[static_cast<std::size_t>(degree % 7)]);
    note.gain = rng.uniform(0.4, 1.0);
    const double length = pace * static_cast<double>(rng.integer(1, 3));
    note.envelope = {0.004, rng.uniform(0.25, 0.8), 0.1, 0.05, length};
    note.vibrato = rng.chance(0.3) ? 0.006 : 0.0;
    play_note(wave, note, t, sample_rate, out);
    t += length * rng.uniform(0.9, 1.15);
    if (rng.chance(0.1)) t += rng.uniform(0.2, 0.9);
  }
}

/// Somebody tries bits of the song, in other keys and in no order.
AudioBuffer scraps(Rng& rng, std::int64_t n, const Music& music) {
  AudioBuffer out;
  out.sample_rate = music.audio.sample_rate;
  out.channels.assign(music.audio.channel_count(),
                      std::vector<float>(static_cast<std::size_t>(n), 0.0F));
  const double rate = out.sample_rate;
  std::int64_t at = -std::llround(0.2 * rate * rng.uniform());
  while (at < n) {
    const std::int64_t length = std::llround(rng.uniform(0.3, 1.1) * rate);
    Pass pass;
    pass.drift.begin = rng.uniform() * static_cast<double>(music.audio.samples());
    pass.drift.slope = std::pow(2.0, static_cast<double>(rng.integer(-4, 4)) / 12.0) - 1.0;
    const AudioBuffer scrap = render_pass(pass, music.audio, 0, length);
    const auto gain = static_cast<float>(rng.uniform(0.6, 1.0));
    const auto ramp = static_cast<double>(std::llround(0.02 * rate) + 1);
    for (std::int64_t i = std::max<std::int64_t>(0, -at); i < std::min(length, n - at); ++i) {
      const double edge = static_cast<double>(std::min(i, length - 1 - i)) / ramp;
      const float g = gain * static_cast<float>(std::min(1.0, edge));
      for (std::size_t c = 0; c < out.channels.size(); ++c) {
        out.channels[c][static_cast<std::size_t>(at + i)] +=
            g * scrap.channels[c][static_cast<std::size_t>(i)];
      }
    }
    at += std::llround(static_cast<double>(length) * rng.uniform(0.85, 1.3));
  }
  return out;
}

/// One microphone signal in all channels, a little to one side.
AudioBuffer spread(std::vector<float> mono, Rng& rng, const Music& music) {
  AudioBuffer out;
  out.sample_rate = music.audio.sample_rate;
  const double side = rng.uniform(-0.25, 0.25);
  for (std::size_t c = 0; c < music.audio.channel_count(); ++c) {
    const auto gain = static_cast<float>(1.0 + (c % 2 == 0 ? side : -side));
    out.channels.push_back(mono);
    for (float& x : out.channels.back()) x *= gain;
  }
  return out;
}

}  // namespace

void set_level(AudioBuffer& audio, double level) {
  const std::vector<double> power = block_power(audio, 0.05);
  const double loudest = power.empty() ? 0.0 : *std::max_element(power.begin(), power.end());
  double sum = 0.0;
  double count = 0.0;
  for (const double p : power) {
    if (p <= loudest * 1e-3) continue;
    sum += p;
    count += 1.0;
  }
  if (!(sum > 0.0)) return;  // nothing sounds: nothing to scale
  const auto gain = static_cast<float>(level / std::sqrt(sum / count));
  for (auto& channel : audio.channels) {
    for (float& x : channel) x *= gain;
  }
}

AudioBuffer render_junk(const std::string& kind, std::uint64_t seed, std::int64_t n, double level,
                        const Music& music) {
  Rng rng(seed);
  const double rate = music.audio.sample_rate;
  AudioBuffer out;
  if (kind == "noodling" && rng.chance(0.5)) {
    out = scraps(rng, n, music);
  } else {
    std::vector<float> mono(static_cast<std::size_t>(n), 0.0F);
    if (kind == "talk") talk(rng, rate, mono);
    if (kind == "tuning") tune_up(rng, rate, mono);
    if (kind == "count_in") count_in(rng, music.beat_s, rate, mono);
    if (kind == "noodling") noodle(rng, rate, mono);
    out = spread(std::move(mono), rng, music);
  }
  set_level(out, level);
  return out;
}

}  // namespace retake::synthetic

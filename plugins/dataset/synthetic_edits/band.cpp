// The built-in band: drums, bass, chords and lead, with sections, tempo drift and a room.

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <span>

#include "instruments.hpp"
#include "tracks.hpp"

namespace retake::synthetic {

namespace {

constexpr double kTwoPi = 2 * std::numbers::pi;
constexpr int kStepsPerBar = 16;

/// What is played in one section.
struct Section {
  std::string kind;  ///< intro, verse, chorus, solo, outro
  int bars = 8;
  std::array<int, 4> chords{};  ///< degrees of the scale, one per bar, repeated
  std::array<bool, kStepsPerBar> kick{};
  std::array<bool, kStepsPerBar> snare{};
  std::array<bool, kStepsPerBar> hat{};
  std::array<bool, kStepsPerBar> bass{};
  std::array<bool, kStepsPerBar> strum{};
  int lead_register = 0;      ///< scale degrees above the root
  double lead_density = 0.4;  ///< notes per 8th
  double loudness = 1.0;
};

/// Times of all 16th steps, from a drifting tempo.
struct Clock {
  std::vector<double> step_s;  ///< one more than there are steps
  double beat_s = 0.5;
};

class Band {
 public:
  Band(double seconds, double sample_rate, std::int64_t channels, Rng& rng)
      : rng_(rng), rate_(sample_rate), tempo_(rng.uniform(84.0, 156.0)) {
    root_ = static_cast<double>(rng.integer(38, 49));
    minor_ = rng.chance(0.6);
    compose(seconds);
    run_clock();
    channels_ = channels;
  }

  /// One player after the other, so that one track is in memory beside the mix.
  Music play() {
    make_instruments();
    const auto n = static_cast<std::size_t>((clock_.step_s.back() + 1.5) * rate_);
    Music music;
    music.audio.sample_rate = rate_;
    music.audio.channels.assign(static_cast<std::size_t>(channels_), std::vector<float>(n, 0.0F));
    const double room_s = rng_.uniform(0.4, 1.1);
    const std::array<Player, 4> players = {{{&Band::play_drums, 0.12, 0.0},
                                            {&Band::play_bass, 0.02, 0.0},
                                            {&Band::play_chords, 0.2, -0.35},
                                            {&Band::play_lead, 0.3, 0.3}}};
    for (const Player& player : players) {
      track_.assign(n, 0.0F);
      std::size_t step = 0;
      for (const Section& section : sections_) {
        (this->*player.play)(section, step);
        step += static_cast<std::size_t>(section.bars * kStepsPerBar);
      }
      add_room(track_, rate_, room_s, player.wet);
      for (std::size_t c = 0; c < music.audio.channels.size(); ++c) {
        const double side = channels_ == 1 ? 0.0 : (c % 2 == 0 ? -player.pan : player.pan);
        mix_in(track_, 0, 1.0 + side, music.audio.channels[c]);
      }
    }
    mark_onsets(music);
    return music;
  }

 private:
  struct Player {
    void (Band::*play)(const Section&, std::size_t);
    double wet;  ///< share of the room
    double pan;  ///< -1 left .. 1 right
  };

  double scale(int degree) const {
    constexpr std::array<int, 7> minor = {0, 2, 3, 5, 7, 8, 10};
    constexpr std::array<int, 7> major = {0, 2, 4, 5, 7, 9, 11};
    const int octave = degree >= 0 ? degree / 7 : (degree - 6) / 7;
    const auto k = static_cast<std::size_t>(degree - 7 * octave);
    return 12.0 * octave + (minor_ ? minor[k] : major[k]);
  }

  Section new_section(const std::string& kind) {
    Section s;
    s.kind = kind;
    s.bars = kind == "intro" || kind == "outro" ? 4 : (rng_.chance(0.7) ? 8 : 4);
    // No section returns note for note: what is heard again was played again.
    for (int& chord : s.chords) chord = static_cast<int>(rng_.below(7));
    s.chords[0] = rng_.chance(0.6) ? 0 : s.chords[0];
    const bool full = kind == "chorus" || kind == "solo";
    const double busy = full ? rng_.uniform(0.25, 0.45) : rng_.uniform(0.08, 0.28);
    const int hats = rng_.chance(full ? 0.5 : 0.2) ? 1 : (rng_.chance(0.8) ? 2 : 4);
    for (int i = 0; i < kStepsPerBar; ++i) {
      const auto k = static_cast<std::size_t>(i);
      s.kick[k] = i % 8 == 0 || (i % 2 == 0 && rng_.chance(busy));
      s.snare[k] = i % 8 == 4 || rng_.chance(0.04);
      s.hat[k] = i % hats == 0;
      s.bass[k] = i == 0 || (i % 2 == 0 && rng_.chance(full ? 0.7 : 0.4));
      s.strum[k] = i == 0 || (i % 2 == 0 && rng_.chance(full ? 0.4 : 0.2));
    }
    s.lead_register = static_cast<int>(rng_.integer(9, 16));
    s.lead_density = kind == "solo" ? 0.9 : (kind == "intro" ? 0.2 : rng_.uniform(0.35, 0.6));
    s.loudness = full ? 1.0 : rng_.uniform(0.7, 0.9);
    return s;
  }

  void compose(double seconds) {
    const double bar_s = 4 * 60.0 / tempo_;
    constexpr std::array<const char*, 6> form = {"verse",  "chorus", "verse",
                                                 "chorus", "solo",   "chorus"};
    sections_.push_back(new_section("intro"));
    double length = 8 * bar_s;  // intro and outro
    for (std::size_t i = 0; length < seconds; ++i) {
      sections_.push_back(new_section(form[i % form.size()]));
      length += sections_.back().bars * bar_s;
    }
    sections_.push_back(new_section("outro"));
  }

  void run_clock() {
    const double depth = rng_.uniform(0.01, 0.03);
    const double slow = rng_.uniform(0.01, 0.03);
    const double phase = rng_.uniform(0.0, kTwoPi);
    const double swing = rng_.chance(0.3) ? rng_.uniform(0.05, 0.25) : 0.0;
    clock_.beat_s = 60.0 / tempo_;
    int steps = 0;
    for (const Section& s : sections_) steps += s.bars * kStepsPerBar;
    double t = 0.1;
    for (int i = 0; i <= steps; ++i) {
      clock_.step_s.push_back(t);
      const double drift = 1.0 + depth * std::sin(kTwoPi * slow * t + phase);
      const double sway = i % 2 == 0 ? 1.0 + swing : 1.0 - swing;
      t += clock_.beat_s / 4 * drift * sway;
    }
  }

  void make_instruments() {
    kick_ = kick_drum(rng_, rate_);
    snare_ = snare_drum(rng_, rate_);
    hat_ = hi_hat(rng_, rate_, 0.03);
    crash_ = hi_hat(rng_, rate_, 0.35);
  }

  Wavetable timbre(std::size_t partials, double slope) {
    std::vector<double> p(partials);
    for (std::size_t k = 0; k < partials; ++k) {
      p[k] = rng_.uniform(0.4, 1.0) / std::pow(static_cast<double>(k + 1), slope);
    }
    return Wavetable(p);
  }

  /// A player's time for a step: a little early or late.
  double when(std::size_t step) { return clock_.step_s[step] + rng_.normal(0.0, 0.004); }

  void play_drums(const Section& s, std::size_t first) {
    for (int bar = 0; bar < s.bars; ++bar) {
      const bool fill = bar == s.bars - 1;
      for (int i = 0; i < kStepsPerBar; ++i) {
        const auto k = static_cast<std::size_t>(i);
        const std::size_t step = first + static_cast<std::size_t>(bar * kStepsPerBar + i);
        const double gain = s.loudness * rng_.uniform(0.8, 1.0);
        const auto hit = [&](const std::vector<float>& sound, double level) {
          mix_in(sound, std::llround(when(step) * rate_), level * gain, track_);
        };
        if (bar == 0 && i == 0) hit(crash_, 0.35);
        if (s.kick[k]) hit(kick_, 0.8);
        if (s.snare[k] || (fill && i >= 8 && rng_.chance(0.55))) hit(snare_, 0.55);
        if (s.hat[k] && !fill) hit(hat_, i % 4 == 0 ? 0.3 : 0.2);
      }
    }
  }

  void play_bass(const Section& s, std::size_t first) {
    const Wavetable wave = timbre(8, 1.2);
    for (int bar = 0; bar < s.bars; ++bar) {
      const int chord = s.chords[static_cast<std::size_t>(bar % 4)];
      for (int i = 0; i < kStepsPerBar; ++i) {
        if (!s.bass[static_cast<std::size_t>(i)]) continue;
        Note note;
        const bool passing = i > 8 && rng_.chance(0.25);
        note.hz = midi_hz(root_ - 12.0 + scale(chord + (passing ? 4 : 0)));
        note.gain = 0.34 * s.loudness * rng_.uniform(0.85, 1.0);
        note.envelope = {0.004, 0.5, 0.2, 0.03, 0.9 * clock_.beat_s / 2};
        play_note(wave, note, when(first + static_cast<std::size_t>(bar * kStepsPerBar + i)), rate_,
                  track_);
      }
    }
  }

  void play_chords(const Section& s, std::size_t first) {
    const Wavetable wave = timbre(12, 0.9);
    const int shape = static_cast<int>(rng_.below(3));
    for (int bar = 0; bar < s.bars; ++bar) {
      const int chord = s.chords[static_cast<std::size_t>(bar % 4)];
      for (int i = 0; i < kStepsPerBar; ++i) {
        if (!s.strum[static_cast<std::size_t>(i)]) continue;
        double t = when(first + static_cast<std::size_t>(bar * kStepsPerBar + i));
        for (int v = 0; v < 3; ++v) {
          Note note;
          note.hz = midi_hz(root_ + 12.0 + scale(chord + 2 * v + (v < shape ? 7 : 0)));
          note.gain = 0.11 * s.loudness * rng_.uniform(0.85, 1.0);
          note.envelope = {0.006, 0.6, 0.25, 0.06, 1.6 * clock_.beat_s};
          play_note(wave, note, t, rate_, track_);
          t += 0.008;
        }
      }
    }
  }

  void play_lead(const Section& s, std::size_t first) {
    const Wavetable wave = timbre(10, s.kind == "solo" ? 0.7 : 1.3);
    int degree = s.lead_register;
    for (int i = 0; i < s.bars * kStepsPerBar; i += 2) {
      if (!rng_.chance(s.lead_density)) continue;
      degree = std::clamp(degree + static_cast<int>(rng_.integer(-3, 3)), s.lead_register - 5,
                          s.lead_register + 6);
      Note note;
      note.hz = midi_hz(root_ + 12.0 + scale(degree));
      note.glide_hz = rng_.chance(0.2) ? note.hz * 0.944 : 0.0;
      note.gain = 0.2 * rng_.uniform(0.75, 1.0);
      note.vibrato = rng_.uniform(0.0, 0.008);
      note.envelope = {0.015, 0.8, 0.5, 0.06, clock_.beat_s * rng_.uniform(0.4, 1.2)};
      play_note(wave, note, when(first + static_cast<std::size_t>(i)), rate_, track_);
    }
  }

  void mark_onsets(Music& music) const {
    for (std::size_t i = 0; i + 1 < clock_.step_s.size(); i += 4) {
      // Sections begin a moment before their first beat.
      const auto at = std::llround((clock_.step_s[i] - 0.015) * rate_);
      music.onsets.push_back({std::max<std::int64_t>(0, at), i % kStepsPerBar == 0 ? 8.0 : 1.0});
    }
    music.beat_s = clock_.beat_s;
  }

  Rng& rng_;
  double rate_;
  double tempo_;
  double root_ = 40.0;
  bool minor_ = false;
  std::int64_t channels_ = 2;
  std::vector<Section> sections_;
  Clock clock_;
  std::vector<float> track_;
  std::vector<float> kick_;
  std::vector<float> snare_;
  std::vector<float> hat_;
  std::vector<float> crash_;
};

}  // namespace

Music play_band(double seconds, std::int64_t sample_rate, std::int64_t channels, Rng& rng) {
  const double rate = sample_rate > 0 ? static_cast<double>(sample_rate) : 44100.0;
  Music music = Band(seconds, rate, channels > 0 ? channels : 2, rng).play();
  float peak = 1e-9F;
  for (const auto& channel : music.audio.channels) {
    for (const float x : channel) peak = std::max(peak, std::abs(x));
  }
  for (auto& channel : music.audio.channels) {
    for (float& x : channel) x /= peak;
  }
  music.level = music_level(music.audio);
  return music;
}

}  // namespace retake::synthetic

#pragma once
// Small synthesisers: what the band plays on, and what people do between takes.

#include <cstdint>
#include <span>
#include <vector>

#include "retake/rng.hpp"

namespace retake::synthetic {

/// One cycle of a sum of harmonics with amplitudes `partials`, normalised to a peak of 1.
class Wavetable {
 public:
  explicit Wavetable(std::span<const double> partials);
  /// `phase` in cycles, any value >= 0.
  float at(double phase) const;

 private:
  static constexpr std::size_t kSize = 2048;
  std::vector<float> table_;
};

/// Envelope of a note: attack, exponential decay towards `sustain`, release after `length`.
struct Envelope {
  double attack = 0.005;  ///< s
  double decay = 0.3;     ///< s, time constant
  double sustain = 0.0;   ///< 0..1
  double release = 0.05;  ///< s
  double length = 0.5;    ///< s until release

  double seconds() const { return length + 4 * release; }
};

struct Note {
  double hz = 440.0;
  double gain = 0.1;
  double glide_hz = 0.0;  ///< where the pitch starts; 0: at `hz`
  double glide_s = 0.05;
  double vibrato = 0.0;  ///< share of the pitch
  Envelope envelope;
};

/// Adds a note that starts at `start_s` of `out`. Parts outside `out` are not heard.
void play_note(const Wavetable& wave, const Note& note, double start_s, double sample_rate,
               std::span<float> out);

/// Drum sounds at unit level, as long as they ring.
std::vector<float> kick_drum(Rng& rng, double sample_rate);
std::vector<float> snare_drum(Rng& rng, double sample_rate);
std::vector<float> hi_hat(Rng& rng, double sample_rate, double decay_s);
std::vector<float> stick_click(Rng& rng, double sample_rate);

/// Adds `sound` from sample `at`.
void mix_in(std::span<const float> sound, std::int64_t at, double gain, std::span<float> out);

/// A small room: four combs and two all-passes (Schroeder, "Natural sounding artificial
/// reverberation", 1962). Adds `wet` of it in place.
void add_room(std::span<float> samples, double sample_rate, double seconds, double wet);

/// Equal-tempered pitch of a MIDI note number.
double midi_hz(double note);

}  // namespace retake::synthetic

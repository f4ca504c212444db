#pragma once
// One playing of a stretch of the song: never twice the same. Every pass, kept or not, drifts in
// tempo, is equalised and levelled by the same random processes.

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "retake/audio/buffer.hpp"
#include "retake/rng.hpp"

namespace retake::synthetic {

/// How the players drift: the song's position after t samples of the pass,
///   begin + (1 + slope) t + sum_k depth_k / w_k (cos phase_k - cos(w_k t + phase_k)).
struct Drift {
  double begin = 0.0;  ///< song sample
  double slope = 0.0;
  struct Wave {
    double depth = 0.0;  ///< of the rate
    double omega = 1.0;  ///< radians per sample
    double phase = 0.0;
  };
  std::vector<Wave> waves;

  double position(double t) const;
  /// Samples of the pass until the song's position is `song_end`; >= 1.
  std::int64_t length_to(double song_end) const;
};

/// Random drift of at most about `depth` (a share of the tempo).
Drift random_drift(Rng& rng, double begin, double depth, double sample_rate);

/// Low shelf, bell and high shelf in series (second order; Bristow-Johnson, "Cookbook formulae for
/// audio EQ biquad filter coefficients").
class Equaliser {
 public:
  /// Gains in dB drawn within +-depth_db.
  Equaliser(Rng& rng, double depth_db, double sample_rate);
  /// In place, from a silent state.
  void apply(std::span<float> samples) const;

 private:
  struct Section {
    double b0, b1, b2, a1, a2;
  };
  std::array<Section, 3> sections_;
};

/// Takes that are spoilt throughout.
enum class Fault { none, wobble, layer, drop_out };

/// Everything that makes a pass; rendering it draws no random numbers.
struct Pass {
  Drift drift;
  Fault fault = Fault::none;
  Drift layer;  ///< a second playing of another place, on top
  double layer_gain = 0.0;
  struct Hole {
    std::int64_t begin = 0;  ///< pass samples
    std::int64_t end = 0;
    double gain = 1.0;
  };
  std::vector<Hole> holes;
};

/// Adds the fault to a pass of `samples`. The song has `song_samples`.
void spoil(Pass& pass, Fault fault, std::int64_t samples, std::int64_t song_samples,
           double sample_rate, Rng& rng);

/// The pass from sample `begin` (may be negative: before its start) for `n` samples, per channel.
/// Outside the song there is silence.
AudioBuffer render_pass(const Pass& pass, const AudioBuffer& song, std::int64_t begin,
                        std::int64_t n);

}  // namespace retake::synthetic

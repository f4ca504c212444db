#pragma once
// Third stage: offsets to the sample, every join by likelihood, gains and fades.

#include <cstdint>
#include <vector>

#include "path.hpp"
#include "retake/context.hpp"
#include "retake/edit/edl.hpp"
#include "signal.hpp"

namespace retake::xcorr {

/// Samples that refinement compares. When both recordings have one rate these are the recordings'
/// own; else the signals at kRate, which resampling has made comparable.
class Locals {
 public:
  Locals(AudioSource& raw, AudioSource& edit, const Samples& raw_low, const Samples& edit_low);
  double rate() const { return rate_; }
  bool native() const { return native_; }
  std::int64_t edit_samples() const;
  std::int64_t raw_samples() const;
  void edit(std::int64_t begin, std::int64_t n, float* out) const;
  /// `position` is a whole number when native.
  void raw(double position, std::int64_t n, float* out) const;

 private:
  AudioSource& raw_;
  AudioSource& edit_;
  const Samples& raw_low_;
  const Samples& edit_low_;
  bool native_;
  double rate_;
};

/// A run in samples at Locals::rate(), on the edit's time axis.
struct Piece {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  int line = -1;  ///< -1: no source
  bool source() const { return line >= 0; }
  double offset = 0.0;  ///< raw position less edit position; whole when native
  double gain = 1.0;    ///< amplitude
  Fade fade_in;
  Fade fade_out;
  Join join;  ///< into the next piece
};

/// Pieces cover [0, edit_samples). `max_join_s` bounds the crossfades searched.
std::vector<Piece> refine(const std::vector<Run>& runs, const std::vector<Line>& lines,
                          const Locals& locals, double max_join_s, const Context& context);

// ---- parts, each on one piece or join ----

/// Where the edit changes from one source to another, and the crossfade there.
struct JoinFit {
  std::int64_t at = 0;  ///< boundary, index into the window
  Join join;
};

/// e ~ a before, b after, over n samples; a and b carry their gains. Least squares over position,
/// length and curve of the crossfade; a crossfade must explain clearly more than a hard cut.
JoinFit fit_join(const std::vector<float>& e, const std::vector<float>& a,
                 const std::vector<float>& b, std::int64_t max_samples);

/// Weight of the incoming side of a crossfade or fade at x in [0, 1].
double fade_weight(Curve curve, double x);

/// A fade-in over the first samples of a run: `ratio[k]` is edit over raw per block of
/// `block` samples, `energy[k]` the raw's energy there, both from the run's start on.
Fade fit_fade(const std::vector<double>& ratio, const std::vector<double>& energy, double gain,
              std::int64_t block);

}  // namespace retake::xcorr

#pragma once
// Edits that need no learning. They stand in every table: a model that is not clearly better than
// all of them has learnt nothing. `source` states sample rate and samples. Torch-free.

#include <cstdint>
#include <span>
#include <vector>

#include "retake/audio/source.hpp"
#include "retake/edit/edl.hpp"
#include "retake/rng.hpp"

namespace retake::edit {

/// Keep all: the recording as it is.
Edl keep_all_edit(EdlSource source);

/// Copy +1: the recording's first `samples`, at most all of it.
Edl copy_edit(EdlSource source, std::int64_t samples);

/// Linear ratio: frame t of the edit copies raw frame floor(t / ratio), so that the edit spreads
/// evenly over the recording; 0 < ratio <= 1.
Edl linear_ratio_edit(EdlSource source, double ratio);

/// Random kept stretches that together are `ratio` of the recording (0..1], in order; their lengths
/// and those of the cuts are exponential, `mean_keep_s` seconds kept on average.
Edl random_edit(EdlSource source, double ratio, Rng& rng, double mean_keep_s = 20.0);

struct EnergyGate {
  double threshold_db = -25.0;  ///< against the recording's loud level, its 95th percentile
  double smooth_s = 0.5;        ///< moving average of the power
  double min_cut_s = 1.0;       ///< shorter pauses are kept
  double min_keep_s = 2.0;      ///< shorter sounds are cut
};

/// Keeps what is louder than the threshold. `level_db` is `frame_levels` of the recording.
Edl energy_gate_edit(EdlSource source, std::span<const double> level_db, const EnergyGate& gate);

/// Level of each standard frame, dB of full scale: mean power of the samples nearer to its centre
/// than to another's, channels averaged; at least -120. Streams.
std::vector<double> frame_levels(AudioSource& source);

/// A song to tune the gate on.
struct GateSong {
  EdlSource source;
  std::vector<double> level_db;
  Edl truth;
};

/// `gate` with the threshold out of -60, -58, ..., -2 dB that has the best mean edit_f1 over the
/// songs (the lowest of equals). Unchanged without songs.
EnergyGate tune_energy_gate(std::span<const GateSong> songs, EnergyGate gate = {});

}  // namespace retake::edit

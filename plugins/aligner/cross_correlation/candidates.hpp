#pragma once
// First stage: where in the whole raw recording each chunk of the edit may come from.

#include <cstdint>
#include <vector>

#include "retake/context.hpp"
#include "signal.hpp"

namespace retake::xcorr {

/// Rows of band energies: per band the logarithm less its mean over the file, per row less its mean
/// over the bands, so that level and equalisation drop out.
struct Bands {
  static constexpr std::int64_t kCount = 32;
  static constexpr std::int64_t kHop = 512;  ///< samples at kRate: 21.5 rows per second
  std::int64_t rows = 0;
  std::vector<float> values;  ///< [rows][kCount]
};

/// Both recordings at once: the bands' floors are shared, so that noise in one doesn't count.
void band_energies(const Samples& raw, const Samples& edit, const Context& context, Bands& raw_out,
                   Bands& edit_out);

/// Chunks of the edit: kChunkRows rows (0.33 s) every kChunkHop rows (0.14 s).
constexpr std::int64_t kChunkRows = 7;
constexpr std::int64_t kChunkHop = 3;

/// A chunk of the edit may be a copy of raw rows from `row` on.
struct Candidate {
  std::int64_t row = 0;
  float score = 0.0F;  ///< normalised correlation of the features
};

/// For every chunk of the edit its best places in the whole raw, by chunk correlation over 0.33 s
/// and by the means of it over 1.2 and 4.5 s of following chunks. `per_scale` of each; near
/// duplicates removed. Blocked matrix products; memory is linear in the lengths.
std::vector<std::vector<Candidate>> find_candidates(const Bands& raw, const Bands& edit,
                                                    int per_scale, const Context& context);

/// A chunk of the edit that matches the raw's waveform.
struct Match {
  std::int32_t chunk = 0;
  float correlation = 0.0F;  ///< normalised, 0..1
  double offset = 0.0;       ///< raw position less edit position, samples at kRate
};

/// Waveform correlation of every candidate, over all lags that the feature rows leave open; keeps
/// those of at least `least`. Inputs are whitened.
std::vector<Match> match_waveforms(const Samples& raw, const Samples& edit,
                                   const std::vector<std::vector<Candidate>>& candidates,
                                   float least, const Context& context);

}  // namespace retake::xcorr

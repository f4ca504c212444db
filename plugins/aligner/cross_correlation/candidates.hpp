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

/// How the edit is cut into chunks.
struct ChunkShape {
  std::int64_t rows;    ///< of a chunk
  std::int64_t hop;     ///< rows from chunk to chunk
  std::int64_t length;  ///< samples of the waveform that is compared, in the middle of the chunk
  bool long_scales;     ///< whether runs of chunks are searched too
};
/// 0.33 s every 0.14 s for the whole edit; 0.19 s every 0.05 s where that found nothing.
constexpr ChunkShape kCoarse{7, 3, 4096, true};
constexpr ChunkShape kFine{4, 1, 2048, false};

/// A chunk of the edit may be a copy of raw rows from `row` on.
struct Candidate {
  std::int64_t row = 0;
  float score = 0.0F;  ///< normalised correlation of the features
};

/// Candidates of chunks that start at edit rows first, first + hop, ...
struct Candidates {
  ChunkShape shape = kCoarse;
  std::int64_t first = 0;
  std::vector<std::vector<Candidate>> chunks;
};

/// For every chunk of edit rows [first, last) its best places in the whole raw, by correlation of
/// the chunk and, with long_scales, by the mean over 1.2 and 4.5 s of following chunks.
/// `per_scale` of each; near duplicates removed. Blocked matrix products; memory is linear in the
/// lengths.
Candidates find_candidates(const Bands& raw, const Bands& edit, const ChunkShape& shape,
                           std::int64_t first, std::int64_t last, int per_scale,
                           const Context& context);

/// A chunk of the edit that matches the raw's waveform.
struct Match {
  std::int64_t row = 0;      ///< first edit row of the chunk
  std::int64_t rows = 0;     ///< of the chunk
  float correlation = 0.0F;  ///< normalised, 0..1
  double offset = 0.0;       ///< raw position less edit position, samples at kRate
};

/// Waveform correlation of every candidate, over all lags that the feature rows leave open; keeps
/// those of at least `least`. Inputs are whitened.
std::vector<Match> match_waveforms(const Samples& raw, const Samples& edit,
                                   const Candidates& candidates, float least,
                                   const Context& context);

}  // namespace retake::xcorr

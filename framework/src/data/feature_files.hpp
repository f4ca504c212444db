#pragma once
// Feature tables as NumPy files, in the layout that `retake features -o` writes and that existing
// caches of mel spectra have.

#include <filesystem>

#include "retake/audio/feature_table.hpp"

namespace retake::data {

/// Writes one float32 array (width, rows) per block under the block's name, and `times` (rows),
/// float64 seconds. Atomic; the same table gives the same bytes. Throws DataError.
void write_features_npz(const std::filesystem::path& path, const FeatureTable& table);

/// Reads `mel`, (n_mels, rows) float32 scaled to 0..1 (as (dB + 80) / 80), on the grid of 256
/// samples at 22,050 Hz, or on the one that a `times` array beside it tells. The spec says that it
/// was imported, so that it never mixes with computed tables. Throws DataError (E440 to E442, E444
/// for an array of another layout).
FeatureTable read_mel_npz(const std::filesystem::path& path);

}  // namespace retake::data

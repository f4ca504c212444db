#pragma once
// What an edit file suffers on purpose: equaliser, noise, level, rate, codec.

#include <filesystem>
#include <string>

#include "retake/data/pair_writer.hpp"

namespace retake {

/// The extension that a damaged edit gets: ".ogg", ".mp3", ".wav" or ".flac".
std::string damaged_extension(const EditDamage& damage, const std::string& container);

/// Throws DataError when libsndfile cannot write the codec, or not at this rate.
void check_codec(const EditDamage& damage, double sample_rate, int channels);

/// Reads the audio at `from`, damages it and writes it to `to`, in blocks. Lossless results are
/// PCM 16.
void write_damaged(const std::filesystem::path& from, const std::filesystem::path& to,
                   const EditDamage& damage, const std::string& container);

}  // namespace retake

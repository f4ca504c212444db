#pragma once
// The identity of a recording: what it sounds like, not how it is stored.

#include <string>

#include "retake/audio/source.hpp"

namespace retake {

/// SHA-256 (hex) of the interleaved little-endian float32 that libsndfile decodes. Streamed.
/// Throws DataError as reading does.
std::string sha256_pcm(AudioSource& source);
std::string sha256_pcm(const std::string& path);

}  // namespace retake

#pragma once
// What is recorded between takes: talk, silence, tuning, count-ins, noodling.

#include <cstdint>
#include <string>

#include "retake/audio/buffer.hpp"
#include "tracks.hpp"

namespace retake::synthetic {

/// A stretch of `n` samples of this kind (talk, silence, tuning, count_in, noodling) in the song's
/// rate and channels. All but silence are as loud as `level` (RMS where something sounds); the
/// same seed gives the same sound.
AudioBuffer render_junk(const std::string& kind, std::uint64_t seed, std::int64_t n, double level,
                        const Music& music);

/// Scales to an RMS of `level` over the blocks of 50 ms that sound (within 30 dB of the loudest).
void set_level(AudioBuffer& audio, double level);

}  // namespace retake::synthetic

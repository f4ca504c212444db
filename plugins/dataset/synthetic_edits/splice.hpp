#pragma once
// How two stretches of a recording meet. All kinds work in a window around the boundary, so that
// nothing moves: the boundary stays at its sample whatever the kind.

#include <cstdint>
#include <string>
#include <vector>

#include "retake/audio/buffer.hpp"
#include "retake/rng.hpp"

namespace retake::synthetic {

/// A splice with its random choices made.
struct Splice {
  std::string kind = "butt";
  std::int64_t half = 0;   ///< the window is [boundary - half, boundary + half)
  std::int64_t pause = 0;  ///< of "pause": samples of room noise in the middle of the window
  std::uint64_t seed = 0;  ///< of the sound that "thump" adds
};

/// butt: nothing; short: crossfade of 6 to 40 ms; long: of 120 to 500 ms; pause: fade out, room
/// noise of 0.1 to 0.4 s, fade in; dip: fades out and in without a pause; thump: a blow on the
/// microphone over a short crossfade.
const std::vector<std::string>& splice_kinds();

/// A random splice of this kind whose half window is at most `room` samples.
Splice random_splice(const std::string& kind, double sample_rate, std::int64_t room, Rng& rng);

/// `left` and `right` both cover the window; the result is written to `left`. `level` is the RMS of
/// the music, which a thump is measured by.
void apply_splice(const Splice& splice, double level, AudioBuffer& left, const AudioBuffer& right);

}  // namespace retake::synthetic

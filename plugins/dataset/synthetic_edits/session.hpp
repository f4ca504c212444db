#pragma once
// A planned session becomes sound, piece by piece: memory holds the song and one piece.

#include <functional>
#include <span>

#include "plan.hpp"

namespace retake::synthetic {

/// Takes samples in order, one span per channel.
using Sink = std::function<void(std::span<const std::span<const float>>)>;

/// Renders the raw recording of `plan` into `sink`: pieces with their equaliser and gain, spliced,
/// over the noise of the room. `noise_seed` draws the room.
void perform(const Plan& plan, const Params& params, const Music& music, std::uint64_t noise_seed,
             const Sink& sink);

}  // namespace retake::synthetic

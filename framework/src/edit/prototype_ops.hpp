#pragma once
// The dialect `prototype` of edit operations: zones of frames around jumps instead of the EDL's own
// fades. For exchange with data made by that rule, and for comparison.

#include <cstdint>
#include <span>
#include <vector>

#include "retake/edit/edl.hpp"

namespace retake::edit {

/// Per frame, with step d = ptr[t] - ptr[t-1]: d < -10 is LOOP_END, and LOOP_START is put on the
/// first frame before it that points within 9 frames of the same place (if that one is COPY);
/// d > 50 is SKIP. Up to 10 COPY frames before a SKIP or LOOP_END become FADE_OUT, up to 10 behind
/// one or a LOOP_START become FADE_IN. The last frame is STOP. Frames without source (-1) count as
/// pointers, as they did there. Linear time.
std::vector<Op> prototype_ops(std::span<const std::int64_t> pointers);

}  // namespace retake::edit

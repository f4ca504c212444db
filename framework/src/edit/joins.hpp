#pragma once
// Where joins lie, and how curves run.

#include <cstdint>
#include <vector>

#include "retake/edit/edl.hpp"

namespace retake::edit {

/// The crossfade at the boundary behind a segment: from `before` samples ahead of it to `after`
/// behind it, in edit samples.
struct JoinWindow {
  std::int64_t before = 0;
  std::int64_t after = 0;
  std::int64_t samples() const { return before + after; }
};

/// One window per segment (the last one's is empty). A join of n samples reaches floor(n / 2)
/// samples into its own segment and the rest into the next, but never beyond the middle of either,
/// so that no more than two segments sound at once.
std::vector<JoinWindow> join_windows(const Edl& edl);

/// The level at which material comes in, `x` from 0 to 1: 0 at 0, 1 at 1. The level at which it
/// goes out is rise(curve, 1 - x). linear: x; equal_gain: sin^2(x pi / 2) (the two sides of a join
/// sum to 1, as the linear ones do); equal_power: sin(x pi / 2) (their squares do); exponential:
/// from -60 dB, straight in dB.
double rise(Curve curve, double x);

/// Gain of a segment at one of its output samples, dB: the curve's points joined by straight lines,
/// level beyond its ends.
double gain_db_at(const Segment& segment, double output_sample);

}  // namespace retake::edit

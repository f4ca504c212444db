#pragma once
// One segment's samples at its own output positions, with its gain and fades, as doubles; and the
// level of a join's sides.

#include <cstdint>
#include <vector>

#include "audio/pcm_file.hpp"
#include "edit/joins.hpp"
#include "retake/edit/edl.hpp"

namespace retake::edit {

/// A part of a segment with one way of being played.
struct Stretch {
  std::int64_t begin =
      0;  ///< output samples from the segment's start; may be outside of it in joins
  std::int64_t end = 0;
  bool unity = false;  ///< samples pass unchanged
};

/// The stretches of [from, to) of a segment: unity, or with gain or fades.
std::vector<Stretch> stretches(const Segment& segment, std::int64_t from, std::int64_t to);

/// Raw position of the block that sounds at [begin, begin + n) of the segment (rate 1).
std::int64_t raw_begin(const Segment& segment, std::int64_t begin, std::int64_t n);

/// Reads [begin, begin + n) of the segment, interleaved, with gain and fades.
void play(const Segment& segment, audio::PcmReader& reader, std::int64_t begin, std::int64_t n,
          std::vector<double>& out);

/// The fade of one side of a join: level at the k-th sample of the window.
struct JoinSide {
  std::int64_t first = 0;   ///< first sample of the window that has material
  std::int64_t length = 0;  ///< how many have
  bool out = false;         ///< the side that goes
  Curve curve = Curve::equal_power;

  double level(std::int64_t k) const;
};

/// The side of `window` that goes (the segment before the boundary).
JoinSide leaving_side(const Segment& a, std::int64_t source_samples, const JoinWindow& window,
                      Curve curve);
/// The side that comes (the segment behind it).
JoinSide entering_side(const Segment& b, std::int64_t source_samples, const JoinWindow& window,
                       Curve curve);

}  // namespace retake::edit

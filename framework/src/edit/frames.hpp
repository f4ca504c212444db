#pragma once
// Frames of a uniform grid against samples, in exact integer arithmetic: at 48 kHz a hop is
// 557.278911... samples, and a rounding that drifts would point at the wrong frame after an hour.

#include <cstdint>

#include "retake/audio/time_grid.hpp"
#include "retake/edit/edl.hpp"

namespace retake::edit {

__extension__ using Wide = __int128;

/// floor(a / b) for b > 0.
Wide floor_div(Wide a, Wide b);

/// Conversions between one grid and samples at one rate. Frame t is centred on t * hop() samples.
class FrameMath {
 public:
  /// Throws DataError for a grid of beats, a rate that is not a positive whole number, or a hop of
  /// less than two samples.
  FrameMath(const TimeGrid& grid, double sample_rate);

  /// Smallest t whose centre is at or after `sample`.
  std::int64_t first_at_or_after(std::int64_t sample) const;
  /// Largest sample at or before the centre of frame t.
  std::int64_t centre_floor(std::int64_t t) const;
  /// The number of hops nearest to `samples`, halves up.
  std::int64_t to_frames(std::int64_t samples) const;
  /// Rows of a recording of `samples` on this grid.
  std::int64_t rows(std::int64_t samples) const;
  /// Samples per frame.
  double hop() const { return static_cast<double>(numerator_) / static_cast<double>(rate_); }
  std::int64_t sample_rate() const { return sample_rate_; }

 private:
  std::int64_t grid_hop_;
  std::int64_t rate_;
  std::int64_t sample_rate_;
  Wide numerator_;  ///< hop in samples is numerator_ / rate_
};

/// The rate of the EDL: that of its first source. Throws DataError when it is not stated.
double edl_rate(const Edl& edl);

}  // namespace retake::edit

#pragma once
// What an aligner finds.

#include <vector>

#include "retake/edit/edl.hpp"

namespace retake {

/// An edit explained as copied runs of a raw recording. Curves have one value per edit frame of the
/// standard grid.
struct Alignment {
  Edl edl;                        ///< one source: the raw recording; inserted material is a gap
  TimeGrid grid;                  ///< edit frames
  std::vector<float> confidence;  ///< 0..1; 0 where there is no source
  std::vector<float> gain_db;     ///< edit level over raw level; 0 where there is no source
};

}  // namespace retake

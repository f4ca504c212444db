#pragma once
// How near a found edit comes to the true one, on the raw's timeline.

#include <cstdint>

#include "retake/edit/edl.hpp"

namespace retake {

/// What was found, what there was, and how many of them are one to one within the tolerance.
struct MatchCount {
  std::int64_t matched = 0;
  std::int64_t found = 0;
  std::int64_t truth = 0;

  MatchCount& operator+=(const MatchCount& other);
  /// 0 when nothing was found; 1 when neither side has any.
  double precision() const;
  double recall() const;
  /// 2 matched / (found + truth); 1 when neither side has any.
  double f1() const;
};

/// Edit points are the places on the raw axis where the edit enters (leaves) it, kinds kept apart;
/// those within 50 ms of the recording's start and end do not count. Jumps are pairs (leave,
/// enter) of consecutive runs, both within the tolerance. Runs that go on where the last one
/// stopped are one.
struct EditComparison {
  MatchCount points;          ///< at the tolerance
  MatchCount jumps;           ///< all, at the tolerance
  MatchCount forward_jumps;   ///< enter > leave
  MatchCount backward_jumps;  ///< enter < leave
  double kept_iou = 0.0;  ///< intersection over union of the used raw time; 1 when both are empty
  double length_error = 0.0;  ///< |length - true length| / true length
  double keep_ratio = 0.0;    ///< used raw time of the found edit over the recording
};

/// Compares two edits of one recording of `raw_samples` at `raw_rate`. The EDLs' first sources give
/// their rates where stated (else `raw_rate`); they may differ.
EditComparison compare_edits(const Edl& found, const Edl& truth, std::int64_t raw_samples,
                             double raw_rate, double tolerance_seconds = 0.5);

}  // namespace retake

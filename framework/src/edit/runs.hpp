#pragma once
// Copied runs: what is left of an EDL when segments that go on where the last one stopped are seen
// as one, whatever their gain or effects. Cuts, jumps and operations are about these.

#include <cstdint>
#include <vector>

#include "retake/edit/edl.hpp"

namespace retake::edit {

/// How a run is reached from the one before it. `on`: it goes on where the last one stopped, behind
/// a gap.
enum class Move { first, on, forward, backward };

struct Run {
  std::size_t first_segment = 0;
  std::size_t last_segment = 0;  ///< included
  int source = 0;
  std::int64_t out_begin = 0;  ///< edit samples
  std::int64_t out_end = 0;
  std::int64_t enter = 0;  ///< raw position where the run begins to play
  std::int64_t leave = 0;  ///< raw position where it stops; below `enter` when reversed
  bool reverse = false;
  bool after_gap = false;  ///< a gap lies between this run and the one before
  Move move = Move::first;
  bool uses_again = false;  ///< at least a quarter of a frame of its material was used before
};

/// Runs in output order; gaps are left out. A step of less than half a frame of the standard grid
/// (hop 256 at 22,050 Hz) is no jump: aligned runs meet to within some samples. A gap ends a run.
/// Recordings count as lying one after another: a later source is forward.
std::vector<Run> copied_runs(const Edl& edl);

/// The raw ranges of `source` that the EDL uses, joined and ascending, half open.
std::vector<std::pair<std::int64_t, std::int64_t>> used_ranges(const Edl& edl, int source = 0);

}  // namespace retake::edit

#pragma once
// The best path of copied runs through a recording: a Viterbi search over {go on, jump, stop}.

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace pointer_decode {

/// Where a copy may leave the raw. Scores are log probabilities (plus whatever is added to them).
struct Leave {
  std::int64_t frame = 0;  ///< the first raw frame that is not copied any more
  double stop = -std::numeric_limits<double>::infinity();  ///< of ending the edit here
  std::vector<std::pair<std::int64_t, double>> jumps;      ///< (raw frame to copy next, score)
};

struct Lattice {
  std::int64_t frames = 0;     ///< of the recording
  std::vector<double> copied;  ///< [frames + 1]: sum of the scores of copying frames 0 .. f - 1
  std::vector<Leave> leaves;   ///< ascending in frame; may repeat a frame
};

struct SearchLimits {
  std::int64_t min_run = 1;       ///< frames of a copied run
  std::int64_t max_backward = 4;  ///< backward jumps; bounds loops
  double backward_cost = 0.0;     ///< subtracted from the score of each
  double price = 0.0;             ///< subtracted per copied frame
};

/// Half-open raw ranges in the order of the edit.
using Runs = std::vector<std::pair<std::int64_t, std::int64_t>>;

/// The runs of the best path from before the first output frame to a stop. A path starts by copying
/// frame 0 or by a jump of the leaves at frame 0; the recording's end is always a place to stop.
/// Exact for forward jumps; backward jumps are allowed up to max_backward. Never empty unless the
/// recording is. O((leaves + jumps) * (max_backward + 1)).
Runs best_runs(const Lattice& lattice, const SearchLimits& limits);

/// As best_runs at the price at which the length comes nearest to `target` frames.
Runs runs_of_length(const Lattice& lattice, SearchLimits limits, std::int64_t target);

std::int64_t copied_frames(const Runs& runs);

}  // namespace pointer_decode

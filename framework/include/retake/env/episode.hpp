#pragma once
// The state of an editing environment: an EDL under construction over the beats (or frames) of one
// recording. It is (pair, seed, actions so far), so it can be replayed. Torch-free.

#include <cstdint>
#include <vector>

#include "retake/edit/edl.hpp"

namespace retake {

/// One recording prepared for episodes; shared by all environments that play it.
struct EpisodeTask {
  EdlSource source;
  std::vector<std::int64_t> boundaries;  ///< unit edges in source samples, N + 1 of them, ascending
  std::vector<float> features;           ///< row-major [N, feature_width]
  std::int64_t feature_width = 0;
  Edl truth;                             ///< the human edit; empty segments when unknown
  std::vector<std::uint8_t> truth_kept;  ///< per unit, 1 when the truth keeps most of it
  std::int64_t target_samples = 0;       ///< wanted length of the edit

  std::int64_t units() const { return static_cast<std::int64_t>(boundaries.size()) - 1; }
};

/// Mutable state of one episode. O(1) per action apart from what the action appends.
struct Episode {
  const EpisodeTask* task = nullptr;
  std::uint64_t seed = 0;
  std::int64_t cursor = 0;                         ///< next unit to decide on
  std::vector<Segment> segments;                   ///< the EDL so far
  std::int64_t output_samples = 0;                 ///< its length
  std::vector<std::vector<std::int32_t>> actions;  ///< so far, one index per head

  bool done() const { return task == nullptr || cursor >= task->units(); }
};

}  // namespace retake

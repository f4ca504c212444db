#pragma once
// Playing one recording: an agent decides unit by unit, the action space turns decisions into an
// EDL, rewards judge it. Torch-free.

#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "retake/env/episode.hpp"
#include "retake/kinds/action_space.hpp"
#include "retake/kinds/reward.hpp"

namespace retake {

/// Scalars at the end of an observation: share of the recording passed, output so far over the
/// wanted length, wanted length over the recording's, and whether the last unit was used.
inline constexpr std::int64_t kObservationScalars = 4;

/// Values of an observation of `context` units to each side: (2 * context + 1) * feature_width
/// features, zeros beyond the ends, then the scalars.
std::int64_t observation_width(const EpisodeTask& task, std::int64_t context);
/// Writes the observation of the unit at the cursor. `out` holds observation_width values.
void observe(const Episode& episode, std::int64_t context, std::span<float> out);

/// Cuts a recording into units of `unit_seconds` (the last one shorter) and pools feature rows into
/// their means. `rows` is row-major [n, width] on `grid`; the target is `target_share` of the
/// whole.
EpisodeTask make_task(const EdlSource& source, const TimeGrid& grid, std::span<const float> rows,
                      std::int64_t width, double unit_seconds, double target_share);

/// One episode at a time. Not thread-safe; several environments may share task, space and rewards.
class EditingEnvironment {
 public:
  /// Pairs of weight and reward; all outlive the environment.
  EditingEnvironment(const ActionSpace& space,
                     std::vector<std::pair<double, const Reward*>> rewards);

  void reset(const EpisodeTask& task, std::uint64_t seed);
  const Episode& episode() const { return episode_; }
  bool done() const { return episode_.done(); }
  /// Applies a complete action and returns its reward, terminal rewards with the last action.
  /// Throws std::logic_error when the episode is over or the action is masked.
  double step(std::span<const std::int32_t> action);
  /// The edit so far.
  Edl edl() const;

 private:
  void check(std::span<const std::int32_t> action) const;

  const ActionSpace& space_;
  std::vector<std::pair<double, const Reward*>> rewards_;
  std::vector<ActionHead> heads_;
  Episode episode_;
};

}  // namespace retake

#pragma once
// Kind `reward`: scores an edit under construction. Torch-free.

#include "retake/component.hpp"
#include "retake/context.hpp"
#include "retake/env/episode.hpp"

namespace retake {

/// Rewards have a declared range and are paid per step or at the end; the environment sums them by
/// weight. Implementations are pure functions of the episode, so that an episode can be replayed.
class Reward : public Component {
 public:
  static constexpr const char* kind = "reward";
  ~Reward() override;

  enum class When { step, terminal };
  virtual When when() const = 0;
  /// Bounds of what `score` returns, before the weight.
  virtual std::pair<double, double> range() const = 0;
  /// For `step`: the contribution of the newest action. For `terminal`: that of the whole episode.
  virtual double score(const Episode& episode) const = 0;
};

}  // namespace retake

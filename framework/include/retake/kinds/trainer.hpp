#pragma once
// Kind `trainer`: what differs between paradigms. The one training loop is the engine's
// (libretake_nn): optimisers, accumulation, autocast, clipping, schedules, validation times,
// checkpoints, resume, preemption, metrics.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "retake/audio/feature_table.hpp"
#include "retake/component.hpp"
#include "retake/context.hpp"

namespace retake {

class ActionSpace;  // retake/kinds/action_space.hpp
class Corpus;       // retake/data/corpus.hpp
class Editor;       // retake/kinds/editor.hpp
class Loss;         // retake/kinds/loss.hpp
class Model;        // retake/kinds/model.hpp
class Reward;       // retake/kinds/reward.hpp
class StepResult;   // retake/nn/step.hpp: loss terms as tensors, metrics, "stop this iteration"
class TensorMap;    // retake/nn/tensor_map.hpp

/// A weighted loss of the experiment: `[loss.NAME]`.
struct WeightedLoss {
  std::string name;
  double weight = 1.0;
  Loss* loss = nullptr;
};
/// A weighted reward of the experiment: `[reward.NAME]`.
struct WeightedReward {
  std::string name;
  double weight = 1.0;
  Reward* reward = nullptr;
};

/// Everything the experiment wired, owned by the run. Null or empty where a table is absent.
struct TrainerSetup {
  Model* model = nullptr;
  Editor* editor = nullptr;
  ActionSpace* action_space = nullptr;
  std::vector<WeightedLoss> losses;
  std::vector<WeightedReward> rewards;
  const Corpus* corpus = nullptr;  ///< pairs with features and alignments, by split
  int batch = 1;                   ///< `train.batch`
  Context* context = nullptr;
};

/// Where the run stands. A step is one optimiser update.
struct StepPosition {
  std::string phase;
  std::int64_t step = 0;       ///< updates done before this one
  std::int64_t micro = 0;      ///< 0 .. accumulate - 1
  std::int64_t iteration = 0;  ///< of begin_iteration
};

/// A stage of training; the engine runs them in order. 0 steps: until `train.max_steps`.
struct TrainerPhase {
  std::string name;
  std::int64_t max_steps = 0;
  std::vector<std::string> optimizers;  ///< which `[optimizer.*]` step in it; empty: all
};

/// Named numbers of a validation; names as declared in traits().metrics.
using Metrics = std::map<std::string, double>;

class Trainer : public Component {
 public:
  static constexpr const char* kind = "trainer";
  ~Trainer() override;

  virtual std::vector<TrainerPhase> phases() const { return {{"train", 0, {}}}; }
  /// Called once after the model was built and before anything else. Throws ConfigError or
  /// DataError when the wiring cannot train.
  virtual void set_up(const TrainerSetup& setup) = 0;
  /// Start of an iteration: nothing, or collect rollouts. An iteration ends when `iteration_steps`
  /// updates were made or a step asked to stop it.
  virtual void begin_iteration(const StepPosition&) {}
  virtual std::int64_t iteration_steps() const { return 1; }
  /// The batch of this position. For data that is a pure function of (seed, position), which makes
  /// resume exact and prefetching safe; trainers with rollouts keep them in save()/load().
  virtual TensorMap next_batch(const StepPosition& position) = 0;
  /// Forward pass and losses; the engine runs backward on the weighted sum of the terms.
  virtual StepResult step(const StepPosition& position, const TensorMap& batch) = 0;
  /// Free-running evaluation on the validation split, the model in evaluation mode.
  virtual Metrics validate(const StepPosition& position) = 0;
  /// State beyond the position (rollouts, running normalisers), as tensors and values.
  virtual void save(TensorMap& tensors, Table& values) const;
  virtual void load(const TensorMap& tensors, const Table& values);
  /// Further axes of progress: env_steps, epochs, audio_seconds.
  virtual Metrics progress(const StepPosition&) const { return {}; }
};

}  // namespace retake

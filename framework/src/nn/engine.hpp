#pragma once
// The one training loop.

#include <chrono>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "nn/parameters.hpp"
#include "nn/tensor_io.hpp"
#include "nn/training.hpp"
#include "retake/kinds/lr_schedule.hpp"
#include "retake/kinds/trainer.hpp"
#include "retake/nn/step.hpp"
#include "run/checkpoint.hpp"

namespace retake::nn {

/// The wired components; owned by the caller, who keeps them alive.
struct EngineParts {
  Model* model = nullptr;
  Trainer* trainer = nullptr;
  std::vector<NamedOptimizer> optimizers;
  LrSchedule* schedule = nullptr;  ///< null: constant
  Context* context = nullptr;
  std::string device = "cpu";
  std::map<std::string, const Component*> losses{};  ///< by the name of their term
};

/// Why a loss is not finite, as far as it can be told, and what to do.
struct DivergenceCause {
  std::string fact;
  std::string help = "lower optimizer.lr, or clip harder with train.clip_norm";
};

/// Runs the trainer's phases to their ends. A step is one optimiser update, made of `accumulate`
/// micro-steps; LibTorch's generator is seeded by name before each, so that what a step computes
/// depends on its position alone. A run stopped after any checkpoint and restored from it goes on
/// bit for bit as the uninterrupted one would (CPU, same threads). One thread.
class Engine {
 public:
  /// `describe` is what retake.json holds in every checkpoint.
  Engine(EngineParts parts, EngineSettings settings, EngineSinks sinks,
         run::CheckpointStore& checkpoints, Value describe);

  /// Puts model, optimizers, averages, trainer and position where the checkpoint has them.
  void restore(const run::Checkpoint& checkpoint);
  /// Throws DivergedError when a loss or gradient is not finite (the last checkpoint is kept as it
  /// is), and whatever a component throws.
  TrainingOutcome run();
  /// Of a checkpoint's tensors, as things stand.
  std::int64_t checkpoint_bytes() const;
  /// A few steps with nothing logged or saved: does it work, how long does it take, what does each
  /// loss weigh, which parameters learn. Leaves the model changed.
  ProbeReport probe(const ProbeRequest& request);
  /// Raises the learning rate of all optimizers from `low` to `high` geometrically over `steps`
  /// updates (Smith, "Cyclical Learning Rates for Training Neural Networks", 2017, range test).
  /// Ends early when the loss is not finite or four times the least so far.
  std::vector<LearningRatePoint> find_learning_rate(double low, double high, int steps);

 private:
  /// Times a stretch for the profile; costs nothing without one.
  class Timed {
   public:
    Timed(const Engine& engine, const char* name);
    ~Timed();
    Timed(const Timed&) = delete;
    Timed& operator=(const Timed&) = delete;

   private:
    const Engine& engine_;
    ProfileSpan span_;
  };

  struct Position {
    std::size_t phase = 0;
    std::int64_t step = 0;        ///< updates done
    std::int64_t phase_step = 0;  ///< of them in this phase
    std::int64_t iteration = 0;   ///< iterations begun
    std::int64_t iteration_left = 0;
    bool validated = true;  ///< whether the validation due at `step` was done
    int without_gain = 0;   ///< validations since the best one
    bool stopped_early = false;
  };

  /// What a checkpoint holds of the tensors.
  struct State {
    TensorBytes model;
    TensorBytes optim;
    Table trainer;
  };

  StepPosition at(std::int64_t micro) const;
  State state() const;
  std::vector<LossShare> loss_shares();
  Metrics train_step();
  void micro_step(std::int64_t micro, Metrics& sums, bool& stop_iteration);
  [[noreturn]] void diverged(const std::string& what, double value,
                             const DivergenceCause& cause) const;
  void require_number(const LossTerm& term) const;
  std::string library_of_term(const std::string& name) const;
  std::string whose_fault(const StepResult& result) const;
  DivergenceCause what_went_in(const TensorMap& batch) const;
  /// What the schedule makes of every learning rate at this step.
  double rate_factor() const;
  double apply_update(double rate_factor);
  bool validation_due() const;
  /// False when it was interrupted and its figures were discarded.
  bool validate();
  void judge(const Metrics& metrics);
  void record(const Metrics& metrics);
  void trace();
  void save();
  std::int64_t axis_value() const;
  bool at_limit() const;
  bool next_phase();
  double seconds() const;
  std::optional<TrainingEnd> reason_to_end();

  EngineParts parts_;
  EngineSettings settings_;
  EngineSinks sinks_;
  run::CheckpointStore& checkpoints_;
  Value describe_;
  AveragedWeights average_;
  std::vector<TrainerPhase> phases_;
  Position position_;
  std::int64_t axis_before_ = 0;  ///< axis value before the newest step
  std::optional<run::BestMark> best_;
  Metrics last_validation_;
  bool said_not_finite_ = false;         ///< of train.metric
  bool saved_ = false;                   ///< there is a checkpoint to go back to
  std::optional<double> forced_rate_;    ///< of find_learning_rate
  bool same_batch_ = false;              ///< of probe
  std::function<void()> before_update_;  ///< of probe: the gradients are there
  std::chrono::steady_clock::time_point started_;
};

}  // namespace retake::nn

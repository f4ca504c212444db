#pragma once
// What the training engine is told and what it tells. Torch-free.

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "retake/kinds/trainer.hpp"
#include "retake/value.hpp"
#include "run/checkpoint.hpp"

namespace retake::nn {

/// `[train]` and what of `[run]` concerns the loop, resolved.
struct EngineSettings {
  int accumulate = 1;
  double clip_norm = 1.0;
  std::string precision = "auto";
  std::int64_t max_steps = 0;  ///< in `unit`; 0: no limit
  double max_epochs = 0;       ///< 0: no limit
  double max_seconds = 0;      ///< of this attempt; 0: no limit
  std::string unit = "step";   ///< or "env_steps": of max_steps and val_every
  std::int64_t val_every = 0;  ///< 0: only at the end
  std::string metric;          ///< what `best` is judged by; empty: nothing is
  std::string goal = "max";
  int early_stop = 0;  ///< validations without improvement; 0: off
  double ema = 0.0;
  run::KeepPolicy keep;
  std::int64_t trace_every = 100;  ///< 0: no trace
};

/// A stretch of the loop, for `retake run --profile`. Microseconds since the loop began.
struct ProfileSpan {
  const char* name = "";  ///< step, iteration, data, forward, backward, optimiser, validate,
                          ///< checkpoint, log
  double begin_us = 0;
  double end_us = 0;
};

/// Where results go. Each may be empty. Called from the training thread.
struct EngineSinks {
  std::function<void(std::int64_t step, const Metrics&)> metrics;
  std::function<void(std::int64_t step, const Table& hashes)> trace;
  /// Called before a checkpoint is published: everything logged so far reaches the disk.
  std::function<void()> sync;
  /// Live state for the progress line.
  std::function<void(std::int64_t step, const Metrics& newest,
                     const std::optional<run::BestMark>& best)>
      progress;
  /// Every stretch as it ends, inner ones before those around them. Empty: nothing is timed.
  std::function<void(const ProfileSpan&)> span;
};

/// How a run ended.
enum class TrainingEnd { finished, early_stopped, stopped_by_signal, time_limit };

/// One term of the loss on a batch.
struct LossShare {
  std::string name;
  double weight = 1.0;
  double value = 0;          ///< before the weight
  double gradient_norm = 0;  ///< of weight * value, over all parameters
};

/// What one batch says of a model: `retake check --build`, `run --dry-run` and `doctor`.
struct ProbeReport {
  Metrics metrics;              ///< of the last step
  Metrics validation;           ///< empty when it was not asked for
  std::int64_t parameters = 0;  ///< trainable values
  std::int64_t checkpoint_bytes = 0;
  double step_seconds = 0;  ///< median of the steps after the first
  double validation_seconds = 0;
  std::vector<LossShare> losses;              ///< of the first batch
  std::vector<double> loss_curve;             ///< weighted sum at each step
  std::vector<std::string> without_gradient;  ///< parameters that no step gave any gradient
  std::vector<std::string> not_finite;        ///< parameters with NaN or infinity in a gradient
};

/// What a probe does.
struct ProbeRequest {
  int steps = 1;            ///< updates; >= 1
  bool same_batch = false;  ///< the batch of position 0 again and again: over-fitting
  bool validate = false;    ///< once, behind the steps
  double max_seconds = 0;   ///< begins no further step behind this; 0: no limit
};

/// A point of `retake lr-find`.
struct LearningRatePoint {
  double learning_rate = 0;
  double loss = 0;
};

struct TrainingOutcome {
  TrainingEnd end = TrainingEnd::finished;
  std::int64_t step = 0;
  std::optional<run::BestMark> best;
  Metrics last_validation;
};

}  // namespace retake::nn

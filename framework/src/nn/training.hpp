#pragma once
// What the training engine is told and what it tells. Torch-free.

#include <functional>
#include <map>
#include <optional>
#include <string>

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
};

/// How a run ended.
enum class TrainingEnd { finished, early_stopped, stopped_by_signal, time_limit };

struct TrainingOutcome {
  TrainingEnd end = TrainingEnd::finished;
  std::int64_t step = 0;
  std::optional<run::BestMark> best;
  Metrics last_validation;
};

}  // namespace retake::nn

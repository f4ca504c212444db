#pragma once
// A training as a run: folder, manifest, logs, checkpoints around the engine. Serves `run` and
// `resume`.

#include <optional>
#include <string>
#include <vector>

#include "command.hpp"
#include "config/experiment.hpp"
#include "nn/training.hpp"
#include "plugin/registry.hpp"
#include "run/run_folder.hpp"
#include "run/watch.hpp"

namespace retake::cli {

/// What a session starts from.
struct SessionStart {
  const Arguments* arguments = nullptr;
  config::ResolvedExperiment experiment;
  plugin::Registry* registry = nullptr;
  std::vector<std::string> command_line;
  bool archive = true;
  bool profile = false;  ///< --profile
  /// Set for `resume`: the run, and a checkpoint of it other than the latest.
  std::optional<run::RunFolder> resumed;
  std::optional<std::filesystem::path> checkpoint;
};

/// Trains to the end of the run. Returns the exit code of the contract: 0, 75, 124, 130; errors are
/// thrown after the manifest was sealed.
int train_session(SessionStart start);

/// `[train]` and `[run]` as the engine takes them.
nn::EngineSettings engine_settings(const config::ResolvedExperiment& experiment);

/// Every metric that the engine and the enabled components declare, and what of it is watched.
std::vector<MetricInfo> declared_metrics(const config::ResolvedExperiment& experiment);
run::Watch watch_of(const config::ResolvedExperiment& experiment);

}  // namespace retake::cli

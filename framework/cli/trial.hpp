#pragma once
// A few steps of an experiment outside a run: check --build, run --dry-run, lr-find, doctor.

#include <functional>
#include <optional>

#include "command.hpp"
#include "config/experiment.hpp"
#include "core/temp_folder.hpp"
#include "data/experiment_data.hpp"
#include "nn/room.hpp"
#include "run/progress.hpp"
#include "run/run_context.hpp"

namespace retake::cli {

/// Everything that steps need, made as a run would make it; no run folder, nothing saved. Opens the
/// nn room and takes the threads and the device of [run]. One per process.
class Trial {
 public:
  Trial(const Arguments& arguments, const config::ResolvedExperiment& experiment,
        plugin::Registry& registry);

  /// Pairs of noise of this length instead of the experiment's data.
  void use_noise(double seconds);
  /// The experiment's own data.
  void use_data();
  /// Weights, optimizer and position of this checkpoint of a run.
  void start_from(const std::filesystem::path& checkpoint) { checkpoint_ = checkpoint; }

  nn::ProbeReport probe(const nn::ProbeRequest& request);
  std::vector<nn::LearningRatePoint> find_learning_rate(double low, double high, int steps);
  const data::ExperimentData& data() const { return *data_; }
  run::RunContext& context() { return *context_; }
  plugin::Arena& arena() { return arena_; }

 private:
  nn::TrainJob job();

  const config::ResolvedExperiment& experiment_;
  plugin::Registry& registry_;
  nn::Room& room_;
  run::ProgressLine line_;
  std::optional<run::RunContext> context_;
  std::optional<TempFolder> folder_;
  plugin::Arena arena_;
  std::optional<data::ExperimentData> data_;
  std::optional<std::filesystem::path> checkpoint_;
};

/// What `probe` found, as the "build" of a command's JSON.
Table to_value(const nn::ProbeReport& report);
/// "built  1,234,567 parameters   loss 3.21   0.12 s a step   checkpoint 14.2 MB"
std::string probe_text(const nn::ProbeReport& report);

}  // namespace retake::cli

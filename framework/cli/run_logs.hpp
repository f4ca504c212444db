#pragma once
// What a training writes beside its checkpoints: metrics, trace, TensorBoard, live state.

#include <chrono>
#include <map>
#include <optional>

#include "config/experiment.hpp"
#include "nn/training.hpp"
#include "retake/exhibit.hpp"
#include "run/json_lines.hpp"
#include "run/progress.hpp"
#include "run/run_folder.hpp"
#include "run/tensorboard.hpp"
#include "run/watch.hpp"

namespace retake::cli {

class RunLogs {
 public:
  /// With `resumed_step`, lines beyond that step are cut off the logs.
  RunLogs(const run::RunFolder& folder, std::optional<std::int64_t> resumed_step,
          run::ProgressLine& line, std::int64_t total, run::Watch watch);

  /// The resolved file, and the settings in it as HParams.
  void write_config(const std::string& toml, const config::ResolvedExperiment& experiment);
  void metrics(std::int64_t step, const Metrics& values);
  void trace(std::int64_t step, const Table& record) { trace_.append(step, record); }
  void progress(std::int64_t step, const Metrics& newest, const std::optional<run::BestMark>& best);
  void sync();
  /// At the step of the newest metrics; one of a kind per tag and step, further ones are dropped.
  void show(const Exhibit& exhibit);
  /// The end of an attempt: the live state of its last step. A run that came to its end also says
  /// which metrics never arrived where they should, and TensorBoard learns how it ended.
  void finish(ExitCode code);
  /// The last step that was told.
  std::int64_t step() const { return step_; }

 private:
  void show_line();
  void write_state() const;
  /// False when the tag was shown at this step already.
  bool first_at_step(const std::string& tag);

  const run::RunFolder& folder_;
  run::JsonLines metrics_, trace_;
  run::TensorBoardWriter board_;
  run::ProgressLine& line_;
  std::int64_t total_, step_;
  std::map<std::string, std::int64_t> shown_;  ///< tag: newest step
  run::Watch watch_;
  std::chrono::steady_clock::time_point started_, last_shown_{}, last_state_{};
  double before_;
  double loss_ = 0;
  double rate_ = 0;  ///< steps a second, as shown last
  std::optional<run::BestMark> best_;
};

}  // namespace retake::cli

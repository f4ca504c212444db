#pragma once
// What a training writes beside its checkpoints: metrics, trace, TensorBoard, live state.

#include <chrono>
#include <optional>

#include "nn/training.hpp"
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

  void write_config(const std::string& toml);
  void metrics(std::int64_t step, const Metrics& values);
  void trace(std::int64_t step, const Table& record) { trace_.append(step, record); }
  void progress(std::int64_t step, const Metrics& newest, const std::optional<run::BestMark>& best);
  void sync();
  /// Writes the live state of the last step. While training it is written once a second.
  void finish() const { folder_.write_progress(live_); }
  /// The last step that was told.
  std::int64_t step() const { return step_; }

 private:
  const run::RunFolder& folder_;
  run::JsonLines metrics_, trace_;
  run::TensorBoardWriter board_;
  run::ProgressLine& line_;
  std::int64_t total_, step_;
  run::Watch watch_;
  std::chrono::steady_clock::time_point started_, last_state_{};
  double before_;
  double loss_ = 0;
  Table live_;
};

}  // namespace retake::cli

#include "run_logs.hpp"

#include "retake/log.hpp"

namespace retake::cli {

using Clock = std::chrono::steady_clock;

RunLogs::RunLogs(const run::RunFolder& folder, std::optional<std::int64_t> resumed_step,
                 run::ProgressLine& line, std::int64_t total, run::Watch watch)
    : folder_(folder),
      metrics_(folder.metrics(), resumed_step),
      trace_(folder.trace(), resumed_step),
      board_(folder.tensorboard()),
      line_(line),
      total_(total),
      step_(resumed_step.value_or(0)),
      watch_(std::move(watch)),
      started_(Clock::now()),
      before_(metrics_.last_time()) {
  live_["step"] = step_;
  live_["total"] = total_;
}

void RunLogs::write_config(const std::string& toml) {
  board_.text(0, "config", "```toml\n" + toml + "\n```");
}

void RunLogs::metrics(std::int64_t step, const Metrics& values) {
  Table record;
  record["t"] = before_ + std::chrono::duration<double>(Clock::now() - started_).count();
  std::vector<std::pair<std::string, double>> points;
  for (const auto& [name, value] : values) {
    record[name] = value;
    points.emplace_back(name, value);
    if (const auto warning = watch_.observe(name, value, step)) log_warning(*warning);
  }
  metrics_.append(step, record);
  board_.scalars(step, points);
}

void RunLogs::progress(std::int64_t step, const Metrics& newest,
                       const std::optional<run::BestMark>& best) {
  step_ = step;
  if (const auto it = newest.find("train/loss"); it != newest.end()) loss_ = it->second;
  run::ProgressState state;
  state.done = static_cast<double>(step);
  state.total = static_cast<double>(total_);
  state.unit = "it";
  state.details = "loss " + run::format_number(loss_);
  if (best) {
    state.details += "  " + best->metric + " " + run::format_number(best->value) + " (best, step " +
                     std::to_string(best->step) + ")";
  }
  line_.update(state);
  live_["step"] = step;
  live_["loss"] = loss_;
  live_["rate"] = line_.rate();
  if (best) {
    live_["best"] = best->value;
    live_["best_step"] = best->step;
    live_["metric"] = best->metric;
  }
  const auto now = Clock::now();
  if (now - last_state_ < std::chrono::seconds(1)) return;
  last_state_ = now;
  finish();
}

void RunLogs::sync() {
  metrics_.sync();
  trace_.sync();
  board_.flush();
}

}  // namespace retake::cli

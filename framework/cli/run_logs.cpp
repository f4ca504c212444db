#include "run_logs.hpp"

#include "config/path.hpp"
#include "report/canvas.hpp"
#include "retake/log.hpp"

namespace retake::cli {
namespace {

/// Every single value of the resolved experiment by its path, less what names and places a run.
void collect_settings(const Table& table, const std::string& path,
                      std::map<std::string, Value>& out) {
  for (const auto& [key, value] : table) {
    const std::string at = config::child_path(path, key);
    if (at == "run.dir" || at == "experiment.notes" || at == "experiment.name") continue;
    if (value.is_table()) {
      collect_settings(value.as_table(), at, out);
    } else if (!value.is_array()) {
      out[at] = value;
    }
  }
}

}  // namespace

using Clock = std::chrono::steady_clock;

constexpr auto kShowInterval = std::chrono::milliseconds(50);
// A rename over a file waits for the disk on ext4, a millisecond or two.
constexpr auto kStateInterval = std::chrono::seconds(5);
/// The second one comes sooner: a short run is looked at too.
constexpr auto kFirstInterval = std::chrono::seconds(1);

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
      before_(metrics_.last_time()) {}

void RunLogs::write_config(const std::string& toml, const config::ResolvedExperiment& experiment) {
  board_.text(0, "config", "```toml\n" + toml + "\n```");
  std::map<std::string, Value> settings;
  collect_settings(experiment.tree.as_table(), "", settings);
  board_.hparams(settings, folder_.id());
}

bool RunLogs::first_at_step(const std::string& tag) {
  const auto [it, fresh] = shown_.try_emplace(tag, step_);
  if (!fresh && it->second >= step_) return false;
  it->second = step_;
  return true;
}

void RunLogs::show(const Exhibit& e) {
  if (!first_at_step(std::to_string(e.content.index()) + e.tag)) return;
  if (const auto* text = std::get_if<std::string>(&e.content)) board_.text(step_, e.tag, *text);
  if (const auto* p = std::get_if<Picture>(&e.content)) {
    board_.image(step_, e.tag, p->width, p->height, report::png_bytes(p->width, p->height, p->rgb));
  }
  if (const auto* sound = std::get_if<Sound>(&e.content)) {
    board_.audio(step_, e.tag, *sound, e.tag);
  }
  if (const auto* decisions = std::get_if<Decisions>(&e.content)) {
    board_.decisions(step_, e.tag, *decisions);
  }
}

void RunLogs::metrics(std::int64_t step, const Metrics& values) {
  const std::chrono::duration<double> since = Clock::now() - started_;
  for (const auto& [name, value] : values) {
    if (const auto warning = watch_.observe(name, value, step)) log_warning(*warning);
  }
  metrics_.append(step, before_ + since.count(), values);
  board_.scalars(step, values);
}

void RunLogs::progress(std::int64_t step, const Metrics& newest,
                       const std::optional<run::BestMark>& best) {
  step_ = step;
  const auto loss = newest.find("train/loss");
  if (loss != newest.end()) loss_ = loss->second;
  if (best && (!best_ || best_->step != best->step)) best_ = best;
  const auto now = Clock::now();
  const bool at_end = total_ > 0 && step >= total_;
  if (at_end && loss != newest.end()) return;  // its validation comes next, and is shown
  if (now - last_shown_ < kShowInterval && !at_end) return;
  last_shown_ = now;
  show_line();
  const bool young = last_state_ - started_ < kFirstInterval;
  if (now - last_state_ < (young ? kFirstInterval : kStateInterval)) return;
  last_state_ = now;
  write_state();
}

void RunLogs::show_line() {
  run::ProgressState state;
  state.done = static_cast<double>(step_);
  state.total = static_cast<double>(total_);
  state.unit = "it";
  state.details = "loss " + run::format_number(loss_);
  if (best_) {
    state.details += "  " + best_->metric + " " + run::format_number(best_->value) +
                     " (best, step " + std::to_string(best_->step) + ")";
  }
  line_.update(state);
  if (line_.rate() > 0) rate_ = line_.rate();
}

void RunLogs::write_state() const {
  Table live;
  live["step"] = step_;
  live["total"] = total_;
  live["loss"] = loss_;
  live["rate"] = rate_;
  if (best_) {
    live["best"] = best_->value;
    live["best_step"] = best_->step;
    live["metric"] = best_->metric;
  }
  folder_.write_progress(live);
}

void RunLogs::finish(ExitCode code) {
  sync();
  write_state();
  const bool complete = code == ExitCode::ok;
  if (complete || code == ExitCode::diverged) board_.hparams_end(step_, complete);
  if (!complete) return;
  for (const std::string& warning : watch_.never_reached()) log_warning(warning);
}

void RunLogs::sync() {
  metrics_.sync();
  trace_.sync();
  board_.flush();
}

}  // namespace retake::cli

#pragma once
// The progress of long work: one line that rewrites itself on a terminal, plain lines elsewhere.
//
//   step  2500/20000 [===>                ] 12%  loss 0.412  val/edit_f1 0.641 (best)  38 it/s  eta
//   7m40

#include <chrono>
#include <cstdio>
#include <mutex>
#include <string>
#include <string_view>

namespace retake::run {

/// What the line shows.
struct ProgressState {
  std::string what = "step";
  double done = 0;
  double total = 0;     ///< 0: unknown; then no bar, no eta
  std::string details;  ///< "loss 0.412  val/edit_f1 0.641 (best, step 2500)"
  std::string unit;     ///< of the rate, "it"; empty: no rate
};

/// "45s", "7m40", "1h02m", "3d04h"; empty for negative or infinite times.
std::string format_duration(double seconds);
/// Three significant digits: "0.412", "38", "1.25e-05". NaN and infinity are named.
std::string format_number(double value);
/// The line without its end; rate in units per second (0: not known yet). `width` in columns cuts
/// the details, then the line; 0: no limit.
std::string format_progress(const ProgressState& state, double rate, std::size_t width);

/// Thread-safe. Clears itself before log lines, so that the two do not mix.
class ProgressLine {
 public:
  enum class Mode { off, lines, json, terminal };
  using Clock = std::chrono::steady_clock;

  /// Mode by what `out` is: a terminal or not; off when `quiet`. `json`: lines of
  /// {"progress": {"what", "done", "total", "unit", "rate", "details"}}.
  static Mode mode_of(std::FILE* out, bool quiet, bool json = false);
  explicit ProgressLine(Mode mode, std::FILE* out = stderr);
  /// Ends the line.
  ~ProgressLine();
  ProgressLine(const ProgressLine&) = delete;
  ProgressLine& operator=(const ProgressLine&) = delete;

  /// Shows the state if it is time: ten times a second on a terminal, every ten seconds elsewhere;
  /// `force` and the end of the work always.
  void update(const ProgressState& state, bool force = false, Clock::time_point now = Clock::now());
  /// Ends the line on a terminal, leaving it on the screen.
  void finish();
  /// Units per second, smoothed over about ten seconds; 0 while unknown.
  double rate() const;

 private:
  void measure(const ProgressState& state, Clock::time_point now);
  void show(const ProgressState& state);
  void clear();

  Mode mode_;
  std::FILE* out_;
  mutable std::mutex mutex_;
  bool shown_ = false;  ///< a line without an end is on the screen
  std::string what_;
  bool started_ = false;
  double last_done_ = 0;
  double rate_ = 0;
  Clock::time_point last_time_{};
  Clock::time_point last_shown_{};
};

}  // namespace retake::run

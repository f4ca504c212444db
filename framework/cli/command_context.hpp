#pragma once
// Services for components that a command uses outside a run.

#include <chrono>
#include <mutex>
#include <string>

#include "command.hpp"
#include "retake/context.hpp"

namespace retake::cli {

/// Seeds derive from `seed`; stop requests come from the signals; progress is one line with an ETA
/// on a terminal and nothing elsewhere (nor with --json or --quiet).
class CommandContext final : public Context {
 public:
  /// `threads` 0: all cores.
  CommandContext(const Globals& globals, int threads = 0, std::uint64_t seed = 0);
  ~CommandContext() override;

  std::uint64_t seed(std::string_view name, std::uint64_t index) const override;
  int threads() const override { return threads_; }
  std::string device() const override { return "cpu"; }
  std::filesystem::path run_dir() const override { return {}; }
  bool stop_requested() const override;
  void progress(std::string_view what, double done, double total) const override;

  /// What stands before a component's own words, "pair 3/20"; the ETA starts anew when it changes.
  void set_title(std::string title);
  /// Removes the line, so that other output may be written.
  void clear_line() const;

 private:
  int threads_;
  std::uint64_t seed_;
  bool shown_;
  std::string title_;
  mutable std::mutex mutex_;
  mutable std::string what_;
  mutable std::chrono::steady_clock::time_point began_;
  mutable std::chrono::steady_clock::time_point drawn_;
  mutable bool line_ = false;
};

/// The exit code of a command that a signal stopped: 130 for SIGINT, else 75.
int stopped_exit_code();

}  // namespace retake::cli

#include "command_context.hpp"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <thread>

#include "core/stop.hpp"
#include "retake/error.hpp"

namespace retake::cli {

namespace {
using Clock = std::chrono::steady_clock;
constexpr auto kRedraw = std::chrono::milliseconds(100);
}  // namespace

CommandContext::CommandContext(const Globals& globals, int threads, std::uint64_t seed)
    : threads_(threads > 0 ? threads
                           : std::max(1, static_cast<int>(std::thread::hardware_concurrency()))),
      seed_(seed),
      shown_(!globals.json && !globals.quiet && isatty(STDERR_FILENO) == 1),
      began_(Clock::now()) {}

CommandContext::~CommandContext() {
  clear_line();
}

std::uint64_t CommandContext::seed(std::string_view name, std::uint64_t index) const {
  return derive_seed(seed_, {name, index});
}

bool CommandContext::stop_requested() const {
  return retake::stop_requested();
}

void CommandContext::progress(std::string_view what, double done, double total) const {
  if (!shown_ || total <= 0.0) return;
  const std::scoped_lock lock(mutex_);
  const auto now = Clock::now();
  if (what_ != what) {
    what_ = what;
    began_ = now;
  } else if (now - drawn_ < kRedraw && done < total) {
    return;
  }
  drawn_ = now;
  const double share = std::clamp(done / total, 0.0, 1.0);
  constexpr int kWidth = 20;
  std::string bar(kWidth, ' ');
  std::fill_n(bar.begin(), static_cast<std::size_t>(share * kWidth), '=');
  std::string line = "\r\x1b[K" + title_ + (title_.empty() ? "" : "  ") + std::string(what);
  line += " [" + bar + "] " + std::to_string(static_cast<int>(100.0 * share)) + "%";
  const double seconds = std::chrono::duration<double>(now - began_).count();
  if (share > 0.02 && share < 1.0) {
    const auto left = static_cast<long>(seconds * (1.0 - share) / share + 0.5);
    line += "  eta " + std::to_string(left / 60) + "m" + std::to_string(left % 60) + "s";
  }
  std::fputs(line.c_str(), stderr);
  std::fflush(stderr);
  line_ = true;
}

void CommandContext::set_title(std::string title) {
  const std::scoped_lock lock(mutex_);
  title_ = std::move(title);
  what_.clear();
}

void CommandContext::clear_line() const {
  const std::scoped_lock lock(mutex_);
  if (!line_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  line_ = false;
}

int stopped_exit_code() {
  return static_cast<int>(stop_signal() == SIGINT ? ExitCode::interrupted : ExitCode::preempted);
}

}  // namespace retake::cli

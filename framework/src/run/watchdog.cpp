#include "run/watchdog.hpp"

#include <pthread.h>
#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>

#include "core/diagnostics.hpp"
#include "core/stop.hpp"
#include "plugin/blame.hpp"
#include "retake/log.hpp"
#include "run/checkpoint.hpp"

namespace retake::run {
namespace {

using Seconds = std::chrono::duration<double>;

constexpr auto kLook = std::chrono::milliseconds(100);
constexpr auto kAnswer = std::chrono::seconds(1);
constexpr double kMostPatience = 3;  // in longest silences so far

std::atomic<const char*> g_library{nullptr};
std::atomic<int> g_answers{0};

/// Runs in the watched thread, wherever it is.
void say_where(int, siginfo_t*, void* context) {
  const int error = errno;  // the watched thread may be about to read it
  const auto* state = static_cast<const ucontext_t*>(context);
  g_library =
      plugin::library_on_stack(reinterpret_cast<const void*>(state->uc_mcontext.gregs[REG_RIP]));
  ++g_answers;
  errno = error;
}

double now() {
  return Seconds(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string seconds_text(double seconds) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3g s", seconds);
  return text;
}

}  // namespace

std::chrono::duration<double> stall_patience() {
  const char* text = std::getenv("RETAKE_STALL_S");
  if (text == nullptr) return Seconds(60);
  char* end = nullptr;
  const double value = std::strtod(text, &end);
  if (end == text || *end != '\0' || !(value > 0)) {
    Diagnostic d;
    d.id = "E004";
    d.message = std::string("RETAKE_STALL_S is `") + text + "`, which is no number above 0";
    d.help = "set it to seconds (60), or unset it";
    throw UsageError(std::move(d));
  }
  return Seconds(value);
}

Watchdog::Watchdog(const Options& options) : options_(options), watched_(::pthread_self()) {
  plugin::prepare_stack_search();
  struct sigaction action {};
  action.sa_sigaction = say_where;
  action.sa_flags = SA_SIGINFO | SA_RESTART;
  sigemptyset(&action.sa_mask);
  ::sigaction(SIGUSR2, &action, nullptr);
  thread_ = std::jthread([this](const std::stop_token& token) { watch(token); });
}

Watchdog::~Watchdog() = default;

void Watchdog::end_after(double seconds) {
  deadline_ = seconds > 0 ? now() + seconds : 0.0;
}

bool Watchdog::is_to_end() const {
  const double deadline = deadline_;
  return stop_requested() || (deadline > 0 && now() >= deadline);
}

void Watchdog::watch(const std::stop_token& token) {
  // Signals that ask to stop are for the watched thread: they end its waits.
  sigset_t all;
  sigfillset(&all);
  ::pthread_sigmask(SIG_BLOCK, &all, nullptr);
  std::uint64_t seen = options_.context.signs_of_life();
  double heard = now(), longest = 0, warn_after = options_.patience.count(), to_end_since = 0;
  while (!token.stop_requested()) {
    std::this_thread::sleep_for(kLook);
    const std::uint64_t signs = options_.context.signs_of_life();
    if (signs != seen) {
      seen = signs;
      longest = std::max(longest, now() - heard);
      heard = now();
      warn_after = options_.patience.count();
      to_end_since = 0;
      continue;
    }
    const double silent = now() - heard;
    if (silent > warn_after) {
      log_warning("no sign of life for " + seconds_text(silent) + ": the run is " + place());
      warn_after *= 2;
    }
    if (!is_to_end()) continue;
    if (to_end_since == 0) to_end_since = now();
    const double patience = std::max(options_.patience.count(), kMostPatience * longest);
    if (silent > patience && now() - to_end_since > patience && !token.stop_requested()) end_run();
  }
}

std::string Watchdog::place() const {
  const int before = g_answers;
  const auto until = std::chrono::steady_clock::now() + kAnswer;
  if (::pthread_kill(watched_, SIGUSR2) != 0) return "somewhere that cannot be told";
  while (g_answers == before) {
    if (std::chrono::steady_clock::now() > until) return "somewhere that cannot be told";
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  const char* library = g_library;
  return library != nullptr ? std::string("in ") + library : "in no plugin's code";
}

void Watchdog::end_run() const {
  const ExitCode code = stop_requested() ? stop_exit_code() : ExitCode::time_limit;
  const RunFolder& run = options_.manifest.run();
  Diagnostic d;
  d.id = "E613";
  d.message = "the run was to end, and did not: it is " + place();
  std::int64_t step = 0;
  try {
    const auto steps = CheckpointStore(run.checkpoints()).steps();
    if (!steps.empty()) step = steps.back();
  } catch (const Error& e) {
    log_debug(e.what());
  }
  d.facts.push_back(step > 0 ? "the checkpoint of step " + std::to_string(step) +
                                   " is from before and safe"
                             : "no checkpoint was saved yet");
  d.help = "go on with  retake resume " + run.id();
  const Error error(code, std::move(d));
  log_debug(error.what());
  // The watched thread is lost in foreign code: nobody else touches the manifest now.
  try {
    Manifest manifest = options_.manifest;
    manifest.record_seeds(options_.context.seeds().recorded());
    manifest.seal({code, step, stop_signal(), error.what()});
  } catch (const std::exception& e) {
    log_warning(e.what());
  }
  Table line;
  line["error"] = to_value(error);
  const std::string text =
      options_.json ? to_json(Value(std::move(line))) + "\n" : render(error.diagnostics(), false);
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
  ::_exit(static_cast<int>(code));
}

}  // namespace retake::run

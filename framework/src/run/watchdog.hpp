#pragma once
// Watches the training thread from outside: says in whose code it is when it does not come back,
// and ends a run that was to end and cannot.

#include <atomic>
#include <chrono>
#include <thread>

#include "run/manifest.hpp"
#include "run/run_context.hpp"

namespace retake::run {

/// Seconds without a sign of life after which a run is asked where it is: $RETAKE_STALL_S, else 60.
/// Throws UsageError (E004) when the variable is no number above 0.
std::chrono::duration<double> stall_patience();

class Watchdog {
 public:
  struct Options {
    const RunContext& context;
    const Manifest& manifest;
    std::chrono::duration<double> patience;
    bool json = false;  ///< how an end is told
  };
  /// Watches the calling thread until destroyed, with a thread of its own.
  explicit Watchdog(const Options& options);
  ~Watchdog();
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// The run is to end in so many seconds; 0: never. A step that is under way then has its patience
  /// (three times the longest silence so far, if that is more) to end by itself.
  void end_after(double seconds);

 private:
  void watch(const std::stop_token& token);
  std::string place() const;
  bool is_to_end() const;
  [[noreturn]] void end_run() const;

  Options options_;
  pthread_t watched_;
  std::atomic<double> deadline_{0};  ///< seconds of the steady clock; 0: none
  std::jthread thread_;
};

}  // namespace retake::run

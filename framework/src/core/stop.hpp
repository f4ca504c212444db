#pragma once
// Asking long work to stop: signals set a flag, loops look at it.

#include <string>

#include "retake/error.hpp"

namespace retake {

/// Installs handlers: SIGINT, SIGTERM, SIGUSR1 and SIGHUP (unless it is ignored) set the flag; a
/// second signal ends the process at once with 130 (SIGINT) or 143. Call once, from main.
void install_stop_signals();
/// Until then SIGTERM and SIGUSR1 end the process with the code of preemption at once: nothing is
/// under way that could be saved. `json`: the message is a line of JSON. Call once, first in main.
void install_early_stop(bool json);
/// Which signal asked to stop; 0 when none did. Async-signal-safe.
int stop_signal();
inline bool stop_requested() {
  return stop_signal() != 0;
}
/// What the process exits with for the signal that came: 130 after SIGINT, 75 after the others.
ExitCode stop_exit_code();
/// E007 with that exit code: what was not completed, and how to go on.
Error stopped(std::string message, std::string help = {});
/// As if `signal` had come; 0 clears the flag. For tests and time limits.
void request_stop(int signal);
/// Runs just before a second signal ends the process; async-signal-safe functions only.
void set_second_signal_hook(void (*hook)());

}  // namespace retake

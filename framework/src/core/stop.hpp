#pragma once
// Asking long work to stop: signals set a flag, loops look at it.

namespace retake {

/// Installs handlers: SIGINT, SIGTERM and SIGUSR1 set the flag; a second signal ends the process at
/// once with 130 (SIGINT) or 143. Call once, from main.
void install_stop_signals();
/// Which signal asked to stop; 0 when none did. Async-signal-safe.
int stop_signal();
inline bool stop_requested() {
  return stop_signal() != 0;
}
/// As if `signal` had come; 0 clears the flag. For tests and time limits.
void request_stop(int signal);
/// Runs just before a second signal ends the process; async-signal-safe functions only.
void set_second_signal_hook(void (*hook)());

}  // namespace retake

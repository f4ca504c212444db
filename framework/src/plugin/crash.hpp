#pragma once
// Crashes: SIGSEGV, SIGBUS, SIGILL, SIGFPE and SIGABRT say whose code it was before they end the
// process.

namespace retake::plugin {

/// Installs the handlers, the calling thread's on a stack of their own. They write E234 with the
/// signal and the innermost plugin library to stderr, call the hook, and end the process with exit
/// code 1, as the contract of exit codes has it (a core file needs a debugger). `json`: the message
/// as the last line of --json. Call once, from main.
void install_crash_handler();
/// From now on a call of exit() is a defect: it would end a command without a result and with a
/// success. Told as a crash is, E234 and exit code 1. `false`: commands are over.
void forbid_exit(bool forbidden);
/// For a child process whose parent reads the signal.
void drop_crash_handler();
void set_crash_json(bool json);

/// What the process was doing: called after the message, with the same text ("crashed with SIGSEGV
/// in libx.so (loss/x)"). Async-signal-safe functions only; null takes it away.
void set_crash_hook(void (*hook)(const char* text));

/// Writes text to a descriptor with write(2). Async-signal-safe.
void write_text(int descriptor, const char* text);

}  // namespace retake::plugin

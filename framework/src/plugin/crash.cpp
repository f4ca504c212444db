#include "plugin/crash.hpp"

#include <signal.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "plugin/blame.hpp"
#include "retake/error.hpp"

namespace retake::plugin {
namespace {

constexpr int kSignals[] = {SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};

std::atomic<void (*)(const char*)> g_hook{nullptr};
std::atomic<bool> g_json{false};
std::atomic<bool> g_crashing{false};
std::atomic<pid_t> g_exit_forbidden{0};  ///< the process that must not exit; 0: none
char g_text[640];

void append(const char* part) {
  std::strncat(g_text, part, sizeof g_text - std::strlen(g_text) - 1);
}

void describe(int signal, const void* instruction) {
  g_text[0] = '\0';
  append("crashed with SIG");
  const char* name = ::sigabbrev_np(signal);
  append(name != nullptr ? name : "?");
  if (const char* library = library_on_stack(instruction)) {
    append(" in ");
    append(library);
  }
  // The usual cause: `cp` onto a library that is in use, where `mv` would have been right.
  if (signal == SIGBUS) append(" (a file in use was cut short: a library or a recording?)");
}

void report() {
  if (g_json) {
    write_text(2, R"({"error":{"code":1,"id":"E234","message":")");
    write_text(2, g_text);
    write_text(2, "\"}}\n");
    return;
  }
  write_text(2, "error[E234]: ");
  write_text(2, g_text);
  write_text(2,
             "\nhelp: this is a defect of that code; retake plugins check FILE looks for more\n");
}

void on_crash(int signal, siginfo_t*, void* context) {
  if (!g_crashing.exchange(true)) {
    const auto* state = static_cast<const ucontext_t*>(context);
    describe(signal, reinterpret_cast<const void*>(state->uc_mcontext.gregs[REG_RIP]));
    // The hook speaks first: with --json the error is the last line.
    if (auto* hook = g_hook.load()) hook(g_text);
    report();
  }
  ::_exit(static_cast<int>(ExitCode::unexpected));
}

/// Registered with atexit(3) and at_quick_exit(3): still below the frame that called exit().
void on_exit() {
  // Not in a process that a plugin forked.
  if (g_exit_forbidden != ::getpid() || g_crashing.exchange(true)) return;
  g_text[0] = '\0';
  append("ended by a call of exit()");
  if (const char* library = library_on_stack()) {
    append(" in ");
    append(library);
  }
  if (auto* hook = g_hook.load()) hook(g_text);
  report();
  ::_exit(static_cast<int>(ExitCode::unexpected));
}

}  // namespace

void write_text(int descriptor, const char* text) {
  for (std::size_t left = std::strlen(text); left > 0;) {
    const ssize_t n = ::write(descriptor, text, left);
    if (n <= 0) return;
    text += n;
    left -= static_cast<std::size_t>(n);
  }
}

void install_crash_handler() {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  return;  // the sanitizer's own reports say more
#endif
  prepare_stack_search();
  // A thread that overflowed its stack has none left for a handler.
  static char stack[64 * 1024];
  stack_t alternative{};
  alternative.ss_sp = stack;
  alternative.ss_size = sizeof stack;
  ::sigaltstack(&alternative, nullptr);
  struct sigaction action {};
  action.sa_sigaction = on_crash;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
  sigemptyset(&action.sa_mask);
  for (const int signal : kSignals) ::sigaction(signal, &action, nullptr);
}

void forbid_exit(bool forbidden) {
  static const bool registered = std::atexit(on_exit) == 0 && std::at_quick_exit(on_exit) == 0;
  g_exit_forbidden = forbidden && registered ? ::getpid() : 0;
}

void drop_crash_handler() {
  g_exit_forbidden = 0;
  for (const int signal : kSignals) ::signal(signal, SIG_DFL);
}

void set_crash_json(bool json) {
  g_json = json;
}

void set_crash_hook(void (*hook)(const char* text)) {
  g_hook = hook;
}

}  // namespace retake::plugin

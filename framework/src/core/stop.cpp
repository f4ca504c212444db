#include "core/stop.hpp"

#include <unistd.h>
#include <csignal>

#include <atomic>
#include <utility>

namespace retake {
namespace {

std::atomic<int> g_signal{0};
std::atomic<void (*)()> g_second{nullptr};
static_assert(std::atomic<int>::is_always_lock_free);

void on_signal(int signal) {
  if (g_signal.exchange(signal) != 0) {
    if (auto* hook = g_second.load()) hook();
    _exit(signal == SIGINT ? 130 : 143);
  }
}

std::atomic<bool> g_json{false};

void on_early_signal(int) {
  constexpr char plain[] = "stopped by a signal before anything was begun\n";
  constexpr char json[] =
      "{\"error\":{\"code\":75,\"id\":\"E007\","
      "\"message\":\"stopped by a signal before anything was begun\"}}\n";
  [[maybe_unused]] const ssize_t n =
      g_json ? ::write(2, json, sizeof json - 1) : ::write(2, plain, sizeof plain - 1);
  _exit(static_cast<int>(ExitCode::preempted));
}

}  // namespace

void install_early_stop(bool json) {
  g_json = json;
  struct sigaction action {};
  action.sa_handler = on_early_signal;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGTERM, SIGUSR1}) sigaction(signal, &action, nullptr);
}

void install_stop_signals() {
  struct sigaction action {};
  action.sa_handler = on_signal;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) sigaction(signal, &action, nullptr);
  // The terminal was closed. nohup(1) ignores it, and that stays so.
  struct sigaction before {};
  if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN) {
    sigaction(SIGHUP, &action, nullptr);
  }
}

int stop_signal() {
  return g_signal.load();
}
ExitCode stop_exit_code() {
  return stop_signal() == SIGINT ? ExitCode::interrupted : ExitCode::preempted;
}
Error stopped(std::string message, std::string help) {
  Diagnostic d;
  d.id = "E007";
  d.message = std::move(message);
  d.help = std::move(help);
  return Error(stop_exit_code(), std::move(d));
}
void request_stop(int signal) {
  g_signal.store(signal);
}
void set_second_signal_hook(void (*hook)()) {
  g_second.store(hook);
}

}  // namespace retake

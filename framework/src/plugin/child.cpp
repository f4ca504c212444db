#include "plugin/child.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdio>
#include <cstring>
#include <exception>

#include "plugin/blame.hpp"
#include "plugin/crash.hpp"
#include "retake/error.hpp"

namespace retake::plugin {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void cannot_start() {
  Diagnostic d;
  d.id = "E236";
  d.message = std::string("a process of its own cannot be started: ") + std::strerror(errno);
  d.help = "close some programs, or raise the limits of processes and open files";
  throw Error(ExitCode::unexpected, std::move(d));
}

void send_all(int descriptor, std::string_view line) {
  std::string text(line);
  text += '\n';
  for (std::size_t done = 0; done < text.size();) {
    const ssize_t n = ::write(descriptor, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) ::_exit(3);  // nobody listens any more
    done += static_cast<std::size_t>(n);
  }
}

[[noreturn]] void be_child(const std::function<void(const SendLine&)>& body, int output,
                           int printed) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  drop_crash_handler();
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  const int empty = ::open("/dev/null", O_RDONLY);
  ::dup2(empty, 0);
  ::dup2(printed, 1);
  ::dup2(printed, 2);
  int status = 0;
  try {
    body([output](std::string_view line) { send_all(output, line); });
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", said_by(e).c_str());
    status = 1;
  } catch (...) {
    std::fputs("something that is no std::exception was thrown\n", stderr);
    status = 1;
  }
  std::fflush(nullptr);
  ::_exit(status);  // not exit: what foreign code left for the end is not waited for
}

/// The last error that a command told, else the last line of all.
std::string last_line(int printed) {
  std::array<char, 4096> buffer{};
  const off_t size = ::lseek(printed, 0, SEEK_END);
  const off_t from = std::max<off_t>(0, size - static_cast<off_t>(buffer.size()));
  const ssize_t n = ::pread(printed, buffer.data(), buffer.size(), from);
  std::string text(buffer.data(), static_cast<std::size_t>(std::max<ssize_t>(0, n)));
  text.erase(text.find_last_not_of(" \n") + 1);
  const std::size_t error = ("\n" + text).rfind("\nerror");
  if (error != std::string::npos) {
    return text.substr(error, text.find('\n', error) - error);
  }
  const std::size_t start = text.rfind('\n');
  return start == std::string::npos ? text : text.substr(start + 1);
}

/// Hands on the complete lines that have come.
void take_lines(std::string& pending, const std::function<void(const std::string&)>& on_line) {
  for (std::size_t end; (end = pending.find('\n')) != std::string::npos;) {
    const std::string line = pending.substr(0, end);
    pending.erase(0, end + 1);
    on_line(line);
  }
}

/// Reads until the other side closes or is silent too long.
bool listen(int input, const std::function<void(const std::string&)>& on_line,
            std::chrono::duration<double> silence, Clock::time_point& heard) {
  std::string pending;
  std::array<char, 65536> buffer{};
  for (;;) {
    const std::chrono::duration<double> left = silence - (Clock::now() - heard);
    pollfd waiting{input, POLLIN, 0};
    const int ready =
        ::poll(&waiting, 1, static_cast<int>(std::clamp(std::ceil(left.count() * 1000), 0.0, 1e9)));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return false;
    const ssize_t n = ::read(input, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return true;
    heard = Clock::now();
    pending.append(buffer.data(), static_cast<std::size_t>(n));
    take_lines(pending, on_line);
  }
}

/// The pipe may close before the process ends, when foreign code closes it.
bool wait_for(pid_t child, Clock::time_point until, int& status) {
  while (::waitpid(child, &status, WNOHANG) != child) {
    if (Clock::now() >= until) return false;
    ::usleep(2000);
  }
  return true;
}

}  // namespace

std::string ChildEnd::text() const {
  if (!in_time) {
    char seconds[32];
    std::snprintf(seconds, sizeof seconds, "%.3g", silent_for);
    return std::string("did not end within ") + seconds + " s";
  }
  if (signal != 0) {
    const char* name = ::sigabbrev_np(signal);
    return std::string("crashed with SIG") + (name != nullptr ? name : "?");
  }
  return "ended with status " + std::to_string(status);
}

ChildEnd run_in_child(const std::function<void(const SendLine&)>& body,
                      const std::function<void(const std::string&)>& on_line,
                      std::chrono::duration<double> silence) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) cannot_start();
  const int printed = ::memfd_create("printed", MFD_CLOEXEC);
  std::fflush(nullptr);  // or the child would print it again
  const pid_t child = printed < 0 ? -1 : ::fork();
  if (child < 0) {
    ::close(ends[0]);
    ::close(ends[1]);
    if (printed >= 0) ::close(printed);
    cannot_start();
  }
  if (child == 0) {
    ::close(ends[0]);
    be_child(body, ends[1], printed);
  }
  ::close(ends[1]);
  ChildEnd end;
  int status = 0;
  Clock::time_point heard = Clock::now();
  try {
    end.in_time =
        listen(ends[0], on_line, silence, heard) &&
        wait_for(child, heard + std::chrono::duration_cast<Clock::duration>(silence), status);
  } catch (...) {
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    ::close(ends[0]);
    ::close(printed);
    throw;
  }
  end.silent_for = std::chrono::duration<double>(Clock::now() - heard).count();
  if (!end.in_time) {
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    end.silent_for = silence.count();
  }
  end.signal = end.in_time && WIFSIGNALED(status) ? WTERMSIG(status) : 0;
  end.status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
  end.last_words = last_line(printed);
  ::close(ends[0]);
  ::close(printed);
  return end;
}

}  // namespace retake::plugin

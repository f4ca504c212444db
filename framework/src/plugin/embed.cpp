#include "plugin/embed.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstring>
#include <vector>

#include "core/files.hpp"
#include "plugin/errors.hpp"
#include "plugin/loader.hpp"
#include "plugin/table.hpp"

extern char** environ;

namespace retake::plugin {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

/// The descriptor that the child writes to: its stdout belongs to whatever the plugin prints.
constexpr int kTableDescriptor = 3;

/// Starts a program with `output` as its descriptor 3 (unless negative).
pid_t start(const std::vector<std::string>& words, int output, const fs::path& library) {
  std::vector<char*> argv;
  for (const std::string& word : words) argv.push_back(const_cast<char*>(word.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  if (output >= 0) posix_spawn_file_actions_adddup2(&actions, output, kTableDescriptor);
  pid_t child = 0;
  const int error = posix_spawnp(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    fail("E231", library, "cannot start " + words.front() + ": " + std::strerror(error),
         "install it, or name another one");
  }
  return child;
}

std::string end_of(int status) {
  if (WIFSIGNALED(status)) {
    return std::string("died of a signal: ") + strsignal(WTERMSIG(status));
  }
  return "ended with status " + std::to_string(WEXITSTATUS(status));
}

/// Reads until the other side closes; false when `until` passes first.
bool read_all(int descriptor, Clock::time_point until, std::string& text) {
  std::array<char, 65536> buffer{};
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(until - Clock::now());
    pollfd waiting{descriptor, POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::max<long>(0, left.count())));
    if (ready < 0 && errno == EINTR) continue;
    if (ready == 0) return false;
    const ssize_t n = ::read(descriptor, buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return true;
    text.append(buffer.data(), static_cast<std::size_t>(n));
  }
}

/// The pipe closes when the plugin's code closes it, too: the wait is bounded on its own.
bool wait_until(pid_t child, Clock::time_point until, int& status) {
  for (;;) {
    const pid_t ended = ::waitpid(child, &status, WNOHANG);
    if (ended == child) return true;
    if (Clock::now() >= until) return false;
    ::usleep(2000);
  }
}

}  // namespace

std::string dump_table(const fs::path& library) {
  const Stamp stamp = read_stamp(library);
  require_host_abi(stamp, library);
  std::vector<ComponentInfo> components;
  for (const Registration& r : open_plugin(library, stamp)) components.push_back(r.info);
  check_components(components, stamp, library);
  return table_text(components);
}

std::string dump_in_child(const fs::path& program, const fs::path& library,
                          std::chrono::seconds limit) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) {
    fail("E231", library, std::string("cannot make a pipe: ") + std::strerror(errno),
         "close some programs");
  }
  pid_t child = 0;
  try {
    child = start({program.string(), "--dump", library.string()}, ends[1], library);
  } catch (...) {
    ::close(ends[0]);
    ::close(ends[1]);
    throw;
  }
  ::close(ends[1]);
  const Clock::time_point until = Clock::now() + limit;
  std::string text;
  int status = 0;
  const bool in_time = read_all(ends[0], until, text) && wait_until(child, until, status);
  ::close(ends[0]);
  if (!in_time) {
    ::kill(child, SIGKILL);
    ::waitpid(child, &status, 0);
    fail("E231", library, "loading it did not end within " + std::to_string(limit.count()) + " s",
         "registration must only describe components: move the work to their constructors");
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    fail("E231", library,
         "its components cannot be listed: the process that loaded it " + end_of(status),
         "see the message above; static initialisers and RETAKE_PLUGIN run at this point");
  }
  if (text.empty()) {
    fail("E231", library,
         "its components cannot be listed: its own code ended the process that loaded it",
         "static initialisers and RETAKE_PLUGIN run at this point: take exit() out of them; what "
         "cannot be had is told by throwing a retake::Error");
  }
  parse_table(text, library);
  return text;
}

void embed_table(const fs::path& library, const std::string& table, const fs::path& objcopy,
                 const BuildFacts& facts) {
  AtomicFile result(library);
  std::vector<std::string> words = {objcopy.string()};
  std::vector<fs::path> contents;
  const auto add_section = [&](const std::string& section, const std::string& text) {
    words.insert(words.end(), {"--remove-section", section});
    if (text.empty()) return;
    contents.push_back(library.string() + section + ".txt");
    write_file_atomic(contents.back(), text);
    words.insert(words.end(), {"--add-section", section + "=" + contents.back().string(),
                               "--set-section-flags", section + "=noload,readonly"});
  };
  add_section(kTableSection, table);
  add_section(kCommitSection, facts.commit);
  add_section(kFlagsSection, facts.flags);
  words.insert(words.end(), {library.string(), result.path().string()});
  int status = 0;
  const pid_t child = start(words, -1, library);
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  for (const fs::path& file : contents) fs::remove(file);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    fail("E232", library, objcopy.string() + " " + end_of(status),
         "see its message above; GNU binutils 2.36 or newer is needed");
  }
  result.commit();
}

}  // namespace retake::plugin

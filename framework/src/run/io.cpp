#include "run/io.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <ctime>
#include <system_error>
#include <utility>

#include "retake/error.hpp"

extern char** environ;

namespace retake::run {

namespace fs = std::filesystem;

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    if (fd_ >= 0) ::close(fd_);
    fd_ = other.release();
  }
  return *this;
}

int Descriptor::release() {
  return std::exchange(fd_, -1);
}

void fail_io(const fs::path& path, const std::string& what, int error) {
  std::string help = "check the disk it lies on";
  if (error == ENOENT) help = "check the path";
  if (error == EACCES || error == EPERM || error == EROFS) {
    help = "check the permissions of the file and its folder, or choose another folder";
  }
  if (error == ENOSPC || error == EDQUOT) {
    help = "free some space on that disk, or choose another folder";
  }
  throw DataError(file_diagnostic(error == ENOENT ? "E400" : "E401", path.string(),
                                  "cannot " + what + ": " + std::strerror(error), help));
}

Descriptor open_file(const fs::path& path, int flags, mode_t mode) {
  Descriptor file(::open(path.c_str(), flags | O_CLOEXEC, mode));
  if (!file) fail_io(path, "open the file", errno);
  return file;
}

void write_all(int fd, std::string_view bytes, const fs::path& path) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail_io(path, "write the file", errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

void make_folders(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail_io(path, "create the folder", error.value());
}

std::string utc_timestamp(std::chrono::system_clock::time_point time) {
  using std::chrono::milliseconds;
  const auto since = std::chrono::floor<milliseconds>(time.time_since_epoch());
  const auto whole = std::chrono::floor<std::chrono::seconds>(since);  // before 1970 too
  const auto seconds = static_cast<std::time_t>(whole.count());
  std::tm parts{};
  ::gmtime_r(&seconds, &parts);
  char text[40];
  const std::size_t n = std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts);
  std::snprintf(text + n, sizeof text - n, ".%03dZ", static_cast<int>((since - whole).count()));
  return text;
}

void remove_leftovers(const fs::path& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with('.') || name.find(".tmp-") == std::string::npos) continue;
    std::error_code failed;
    fs::remove_all(entry.path(), failed);
    if (failed) fail_io(entry.path(), "remove what an interrupted write left", failed.value());
  }
}

namespace {

/// Owns the two C structs that posix_spawn takes.
struct SpawnActions {
  SpawnActions() { ::posix_spawn_file_actions_init(&actions); }
  ~SpawnActions() { ::posix_spawn_file_actions_destroy(&actions); }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;
  posix_spawn_file_actions_t actions;
};

std::string read_pipe(int fd, std::size_t max_bytes) {
  std::string text;
  char block[1 << 16];
  for (;;) {
    const ssize_t n = ::read(fd, block, sizeof block);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return text;
    const std::size_t room = max_bytes - std::min(max_bytes, text.size());
    text.append(block, std::min(room, static_cast<std::size_t>(n)));
  }
}

}  // namespace

CommandResult run_command(const std::vector<std::string>& arguments, const fs::path& folder,
                          const std::vector<std::string>& extra_environment,
                          std::size_t max_bytes) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) fail_io(folder, "start " + arguments[0], errno);
  Descriptor read_end(ends[0]);
  Descriptor write_end(ends[1]);
  SpawnActions spawn;
  ::posix_spawn_file_actions_addopen(&spawn.actions, 0, "/dev/null", O_RDONLY, 0);
  ::posix_spawn_file_actions_adddup2(&spawn.actions, write_end.get(), 1);
  ::posix_spawn_file_actions_addopen(&spawn.actions, 2, "/dev/null", O_WRONLY, 0);
  const std::string where = folder.empty() ? "." : folder.string();
  ::posix_spawn_file_actions_addchdir_np(&spawn.actions, where.c_str());

  std::vector<char*> argv;
  for (const auto& a : arguments) argv.push_back(const_cast<char*>(a.c_str()));
  argv.push_back(nullptr);
  std::vector<char*> env;
  for (const auto& e : extra_environment) env.push_back(const_cast<char*>(e.c_str()));
  for (char** e = environ; *e != nullptr; ++e) env.push_back(*e);  // getenv takes the first
  env.push_back(nullptr);

  pid_t child = 0;
  if (::posix_spawnp(&child, argv[0], &spawn.actions, nullptr, argv.data(), env.data()) != 0) {
    return {127, {}};
  }
  write_end = Descriptor();
  CommandResult result;
  result.output = read_pipe(read_end.get(), max_bytes);
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  result.exit_code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

}  // namespace retake::run

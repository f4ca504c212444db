#pragma once
// Small POSIX helpers of the run room.

#include <sys/types.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace retake::run {

/// A file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor() = default;
  explicit Descriptor(int fd) : fd_(fd) {}
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : fd_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }
  int release();

 private:
  int fd_ = -1;
};

/// Throws DataError "cannot `what`: reason" naming the file; `error` is an errno value.
[[noreturn]] void fail_io(const std::filesystem::path& path, const std::string& what, int error);

/// open(2) with O_CLOEXEC; throws DataError.
Descriptor open_file(const std::filesystem::path& path, int flags, mode_t mode = 0666);

/// write(2) until everything is written; throws DataError naming the file.
void write_all(int fd, std::string_view bytes, const std::filesystem::path& path);

/// std::filesystem::create_directories whose failure names the folder.
void make_folders(const std::filesystem::path& path);

/// "2026-11-23T14:02:11.482Z"
std::string utc_timestamp(std::chrono::system_clock::time_point time);
inline std::string utc_now() {
  return utc_timestamp(std::chrono::system_clock::now());
}

/// Removes what a killed writer left in a folder: names that start with "." and hold ".tmp-", the
/// form of core's AtomicFile and of the run room. Call it only under the run's lock.
void remove_leftovers(const std::filesystem::path& folder);

/// What a child process printed and how it ended. `exit_code` is 127 when it could not start and
/// 128 + n when signal n killed it.
struct CommandResult {
  int exit_code = 0;
  std::string output;
};
/// Runs `arguments[0]` found in PATH, without a shell, its stderr discarded, stdin empty.
/// `extra_environment` holds "NAME=value". Output beyond `max_bytes` is read and thrown away.
CommandResult run_command(const std::vector<std::string>& arguments,
                          const std::filesystem::path& folder,
                          const std::vector<std::string>& extra_environment = {},
                          std::size_t max_bytes = std::size_t{256} << 20);

}  // namespace retake::run

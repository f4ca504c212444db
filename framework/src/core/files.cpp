#include "core/files.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "retake/error.hpp"

namespace retake {
namespace {

namespace fs = std::filesystem;

/// A file descriptor that closes itself.
class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags, mode_t mode = 0666)
      : fd_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

std::string remedy(int error) {
  switch (error) {
    case ENOENT:
      return "check the path";
    case EACCES:
    case EPERM:
    case EROFS:
      return "check the permissions of the file and its folder, or choose another folder";
    case ENOSPC:
    case EDQUOT:
      return "free some space on that disk, or choose another folder";
    case EISDIR:
      return "name a file inside that folder";
    default:
      return "check the disk it lies on";
  }
}

[[noreturn]] void fail(const fs::path& path, const std::string& what, int error) {
  throw DataError(file_diagnostic(error == ENOENT ? "E400" : "E401", path.string(),
                                  what + ": " + std::strerror(error), remedy(error)));
}

void write_all(int fd, std::string_view bytes, const fs::path& target) {
  while (!bytes.empty()) {
    const ssize_t n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(target, "cannot write the file", errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
}

}  // namespace

std::string read_file(const fs::path& path) {
  const Descriptor file(path, O_RDONLY);
  if (!file.ok()) fail(path, "cannot read the file", errno);
  std::string text;
  char block[1 << 16];
  for (;;) {
    const ssize_t n = ::read(file.get(), block, sizeof block);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) fail(path, "cannot read the file", errno);
    if (n == 0) return text;
    text.append(block, static_cast<std::size_t>(n));
  }
}

namespace {

/// The file that is to be replaced: behind links, and never a device or a pipe.
fs::path replaceable(fs::path target) {
  std::error_code error;
  if (fs::is_symlink(fs::symlink_status(target, error))) {
    const fs::path real = fs::weakly_canonical(target, error);
    if (error) fail(target, "cannot follow the link", error.value());
    target = real;
  }
  const fs::file_status now = fs::status(target, error);
  if (!fs::exists(now) || fs::is_regular_file(now)) return target;
  if (fs::is_directory(now)) fail(target, "cannot write the file", EISDIR);
  throw DataError(file_diagnostic("E401", target.string(),
                                  "cannot write the file: there is a device or a pipe of that name",
                                  "name a file"));
}

}  // namespace

AtomicFile::AtomicFile(fs::path target) : target_(replaceable(std::move(target))) {
  static std::atomic<unsigned> counter{0};
  const fs::path folder = target_.has_parent_path() ? target_.parent_path() : fs::path(".");
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) fail(target_, "cannot create the folder", error.value());
  temporary_ = folder / ("." + target_.filename().string() + ".tmp-" + std::to_string(::getpid()) +
                         "-" + std::to_string(counter++));
}

AtomicFile::~AtomicFile() {
  if (!committed_) ::unlink(temporary_.c_str());
}

void AtomicFile::commit(Sync sync) {
  if (sync == Sync::yes) {
    const Descriptor file(temporary_, O_RDONLY);
    if (!file.ok()) fail(target_, "cannot write the file", errno);
    if (::fsync(file.get()) != 0) fail(target_, "cannot write the file", errno);
  }
  if (::rename(temporary_.c_str(), target_.c_str()) != 0) {
    fail(target_, "cannot put the file in its place", errno);
  }
  committed_ = true;
  if (sync == Sync::no) return;
  sync_path(target_.has_parent_path() ? target_.parent_path() : fs::path("."));
}

void write_file_atomic(const fs::path& target, std::string_view bytes) {
  AtomicFile file(target);
  {
    const Descriptor out(file.path(), O_WRONLY | O_CREAT | O_TRUNC);
    if (!out.ok()) fail(target, "cannot write the file", errno);
    write_all(out.get(), bytes, target);
  }
  file.commit();
}

fs::path plain_path(const fs::path& path) {
  fs::path plain = path.lexically_normal();
  std::error_code error;
  return fs::equivalent(plain, path, error) || !fs::exists(path, error) ? plain : path;
}

void sync_path(const fs::path& path) {
  const Descriptor file(path, O_RDONLY);
  // Some file systems refuse to sync folders (EINVAL): the rename is then as durable as it gets.
  if (!file.ok() || (::fsync(file.get()) != 0 && errno != EINVAL)) {
    fail(path, "cannot sync", errno);
  }
}

MappedFile::MappedFile(const fs::path& path) {
  const Descriptor file(path, O_RDONLY);
  if (!file.ok()) fail(path, "cannot read the file", errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail(path, "cannot read the file", errno);
  if (S_ISDIR(status.st_mode)) fail(path, "cannot read the file", EISDIR);
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ == 0) return;
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (address == MAP_FAILED) fail(path, "cannot map the file", errno);
  data_ = static_cast<const std::byte*>(address);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

}  // namespace retake

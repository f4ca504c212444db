#pragma once
// Files: whole reads, atomic writes, read-only mappings.

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

namespace retake {

/// Throws DataError (missing, a folder, unreadable) naming the file.
std::string read_file(const std::filesystem::path& path);

/// Whether a file waits for the disk before it appears. Only what can be computed again, and whose
/// damage is noticed when it is read, may do without: after a power failure it may be empty.
enum class Sync { yes, no };

/// A file that appears whole or not at all: written beside its target under a temporary name,
/// synced, then renamed. Discarded by the destructor unless committed. Parent folders are created.
/// A link stays one: the file behind it is replaced. Devices, pipes and folders are refused.
class AtomicFile {
 public:
  explicit AtomicFile(std::filesystem::path target);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  /// Where to write; on the target's file system.
  const std::filesystem::path& path() const { return temporary_; }
  /// Syncs file and folder and renames. Throws DataError (disk full, read-only) naming the target.
  void commit(Sync sync = Sync::yes);

 private:
  std::filesystem::path target_;
  std::filesystem::path temporary_;
  bool committed_ = false;
};

/// Writes `bytes` atomically. Throws DataError naming the target.
void write_file_atomic(const std::filesystem::path& target, std::string_view bytes);

/// Without `.` and `..`, where that still names the same file: behind a link to a folder it need
/// not.
std::filesystem::path plain_path(const std::filesystem::path& path);

/// Flushes a file's or folder's data to the disk.
void sync_path(const std::filesystem::path& path);

/// A whole file mapped read-only. An empty file has size 0 and a null pointer.
class MappedFile {
 public:
  /// Throws DataError naming the file.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  const std::byte* data() const { return data_; }
  std::size_t size() const { return size_; }
  std::string_view text() const { return {reinterpret_cast<const char*>(data_), size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace retake

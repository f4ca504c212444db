#pragma once
// SHA-256 of files that rarely change (libraries, recordings), remembered by what stat(2) says of
// them, so that a run does not read gigabytes again just to name them.

#include <filesystem>
#include <map>
#include <mutex>
#include <string>

namespace retake::run {

/// Remembers (path, size, mtime, ctime, inode) -> hash in an append-only file that several
/// processes may share: each entry is one short O_APPEND write, unreadable lines are ignored, the
/// newest entry of a path counts. Thread-safe.
class HashCache {
 public:
  /// $XDG_CACHE_HOME/retake/file-hashes.jsonl or ~/.cache/retake/file-hashes.jsonl.
  static std::filesystem::path default_file();
  /// A cache that can't be read or written only costs time: it is said once in the log.
  explicit HashCache(std::filesystem::path file = default_file());

  /// Hex digits. `rehash` reads the file whatever is remembered. Throws DataError when the file
  /// cannot be read.
  std::string sha256(const std::filesystem::path& path, bool rehash = false);

 private:
  struct Entry {
    std::string stamp;  ///< size, mtime, ctime, inode
    std::string hash;
  };
  void load();
  void remember(const std::string& path, const Entry& entry);

  std::filesystem::path file_;
  std::mutex mutex_;
  std::map<std::string, Entry> entries_;
  bool can_write_ = true;
};

}  // namespace retake::run

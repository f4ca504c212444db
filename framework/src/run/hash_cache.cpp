#include "run/hash_cache.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <system_error>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "retake/error.hpp"
#include "retake/log.hpp"
#include "retake/value.hpp"
#include "run/io.hpp"

namespace retake::run {

namespace fs = std::filesystem;

namespace {

/// Beyond this the file is rewritten with the entries that count.
constexpr std::uintmax_t kMaxFileBytes = 32u << 20;

/// What tells that a file is still the one that was hashed; empty when stat(2) fails. The time of
/// modification can be set back (cp -a, touch), that of the inode's change cannot. A line of a
/// cache from before it was looked at has another form and so never counts.
std::string stamp_of(const fs::path& path) {
  struct stat s {};
  if (::stat(path.c_str(), &s) != 0) return {};
  return std::to_string(s.st_size) + " " + std::to_string(s.st_mtim.tv_sec) + "." +
         std::to_string(s.st_mtim.tv_nsec) + " " + std::to_string(s.st_ctim.tv_sec) + "." +
         std::to_string(s.st_ctim.tv_nsec) + " " + std::to_string(s.st_ino);
}

std::string line_of(const std::string& path, const std::string& stamp, const std::string& hash) {
  Table line;
  line["path"] = path;
  line["stamp"] = stamp;
  line["sha256"] = hash;
  return to_json(Value(std::move(line))) + "\n";
}

const std::string* text_of(const Value& record, std::string_view key) {
  const Value* v = record.is_table() ? record.as_table().find(key) : nullptr;
  return v && v->is_string() ? &v->as_string() : nullptr;
}

}  // namespace

fs::path HashCache::default_file() {
  if (const char* cache = std::getenv("XDG_CACHE_HOME"); cache != nullptr && *cache == '/') {
    return fs::path(cache) / "retake/file-hashes.jsonl";
  }
  const char* home = std::getenv("HOME");
  return fs::path(home != nullptr && *home ? home : "/") / ".cache/retake/file-hashes.jsonl";
}

HashCache::HashCache(fs::path file) : file_(std::move(file)) {
  load();
}

void HashCache::load() {
  std::error_code error;
  if (!fs::exists(file_, error)) return;
  std::string text;
  try {
    text = read_file(file_);
  } catch (const DataError& e) {
    log_warning(std::string("the cache of file hashes is not used: ") + e.what());
    return;
  }
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = std::min(rest.find('\n'), rest.size());
    try {
      const Value record = parse_json(rest.substr(0, end), file_.string());
      const auto* path = text_of(record, "path");
      const auto* stamp = text_of(record, "stamp");
      const auto* hash = text_of(record, "sha256");
      if (path && stamp && hash && hash->size() == 64) entries_[*path] = {*stamp, *hash};
    } catch (const DataError&) {
      // A line torn by a kill or a full disk: its file is hashed again.
    }
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (text.size() > kMaxFileBytes) {
    std::string whole;
    for (const auto& [path, entry] : entries_) whole += line_of(path, entry.stamp, entry.hash);
    write_file_atomic(file_, whole);
  }
}

void HashCache::remember(const std::string& path, const Entry& entry) {
  entries_[path] = entry;
  if (!can_write_) return;
  std::error_code error;
  fs::create_directories(file_.parent_path(), error);
  const Descriptor out(::open(file_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  const std::string line = line_of(path, entry.stamp, entry.hash);
  if (!out || ::write(out.get(), line.data(), line.size()) != static_cast<ssize_t>(line.size())) {
    can_write_ = false;
    log_info("file hashes are not remembered: cannot write " + file_.string() + ": " +
             std::strerror(errno));
  }
}

std::string HashCache::sha256(const fs::path& path, bool rehash) {
  const std::string key = plain_path(fs::absolute(path)).string();
  const std::string before = stamp_of(path);
  {
    const std::scoped_lock lock(mutex_);
    const auto known = entries_.find(key);
    if (!rehash && !before.empty() && known != entries_.end() && known->second.stamp == before) {
      return known->second.hash;
    }
  }
  std::string hash = sha256_file(path);
  // A file that changed while it was read has no hash worth remembering.
  if (!before.empty() && stamp_of(path) == before) {
    const std::scoped_lock lock(mutex_);
    remember(key, {before, hash});
  }
  return hash;
}

}  // namespace retake::run

#include "run/archive.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>
#include <system_error>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "retake/error.hpp"
#include "run/environment.hpp"
#include "run/io.hpp"

namespace retake::run {

namespace fs = std::filesystem;

namespace {

constexpr mode_t kReadOnly = 0555;

void copy_atomic(const fs::path& from, const fs::path& to) {
  AtomicFile file(to);
  {
    // std::filesystem::copy_file calls a full disk an input/output error.
    const MappedFile source(from);
    const Descriptor target = open_file(file.path(), O_WRONLY | O_CREAT | O_TRUNC);
    write_all(target.get(), source.text(), to);
  }
  if (::chmod(file.path().c_str(), kReadOnly) != 0) fail_io(to, "protect the file", errno);
  file.commit();
}

/// The store's file with this content, made when it is not there or is not whole.
fs::path stored(const fs::path& store, const fs::path& source, const std::string& hash) {
  const fs::path target = store / hash.substr(0, 2) / hash;
  std::error_code error;
  if (fs::exists(target, error) && sha256_file(target) == hash) return target;
  copy_atomic(source, target);
  if (sha256_file(target) != hash) {
    fs::remove(target, error);
    throw DataError(file_diagnostic("E611", source.string(),
                                    "the file changed while it was archived",
                                    "wait for the build to end, then start the run again"));
  }
  return target;
}

}  // namespace

std::vector<ArchivedFile> archive_binaries(const RunFolder& run,
                                           const std::vector<fs::path>& files) {
  const fs::path store = run.path().parent_path() / ".store" / "sha256";
  make_folders(run.bin());
  std::set<fs::path> done;
  std::set<std::string> names;
  std::vector<ArchivedFile> out;
  for (const auto& given : files) {
    std::error_code error;
    const fs::path source = fs::canonical(given, error);
    if (error) fail_io(given, "archive the file", error.value());
    if (!done.insert(source).second) continue;
    const std::string hash = sha256_file(source);
    std::string name = given.filename().string();
    if (!names.insert(name).second) name = hash.substr(0, 12) + "-" + name;
    names.insert(name);
    const fs::path kept = stored(store, source, hash);
    const fs::path target = run.bin() / name;
    if (::link(kept.c_str(), target.c_str()) != 0 && errno != EEXIST) {
      copy_atomic(kept, target);  // another device, or no hard links there
    }
    out.push_back({source, name, hash});
  }
  sync_path(run.bin());
  return out;
}

std::vector<fs::path> own_binaries() {
  std::vector<fs::path> out{executable_path()};
  for (const auto& path : mapped_libraries()) {
    if (path.filename().string().starts_with("libretake")) out.push_back(path);
  }
  return out;
}

}  // namespace retake::run

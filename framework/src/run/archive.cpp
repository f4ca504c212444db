#include "run/archive.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <set>
#include <sstream>
#include <string_view>
#include <system_error>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "retake/error.hpp"
#include "retake/log.hpp"
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

fs::path sums_file(const RunFolder& run) {
  return run.bin() / "SHA256SUMS";
}

void write_sums(const RunFolder& run, const std::map<std::string, std::string>& files) {
  std::string text;
  for (const auto& [name, hash] : files) text += hash + "  " + name + "\n";
  write_file_atomic(sums_file(run), text);
}

/// Makes room for another build of a file: what an earlier attempt used goes to a folder of its
/// own, so that bin/ can be given as --plugin-path.
void set_aside(const RunFolder& run, const std::string& name,
               std::map<std::string, std::string>& listed) {
  const std::string hash = sha256_file(run.bin() / name);
  const std::string aside = "earlier/" + hash.substr(0, 12) + "-" + name;
  make_folders(run.bin() / "earlier");
  std::error_code error;
  fs::rename(run.bin() / name, run.bin() / aside, error);
  if (error) fail_io(run.bin() / aside, "archive the file", error.value());
  listed.erase(name);
  listed[aside] = hash;
}

bool lies_below(const fs::path& path, const fs::path& folder) {
  const auto [left, unused] = std::mismatch(folder.begin(), folder.end(), path.begin(), path.end());
  return left == folder.end();
}

/// Folders whose libraries the manifest names by version and hash, and which every machine has from
/// elsewhere: the system's, LibTorch's and those of the CUDA packages beside it.
std::vector<fs::path> foreign_folders(const std::vector<fs::path>& mapped) {
  std::vector<fs::path> out{"/lib",       "/lib32",     "/lib64",         "/usr/lib",
                            "/usr/lib32", "/usr/lib64", "/usr/local/cuda"};
  for (const auto& path : mapped) {
    if (path.filename() != "libc10.so") continue;  // a part of every LibTorch
    const fs::path folder = path.parent_path();
    out.push_back(folder);
    out.push_back(folder.parent_path().parent_path() / "nvidia");  // torch/lib and nvidia/*/lib
  }
  return out;
}

}  // namespace

std::vector<ArchivedFile> archive_binaries(const RunFolder& run,
                                           const std::vector<fs::path>& files) {
  const fs::path store = run.path().parent_path() / ".store" / "sha256";
  make_folders(run.bin());
  std::set<fs::path> done;
  std::set<std::string> names;
  std::map<std::string, std::string> listed = archived_files(run);
  std::vector<ArchivedFile> out;
  for (const auto& given : files) {
    std::error_code error;
    const fs::path source = fs::canonical(given, error);
    if (error) fail_io(given, "archive the file", error.value());
    if (!done.insert(source).second) continue;
    const std::string hash = sha256_file(source);
    std::string name = given.filename().string();
    if (!names.insert(name).second) {  // of another folder
      name = hash.substr(0, 12) + "-" + name;
      names.insert(name);
    }
    const fs::path kept = stored(store, source, hash);
    const fs::path target = run.bin() / name;
    if (fs::exists(target, error) && sha256_file(target) != hash) set_aside(run, name, listed);
    if (::link(kept.c_str(), target.c_str()) != 0 && errno != EEXIST) {
      copy_atomic(kept, target);  // another device, or no hard links there
    }
    listed[name] = hash;
    out.push_back({source, name, hash});
  }
  write_sums(run, listed);
  sync_path(run.bin());
  return out;
}

std::map<std::string, std::string> archived_files(const RunFolder& run) {
  constexpr std::size_t kHash = 64;
  std::map<std::string, std::string> out;
  const fs::path file = sums_file(run);
  std::error_code error;
  if (!fs::exists(file, error)) return out;
  std::istringstream lines(read_file(file));
  for (std::string line; std::getline(lines, line);) {
    if (line.size() <= kHash + 2 || line.compare(kHash, 2, "  ") != 0) {
      throw DataError(file_diagnostic("E609", file.string(), "not a valid list of hashes and names",
                                      "restore the file from a copy, or remove it"));
    }
    out[line.substr(kHash + 2)] = line.substr(0, kHash);
  }
  return out;
}

std::vector<fs::path> own_binaries() {
  std::vector<fs::path> out{executable_path()};
  for (const auto& path : mapped_libraries()) {
    if (path.filename().string().starts_with("libretake")) out.push_back(path);
  }
  return out;
}

std::vector<fs::path> helper_libraries(const std::vector<fs::path>& known) {
  constexpr std::string_view deleted = " (deleted)";
  std::error_code error;
  std::set<fs::path> archived;
  for (const auto& path : known) archived.insert(fs::weakly_canonical(path, error));
  const std::vector<fs::path> mapped = mapped_libraries();
  const std::vector<fs::path> foreign = foreign_folders(mapped);
  std::vector<fs::path> out;
  for (const auto& path : mapped) {
    const auto holds = [&](const fs::path& folder) { return lies_below(path, folder); };
    if (std::any_of(foreign.begin(), foreign.end(), holds)) continue;
    std::string name = path.string();
    const bool replaced = name.ends_with(deleted);
    if (replaced) name.resize(name.size() - deleted.size());
    if (archived.contains(fs::weakly_canonical(name, error))) continue;
    if (!replaced) {
      out.push_back(path);
    } else if (name.find("/memfd:") != 0) {
      log_warning("the archive lacks " + name + ", which was replaced since it was loaded");
    }
  }
  return out;
}

}  // namespace retake::run

#pragma once
// bin/ of a run: the very binaries it was made with, so that a rebuilt plugin cannot spoil it.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "run/run_folder.hpp"

namespace retake::run {

struct ArchivedFile {
  std::filesystem::path source;
  std::string name;  ///< in bin/
  std::string sha256;
};

/// Puts each file once into RUNS/.store/sha256/HH/HASH, named by its content and read-only, and a
/// hard link to it into bin/ (a copy where the store is on another device or links are refused).
/// A source is copied into the store, never linked: a linker or `cp` that writes into it in place
/// would change the archive. Of two files of one name the second gets its hash's first digits in
/// front. Called again for a run, it adds what is new; what another build replaces moves to
/// bin/earlier/. What was archived is listed in
/// bin/SHA256SUMS (`sha256sum -c` reads it). Throws DataError.
std::vector<ArchivedFile> archive_binaries(const RunFolder& run,
                                           const std::vector<std::filesystem::path>& files);

/// What bin/SHA256SUMS lists: hash by name in bin/. Empty when there is no such file. Throws
/// DataError (E609) when it is damaged.
std::map<std::string, std::string> archived_files(const RunFolder& run);

/// The running executable and those mapped libraries whose names start with "libretake".
std::vector<std::filesystem::path> own_binaries();

/// Libraries mapped now that neither the system nor LibTorch brings and that are not in `known`:
/// what plugins of the user link to. One that was replaced since it was loaded is left out with a
/// warning. Sorted.
std::vector<std::filesystem::path> helper_libraries(
    const std::vector<std::filesystem::path>& known);

}  // namespace retake::run

#pragma once
// bin/ of a run: the very binaries it was made with, so that a rebuilt plugin cannot spoil it.

#include <filesystem>
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
/// would change the archive. Two files of one name get the hash's first digits in front. Throws
/// DataError.
std::vector<ArchivedFile> archive_binaries(const RunFolder& run,
                                           const std::vector<std::filesystem::path>& files);

/// The running executable and those mapped libraries whose names start with "libretake".
std::vector<std::filesystem::path> own_binaries();

}  // namespace retake::run

#pragma once
// Facts about the machine and the program that the manifest records.

#include <filesystem>
#include <string>
#include <vector>

#include "core/program.hpp"
#include "retake/value.hpp"
#include "run/hash_cache.hpp"

namespace retake::run {

/// The GNU build id of an ELF file in hex; empty when it has none. Throws DataError when the file
/// cannot be read or is no 64-bit little-endian ELF file.
std::string elf_build_id(const std::filesystem::path& file);

/// Shared objects that are mapped into this process now, sorted by path (/proc/self/maps). A
/// library that was replaced or deleted since keeps its " (deleted)" mark.
std::vector<std::filesystem::path> mapped_libraries();

/// "env" of the manifest: os, kernel, cpu, cpu_flags_used, vars and libs as found here; the keys of
/// `given` (cpu_capability, threads, libtorch, blas, gpu, cuda: what only LibTorch knows) are put
/// in, and blas.linked: "static", or the shared library's name. Keys that nobody gives are null.
Table describe_environment(const Table& given, HashCache& hashes);

/// "host_program": version, commit, compiler, flags, build id and hash of the running executable,
/// and `abi` by kind as given. git and dirty are null when it was built outside a git repository.
Table describe_host_program(const Table& abi, HashCache& hashes);

}  // namespace retake::run

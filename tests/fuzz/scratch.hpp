#pragma once
// What every fuzzer has in common: only Retake's own errors may leave the code under test.

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "retake/error.hpp"

namespace fuzz {

/// A folder of this process in memory, where there is such a file system.
inline const std::filesystem::path& scratch() {
  static const std::filesystem::path folder = [] {
    const std::filesystem::path base = std::filesystem::is_directory("/dev/shm")
                                           ? "/dev/shm"
                                           : std::filesystem::temp_directory_path();
    const auto path = base / ("retake-fuzz-" + std::to_string(::getpid()));
    std::filesystem::create_directories(path);
    std::atexit([] {
      std::error_code ignored;
      std::filesystem::remove_all(scratch(), ignored);
    });
    return path;
  }();
  return folder;
}

/// Written in place, without waiting for any disk.
inline std::filesystem::path put(const std::string& name, std::string_view bytes) {
  const std::filesystem::path path = scratch() / name;
  std::FILE* file = std::fopen(path.c_str(), "wb");
  if (file == nullptr) std::abort();
  if (!bytes.empty() && std::fwrite(bytes.data(), 1, bytes.size(), file) != bytes.size())
    std::abort();
  std::fclose(file);
  return path;
}

inline std::string_view text(const std::uint8_t* data, std::size_t size) {
  return {reinterpret_cast<const char*>(data), size};
}

/// Runs `body`; an error of ours must say something. False when it threw one.
template <class F>
bool tolerant(F&& body) {
  try {
    body();
    return true;
  } catch (const retake::Error& e) {
    if (e.diagnostics().empty() || e.diagnostics().front().message.empty()) std::abort();
    return false;
  }
}

/// A property that must hold of what was accepted.
inline void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

/// The parts of a text between lines "#---".
inline std::vector<std::string> parts(std::string_view all) {
  constexpr std::string_view kMark = "\n#---\n";
  std::vector<std::string> out;
  for (;;) {
    const std::size_t at = all.find(kMark);
    out.emplace_back(all.substr(0, at));
    if (at == std::string_view::npos) return out;
    all.remove_prefix(at + kMark.size());
  }
}

}  // namespace fuzz

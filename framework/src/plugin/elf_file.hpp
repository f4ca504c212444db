#pragma once
// Sections of a shared library, read without loading it.

#include <elf.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.hpp"

namespace retake::plugin {

/// A 64-bit little-endian x86-64 shared library, mapped read-only. Every offset is checked, so a
/// damaged or hostile file gives an error and never an access outside of it. Views live as long as
/// the object.
class ElfFile {
 public:
  /// Throws PluginError: E210 cannot be read, E211 no ELF shared library, E212 truncated or
  /// damaged, E213 of another architecture.
  explicit ElfFile(const std::filesystem::path& path);

  /// The bytes of the first section of that name, or nothing.
  std::optional<std::string_view> section(std::string_view name) const;

  /// What the system's loader is told: libraries that are needed, by name, and folders to look in
  /// before its own, `$ORIGIN` as written.
  struct Dependencies {
    std::vector<std::string> needed;
    std::vector<std::string> run_path;
  };
  Dependencies dependencies() const;

 private:
  template <class T>
  T read_at(std::uint64_t offset) const;
  std::string_view range(std::uint64_t offset, std::uint64_t size, const char* what) const;
  void check_header() const;
  void find_sections();
  void check_segments() const;

  std::filesystem::path path_;
  MappedFile file_;
  Elf64_Ehdr header_{};
  std::uint64_t section_count_ = 0;
  std::string_view names_;
};

}  // namespace retake::plugin

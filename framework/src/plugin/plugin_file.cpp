#include "plugin/plugin_file.hpp"

#include <algorithm>

#include "plugin/elf_file.hpp"
#include "plugin/errors.hpp"
#include "plugin/table.hpp"

namespace retake::plugin {
namespace {

namespace fs = std::filesystem;

Stamp stamp_of(const ElfFile& elf, const fs::path& path) {
  const auto section = elf.section(kStampSection);
  if (!section) {
    fail("E214", path, "has no stamp: it is no Retake plugin, or was built without RETAKE_PLUGIN",
         "build it with retake_add_plugin, or move it out of the plugin folder");
  }
  return parse_stamp(*section, path);
}

}  // namespace

Stamp read_stamp(const fs::path& path) {
  return stamp_of(ElfFile(path), path);
}

BuildFacts read_build_facts(const fs::path& path) {
  const ElfFile elf(path);
  const auto text = [&elf](const char* section) {
    const std::string_view found = elf.section(section).value_or(std::string_view{});
    // They go into JSON, which holds no text but UTF-8.
    const bool plain =
        std::all_of(found.begin(), found.end(), [](char c) { return c >= ' ' && c <= '~'; });
    return plain ? std::string(found) : std::string();
  };
  return {text(kCommitSection), text(kFlagsSection)};
}

PluginFile read_plugin_file(const fs::path& path) {
  const ElfFile elf(path);
  PluginFile file{path, stamp_of(elf, path), {}};
  require_host_abi(file.stamp, path);
  const auto table = elf.section(kTableSection);
  if (!table) {
    fail("E216", path, "has a stamp but no component table",
         "build it with retake_add_plugin, which embeds the table after the link; a linker or "
         "`strip` run by hand loses it");
  }
  file.components = parse_table(*table, path);
  check_components(file.components, file.stamp, path);
  return file;
}

}  // namespace retake::plugin

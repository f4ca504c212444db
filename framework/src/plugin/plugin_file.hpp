#pragma once
// A plugin's file as known without loading it.

#include <filesystem>
#include <string>
#include <vector>

#include "plugin/stamp.hpp"
#include "retake/component.hpp"

namespace retake::plugin {

struct PluginFile {
  std::filesystem::path path;
  Stamp stamp;
  std::vector<ComponentInfo> components;  ///< from the embedded table; `file` is set
};

/// The stamp of a library, compared with nothing. Throws PluginError: E210 to E213 for what is no
/// readable x86-64 shared library, E214 without or with a damaged stamp.
Stamp read_stamp(const std::filesystem::path& path);

/// How a library was built, for the records: nothing is decided by it.
struct BuildFacts {
  /// Of its sources, "+" behind it when they differed from it; empty outside a git repository.
  std::string commit;
  /// What the compiler was given, less warnings, definitions and paths; empty when unknown.
  std::string flags;
};

/// What retake_add_plugin embedded. Throws as read_stamp for what is no shared library.
BuildFacts read_build_facts(const std::filesystem::path& path);

/// Reads stamp and table, in this order, each step with its own error: E210 to E214, then E215
/// built for another ABI, E216 no table, E217 damaged table, E222 to E228 for what the table says.
PluginFile read_plugin_file(const std::filesystem::path& path);

}  // namespace retake::plugin

#pragma once
// A plugin's file as known without loading it.

#include <filesystem>
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

/// The commit of the library's sources, "+" behind it when they differed from it; empty when it was
/// built outside a git repository. Throws as read_stamp for what is no shared library.
std::string read_commit(const std::filesystem::path& path);

/// Reads stamp and table, in this order, each step with its own error: E210 to E214, then E215
/// built for another ABI, E216 no table, E217 damaged table, E222 to E228 for what the table says.
PluginFile read_plugin_file(const std::filesystem::path& path);

}  // namespace retake::plugin

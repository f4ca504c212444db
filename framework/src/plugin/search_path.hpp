#pragma once
// Where plugins are looked for.

#include <filesystem>
#include <string>
#include <vector>

namespace retake::plugin {

/// One entry of the search path, in order of precedence.
struct SearchFolder {
  std::filesystem::path path;  ///< absolute; empty for a variable that is not set
  std::string label;           ///< as a user reads it: "./build/plugins", "$RETAKE_PLUGIN_PATH"
};

/// The folders to search: those of `--plugin-path`, of $RETAKE_PLUGIN_PATH (separated by colons),
/// that of the build or installation this executable belongs to, ~/.local/lib/retake. A folder
/// that stands twice is kept where it stands first. Throws PluginError E209 when a folder of
/// `--plugin-path` does not exist.
std::vector<SearchFolder> search_path(const std::vector<std::string>& plugin_path);

/// A path as people write it: "./build/plugins" below the working folder, "~/x" below the home.
std::string display_path(const std::filesystem::path& path);

}  // namespace retake::plugin

#pragma once
// Embedding the component table after the link. Used by the `retake-plugin-table` tool alone.

#include <chrono>
#include <filesystem>
#include <string>

#include "plugin/plugin_file.hpp"

namespace retake::plugin {

/// In the child: loads the library and gives its table's text. Throws PluginError as open_plugin
/// and check_components do.
std::string dump_table(const std::filesystem::path& library);

/// Runs `program --dump LIBRARY` in a child process and gives what it wrote. Throws PluginError
/// E231 when the child fails, dies of a signal or does not end within `limit`.
std::string dump_in_child(const std::filesystem::path& program,
                          const std::filesystem::path& library, std::chrono::seconds limit);

/// Puts the table, and the facts that are not empty, into sections of the library with objcopy;
/// the file is replaced atomically. Throws PluginError E232 when objcopy fails.
void embed_table(const std::filesystem::path& library, const std::string& table,
                 const std::filesystem::path& objcopy, const BuildFacts& facts = {});

}  // namespace retake::plugin

#pragma once
// How the plugin room fails: always with the file, the cause and a remedy.

#include <filesystem>
#include <string>
#include <vector>

#include "retake/error.hpp"

namespace retake::plugin {

/// Throws PluginError "libx.so: WHAT" about that file.
[[noreturn]] inline void fail(const char* id, const std::filesystem::path& file,
                              const std::string& what, std::string help,
                              std::vector<std::string> facts = {}) {
  Diagnostic d =
      file_diagnostic(id, file.string(), file.filename().string() + ": " + what, std::move(help));
  d.facts = std::move(facts);
  throw PluginError(std::move(d));
}

}  // namespace retake::plugin

#include "plugin/search_path.hpp"

#include <algorithm>
#include <cstdlib>

#include "core/program.hpp"
#include "plugin/errors.hpp"

namespace retake::plugin {
namespace {

namespace fs = std::filesystem;

fs::path normal(const fs::path& path) {
  std::error_code failed;
  fs::path out = fs::weakly_canonical(path, failed);
  return failed ? fs::absolute(path).lexically_normal() : out;
}

std::vector<std::string> split(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= text.size();) {
    const std::size_t end = std::min(text.find(':', at), text.size());
    if (end > at) out.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::string() : std::string(value);
}

bool below(const fs::path& path, const fs::path& root) {
  return !root.empty() &&
         std::mismatch(root.begin(), root.end(), path.begin(), path.end()).first == root.end();
}

/// E209 unless `path` is a folder.
void require_folder(const fs::path& path) {
  std::error_code failed;
  if (fs::is_directory(path, failed)) return;
  if (failed && failed != std::errc::no_such_file_or_directory &&
      failed != std::errc::not_a_directory) {
    throw PluginError(file_diagnostic("E209", path.string(),
                                      "the plugin folder cannot be looked at: " + failed.message(),
                                      "check the permissions of the folders above it"));
  }
  if (!fs::exists(path, failed)) {
    throw PluginError(file_diagnostic("E209", path.string(), "the plugin folder does not exist",
                                      "check the path given to --path or --plugin-path"));
  }
  const std::string folder = path.has_parent_path() ? path.parent_path().string() : ".";
  throw PluginError(file_diagnostic(
      "E209", path.string(), "this is a file, and plugins are looked for in folders",
      "give the folder that it lies in, " + folder + ";  retake plugins doctor " + path.string() +
          "  tells about this one file"));
}

class Builder {
 public:
  void add(const fs::path& path, const std::string& suffix = {}) {
    const fs::path folder = normal(path);
    for (const SearchFolder& known : folders) {
      if (known.path == folder) return;
    }
    folders.push_back({folder, display_path(folder) + suffix});
  }
  std::vector<SearchFolder> folders;
};

}  // namespace

std::string display_path(const fs::path& path) {
  std::error_code failed;
  const fs::path here = fs::current_path(failed);
  if (!failed && here != here.root_path() && below(path, here)) {
    return "./" + path.lexically_relative(here).string();
  }
  const fs::path home = variable("HOME");
  if (home != home.root_path() && below(path, home)) {
    return "~/" + path.lexically_relative(home).string();
  }
  return path.string();
}

std::vector<SearchFolder> search_path(const std::vector<std::string>& plugin_path) {
  Builder builder;
  for (const std::string& folder : plugin_path) {
    require_folder(folder);
    builder.add(folder);
  }
  const std::vector<std::string> from_variable = split(variable("RETAKE_PLUGIN_PATH"));
  for (const std::string& folder : from_variable) builder.add(folder, " of $RETAKE_PLUGIN_PATH");

  std::error_code failed;
  const fs::path installed = program_root() / "lib" / "retake" / "plugins";
  builder.add(fs::is_directory(installed, failed) ? installed : program_root() / "plugins");
  const fs::path home = variable("HOME");
  if (!home.empty()) builder.add(home / ".local" / "lib" / "retake");
  if (from_variable.empty()) builder.folders.push_back({{}, "$RETAKE_PLUGIN_PATH"});
  return std::move(builder.folders);
}

}  // namespace retake::plugin

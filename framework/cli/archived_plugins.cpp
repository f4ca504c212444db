#include "archived_plugins.hpp"

namespace retake::cli {

PluginError with_archived_plugins(const PluginError& error, const std::filesystem::path& run) {
  std::vector<Diagnostic> all = error.diagnostics();
  std::error_code none;
  const std::filesystem::path bin = run / "bin";
  if (!all.empty() && std::filesystem::is_directory(bin, none)) {
    all.back().help =
        "the run has copies of its plugins: go on with  --plugin-path " + bin.string();
  }
  return PluginError(std::move(all));
}

}  // namespace retake::cli

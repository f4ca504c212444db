// The experiments of the tree against the plugins of the build: every experiment resolves, every
// component is used by one. Read from the embedded tables: no plugin is loaded.

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "catch.hpp"
#include "config/experiment.hpp"
#include "core/diagnostics.hpp"
#include "plugin/registry.hpp"

namespace fs = std::filesystem;
using retake::Value;

namespace {

const fs::path kRoot = RETAKE_SOURCE_DIR;

/// Components that no experiment can show, and why.
const std::map<std::string, std::string> kExceptions{
    {"aligner/identity", "the baseline that `retake align -a identity` compares with"},
};

const retake::plugin::Registry& registry() {
  static const retake::plugin::Registry all(
      std::vector<retake::plugin::SearchFolder>{{fs::path(RETAKE_PLUGIN_FOLDER), "plugins"}});
  return all;
}

std::vector<fs::path> toml_files(const fs::path& folder) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.path().extension() == ".toml") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  return files;
}

/// "kind/plugin" of every component table, bases included.
std::set<std::string> components_of(const fs::path& file) {
  std::set<std::string> found;
  const auto kinds = registry().kinds();
  const auto add = [&](const std::string& kind, const Value& table) {
    const Value* plugin = table.is_table() ? table.as_table().find("plugin") : nullptr;
    if (plugin == nullptr) return false;
    found.insert(kind + "/" + plugin->as_string());
    return true;
  };
  const auto merged = retake::config::merge_experiment(file);
  for (const auto& [kind, value] : merged.tree.as_table()) {
    if (std::find(kinds.begin(), kinds.end(), kind) == kinds.end() || !value.is_table()) continue;
    if (add(kind, value)) continue;
    for (const auto& [name, inner] : value.as_table()) add(kind, inner);
  }
  return found;
}

/// A build without LibTorch lacks the plugins that need it, and nothing else.
bool lacks_torch_plugins(const retake::PluginError& error) {
  return RETAKE_HAS_NN == 0 &&
         std::all_of(error.diagnostics().begin(), error.diagnostics().end(),
                     [](const retake::Diagnostic& d) { return d.id == "E201"; });
}

}  // namespace

TEST_CASE("every experiment resolves", "[structure]") {
  const auto files = toml_files(kRoot / "experiments");
  REQUIRE(files.size() >= 3);
  std::set<std::string> names;
  for (const fs::path& file : files) {
    INFO(file);
    try {
      const auto e = retake::config::resolve_experiment(file, registry());
      CHECK(!e.components.empty());
      CHECK(names.insert(e.experiment.name).second);  // runs are told apart by it
      for (const auto& note : e.notes) {
        INFO(retake::render(note, false));
        CHECK(note.severity == retake::Severity::note);
      }
    } catch (const retake::PluginError& error) {
      INFO(retake::render(error.diagnostics(), false));
      CHECK(lacks_torch_plugins(error));
    } catch (const retake::Error& error) {
      FAIL(retake::render(error.diagnostics(), false));
    }
  }
}

TEST_CASE("every component of the build is used by an experiment", "[structure]") {
  for (const auto& problem : registry().problems()) FAIL(retake::render(problem, false));
  std::set<std::string> used;
  for (const fs::path& file : toml_files(kRoot / "experiments")) used.merge(components_of(file));
  std::set<std::string> built;
  for (const std::string& kind : registry().kinds()) {
    for (const std::string& name : registry().names(kind)) built.insert(kind + "/" + name);
  }
  REQUIRE(built.size() >= (RETAKE_HAS_NN != 0 ? 20U : 8U));
  for (const std::string& component : built) {
    INFO(component << " is in no experiment and has no reason to be in none");
    CHECK((used.count(component) == 1 || kExceptions.count(component) == 1));
  }
  for (const auto& [component, reason] : kExceptions) {
    INFO(component << " is an exception (" << reason << ")");
    CHECK(built.count(component) == 1);
    CHECK(used.count(component) == 0);
  }
}

TEST_CASE("every fragment in configs/ is part of an experiment", "[structure]") {
  std::set<fs::path> read;
  for (const fs::path& file : toml_files(kRoot / "experiments")) {
    const auto merged = retake::config::merge_experiment(file);
    for (const auto& [path, origins] : merged.origins) {
      for (const auto& origin : origins) {
        if (origin.source != nullptr) read.insert(fs::weakly_canonical(origin.source->name));
      }
    }
  }
  for (const fs::path& file : toml_files(kRoot / "configs")) {
    INFO(file);
    CHECK(read.count(fs::weakly_canonical(file)) == 1);
  }
}

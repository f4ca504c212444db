#pragma once
// Made-up components and files for the tests of the config room.

#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include "config/catalog.hpp"
#include "config/experiment.hpp"
#include "core/diagnostics.hpp"
#include "retake/plugin.hpp"

namespace config_test {

using namespace retake;
using namespace retake::config;

class FakeCatalog : public Catalog {
 public:
  FakeCatalog();
  std::vector<std::string> kinds() const override;
  const ComponentInfo* find(std::string_view kind, std::string_view name) const override;
  std::vector<std::string> names(std::string_view kind) const override;
  std::vector<std::string> looked_in() const override {
    return {"./build/plugins (6 libraries)", "$RETAKE_PLUGIN_PATH (not set)"};
  }
  std::vector<std::string> load_problems() const override {
    return {"libmy_model.so: built for ABI 77fe01b2c3d4, host has 81c0ffee12ab"};
  }

 private:
  template <class P>
  ComponentInfo& add(const std::string& kind, const std::string& name);
  std::map<std::string, ComponentInfo> all_;
};

/// One catalog for all tests.
const FakeCatalog& catalog();

/// A fresh folder, removed at the end.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::filesystem::path write(const std::string& name, const std::string& text) const;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

/// A small experiment without errors.
extern const char* const kGood;

LoadOptions with_overrides(const std::vector<std::string>& overrides);
/// Resolves one text; "--unset x" among the overrides unsets.
ResolvedExperiment resolve(const std::string& toml, const std::vector<std::string>& overrides = {});
/// What resolving the text reports; empty when it resolves.
std::vector<Diagnostic> errors_of(const std::string& toml,
                                  const std::vector<std::string>& overrides = {});
std::vector<Diagnostic> errors_of_file(const std::filesystem::path& file,
                                       const LoadOptions& options = {});
std::string shown(const std::vector<Diagnostic>& diagnostics);
std::vector<std::string> ids(const std::vector<Diagnostic>& diagnostics);

}  // namespace config_test

// What `cmake --install` puts in place, and that it stands on its own.

#include <algorithm>

#include "catch.hpp"
#include "core/files.hpp"
#include "retake/value.hpp"
#include "sdk.hpp"

namespace fs = std::filesystem;

namespace {

const fs::path kSource = RETAKE_SOURCE_DIR;

/// A file that belongs into an installation, by its path in it.
bool expected(const std::string& file) {
  for (const char* folder : {"include/retake/", "share/retake/configs/",
                             "share/retake/experiments/", "share/retake/templates/"}) {
    if (file.starts_with(folder)) return true;
  }
  for (const char* folder : {"lib/retake/plugins/", "lib/cmake/Retake/", "lib/libretake", "bin/"}) {
    if (file.starts_with(folder)) return true;
  }
  return file.starts_with("share/retake/docs/") && file.ends_with(".schema.json");
}

}  // namespace

TEST_CASE("an installation holds the SDK and nothing else", "[sdk]") {
  const sdk::Installation installed;
  const std::vector<std::string> files = sdk::files_below(installed.prefix());
  for (const std::string& file : files) {
    INFO(file);
    CHECK(expected(file));
    if (file.starts_with("share/retake/templates/")) continue;
    if (file == "include/retake/testing/context.hpp") continue;  // for tests of components
    CHECK_FALSE(sdk::contains(file, "test"));
    CHECK_FALSE((file.ends_with(".cpp") || file.ends_with(".cu")));
  }
  CHECK(sdk::files_below(installed.prefix() / "include/retake") ==
        sdk::files_below(kSource / "framework/include/retake"));
  CHECK(sdk::files_below(installed.prefix() / "share/retake/templates") ==
        sdk::files_below(kSource / "framework/templates"));
  for (const char* file :
       {"bin/retake", "bin/retake-plugin-table", "lib/libretake.so", "lib/libretake_audio.so",
        "lib/libretake_nn.so", "lib/cmake/Retake/RetakeConfig.cmake",
        "lib/cmake/Retake/RetakeConfigVersion.cmake", "lib/cmake/Retake/RetakePlugin.cmake",
        "lib/cmake/Retake/kinds/model.inc", "share/retake/docs/edl.schema.json"}) {
    INFO(file);
    CHECK(std::count(files.begin(), files.end(), file) == 1);
  }
}

TEST_CASE("an installation names neither the sources nor the build folder", "[sdk]") {
  const sdk::Installation installed;
  for (const std::string& file : sdk::files_below(installed.prefix())) {
    INFO(file);
    const std::string bytes = retake::read_file(installed.prefix() / file);
    CHECK_FALSE(sdk::contains(bytes, RETAKE_BINARY_DIR));
    CHECK_FALSE(sdk::contains(bytes, RETAKE_SOURCE_DIR));
  }
}

TEST_CASE("an installed host finds its own plugins and runs after a move", "[sdk]") {
  const sdk::Installation installed;
  const fs::path moved = installed.scratch() / "elsewhere";
  fs::rename(installed.prefix(), moved);
  const std::string program = (moved / "bin/retake").string();
  const sdk::End list = sdk::run({program, "plugins", "list", "--json"}, installed.scratch());
  INFO(list.output);
  REQUIRE(list.code == 0);
  const retake::Value value = retake::parse_json(list.output, "plugins list");
  const auto& components = value.as_table().at("components").as_array();
  CHECK(components.size() >= 20);
  CHECK(value.as_table().at("problems").as_array().empty());
  for (const auto& component : components) {
    CHECK(component.as_table().at("file").as_string().starts_with(moved.string()));
  }
  // The nn room, the plugins' own libraries and LibTorch are found as well.
  const sdk::End run = sdk::run({program, "run",
                                 (moved / "share/retake/experiments/smoke/"
                                          "policy.toml")
                                     .string(),
                                 "train.max_steps=1", "dataset.pairs=4", "dataset.minutes=0.5"},
                                installed.scratch());
  INFO(run.output);
  CHECK(run.code == 0);
}

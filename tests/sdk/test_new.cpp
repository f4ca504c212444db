// `retake new`: names, files that nothing is lost to, and what it writes.

#include <unistd.h>

#include <fstream>

#include "catch.hpp"
#include "core/files.hpp"
#include "retake/value.hpp"
#include "sdk.hpp"

namespace fs = std::filesystem;

namespace {

const std::string kProgram = RETAKE_BINARY_DIR "/bin/retake";
const fs::path kSource = RETAKE_SOURCE_DIR;
const std::string kDemo = RETAKE_SOURCE_DIR "/experiments/pointer/demo.toml";

class Folder {
 public:
  Folder() : path(fs::temp_directory_path() / ("retake-new-" + std::to_string(::getpid()))) {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  sdk::End retake(std::vector<std::string> words) const {
    words.insert(words.begin(), kProgram);
    return sdk::run(words, path);
  }
  /// Refused with this exit code and text, and nothing written.
  void refused(const std::vector<std::string>& words, int code, const std::string& text) const {
    const auto before = sdk::files_below(path);
    const sdk::End end = retake(words);
    INFO(end.output);
    CHECK(end.code == code);
    CHECK(sdk::contains(end.output, text));
    CHECK(sdk::files_below(path) == before);
  }

  const fs::path path;
};

}  // namespace

TEST_CASE("every kind has a template", "[new]") {
  for (const auto& header : fs::directory_iterator(kSource / "framework/include/retake/kinds")) {
    const fs::path folder = kSource / "framework/templates/plugin" / header.path().stem();
    INFO(folder);
    CHECK(fs::exists(folder / "plugin_name.cpp"));
    CHECK(fs::exists(folder / "smoke.toml"));
    CHECK(fs::exists(folder / "about.md"));
  }
}

TEST_CASE("new plugin refuses names and kinds that cannot be", "[new]") {
  const Folder here;
  here.refused({"new", "plugin", "mine", "--kind", "los"}, 2, "did you mean `loss`?");
  here.refused({"new", "plugin", "mine", "--kind", "common"}, 2, "feature_extractor");
  here.refused({"new", "plugin", "mine"}, 2, "--kind KIND is needed");
  here.refused({"new", "plugin", "--kind", "loss"}, 2, "E005");
  for (const char* name : {"Mine", "1st", "my-loss", "_mine", "mine_", "a__b", "../mine", "mïne"}) {
    here.refused({"new", "plugin", name, "--kind", "loss"}, 2, "error[E021]");
  }
  here.refused({"new", "plugin", std::string(65, 'a'), "--kind", "loss"}, 2, "error[E021]");
  here.refused({"new", "plugin", "test", "--kind", "loss"}, 2, "the build keeps for itself");
  here.refused({"new", "plugin", "params", "--kind", "loss"}, 2, "error[E021]");
  here.refused({"new", "plugin", "keep_bce", "--kind", "loss"}, 2, "installed loss");
  // The library of that name holds components of other names.
  here.refused({"new", "plugin", "timeline_losses", "--kind", "loss"}, 2, "installed plugin");
}

TEST_CASE("new plugin overwrites nothing", "[new]") {
  const Folder here;
  fs::create_directories(here.path / "mine");
  std::ofstream(here.path / "mine/precious.txt") << "mine";
  here.refused({"new", "plugin", "mine", "--kind", "loss"}, 2, "error[E020]");
  fs::create_symlink("nowhere", here.path / "dangling");
  here.refused({"new", "plugin", "dangling", "--kind", "loss"}, 2, "error[E020]");
}

TEST_CASE("new refuses a file where a folder is needed", "[new]") {
  const Folder here;
  std::ofstream(here.path / "afile") << "mine";
  for (const char* folder : {"afile", "afile/below/it"}) {
    here.refused({"new", "plugin", "mine", "--kind", "loss", "-o", folder}, 2, "error[E004]");
    here.refused({"new", "experiment", "mine", "-o", folder}, 2,
                 "is a file, and a folder is needed");
  }
}

TEST_CASE("new plugin fills in every word and says what comes next", "[new]") {
  const Folder here;
  for (const auto& header : fs::directory_iterator(kSource / "framework/include/retake/kinds")) {
    const std::string kind = header.path().stem().string();
    const std::string name = "my_" + kind;
    const sdk::End end =
        here.retake({"new", "plugin", name, "--kind", kind, "-o", "many/plugins", "--json"});
    INFO(end.output);
    REQUIRE(end.code == 0);
    const retake::Value made = retake::parse_json(end.output, "new");
    const bool needs_data = kind == "aligner";
    CHECK(made.as_table().at("next").as_array().size() == (needs_data ? 6 : 4));
    CHECK(sdk::contains(end.output, "retake synth data/pairs") == needs_data);
    const fs::path folder = here.path / "many/plugins" / name;
    CHECK(made.as_table().at("files").as_array().size() == sdk::files_below(folder).size());
    for (const char* file :
         {"CMakeLists.txt", "README.md", ".gitignore", "smoke.toml", "test/CMakeLists.txt"}) {
      CHECK(fs::exists(folder / file));
    }
    CHECK(fs::exists(folder / (name + ".cpp")));
    CHECK_FALSE(fs::exists(folder / "data.sh"));
    CHECK(sdk::contains(retake::read_file(folder / "README.md"),
                        "\nretake synth data/pairs --pairs 4") == needs_data);
    for (const std::string& file : sdk::files_below(folder)) {
      INFO(file);
      const std::string text = retake::read_file(folder / file);
      for (const char* word :
           {"plugin_name", "PluginName", "plugin_kind", "plugin_about", "plugin_data"}) {
        CHECK_FALSE(sdk::contains(text, word));
      }
    }
  }
}

TEST_CASE("new experiment and new sweep write files that check accepts", "[new]") {
  const Folder here;
  REQUIRE(here.retake({"new", "experiment", "first"}).code == 0);
  const sdk::End first = here.retake({"check", "first.toml"});
  INFO(first.output);
  CHECK(first.code == 0);
  REQUIRE(here.retake({"new", "experiment", "child", "--from", "first.toml", "-o", "sub"}).code ==
          0);
  const sdk::End child = here.retake({"check", "sub/child.toml"});
  INFO(child.output);
  CHECK(child.code == 0);
  CHECK(sdk::contains(child.output, "ok  child"));

  const sdk::End made = here.retake({"new", "sweep", "rates", "--from", kDemo});
  INFO(made.output);
  REQUIRE(made.code == 0);
  const std::string sweep = retake::read_file(here.path / "rates.sweep.toml");
  CHECK(sdk::contains(sweep, "\n\"optimizer.lr\" = { log = ["));
  CHECK_FALSE(sdk::contains(sweep, "sweep_"));
  const sdk::End checked = here.retake({"check", "rates.sweep.toml"});
  INFO(checked.output);
  CHECK(checked.code == 0);

  here.refused({"new", "experiment", "first"}, 2, "error[E020]");
  here.refused({"new", "sweep", "rates", "--from", kDemo}, 2, "error[E020]");
  here.refused({"new", "sweep", "other"}, 2, "--from EXP is needed");
  here.refused({"new", "sweep", "other", "--from", "missing.toml"}, 3, "error[E100]");
  here.refused({"new", "experiment", "other", "--from", "missing.toml"}, 3, "error[E100]");
}

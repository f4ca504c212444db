// Inheritance: the merge cases, each against its golden resolution.

#include <cstdlib>

#include "catch.hpp"
#include "config/layers.hpp"
#include "config/write.hpp"
#include "core/files.hpp"
#include "fixture.hpp"

using namespace config_test;

namespace {

/// What a folder of tests/golden/merge merges to: `child.toml` with what it extends.
Layers merged(const std::filesystem::path& file, Findings& findings,
              const std::vector<std::string>& overrides = {}, const LoadOptions& base = {}) {
  LoadOptions options = with_overrides(overrides);
  options.config_path = base.config_path;
  options.set_files = base.set_files;
  return load_layers(file, options, findings);
}

/// `arguments.txt` of a case: overrides as typed, one a line, and --set-file FILE.
void read_arguments(const std::filesystem::path& folder, std::vector<std::string>& overrides,
                    LoadOptions& options) {
  std::ifstream in(folder / "arguments.txt");
  const std::string set_file = "--set-file ";
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(set_file)) {
      options.set_files.push_back(folder / line.substr(set_file.size()));
    } else {
      overrides.push_back(line);
    }
  }
}

std::string golden_text(const std::filesystem::path& folder) {
  Findings findings;
  std::vector<std::string> overrides;
  LoadOptions options;
  read_arguments(folder, overrides, options);
  const Layers layers = merged(folder / "child.toml", findings, overrides, options);
  std::string out = write_toml(layers.document.tree);
  for (const Diagnostic& note : findings.notes())
    out += "# " + note.id + ": " + note.message + "\n";
  CHECK_FALSE(findings.any());
  return out;
}

std::string error_id(const std::filesystem::path& file, const LoadOptions& options = {}) {
  const auto all = errors_of_file(file, options);
  return all.empty() ? "" : all[0].id;
}

}  // namespace

TEST_CASE("merge cases equal their golden resolution") {
  const std::filesystem::path root =
      std::filesystem::path(RETAKE_SOURCE_DIR) / "tests/golden/merge";
  std::vector<std::filesystem::path> folders;
  for (const auto& entry : std::filesystem::directory_iterator(root)) {
    if (entry.is_directory()) folders.push_back(entry.path());
  }
  CHECK(folders.size() >= 20);
  for (const auto& folder : folders) {
    INFO(folder.filename().string());
    const auto expected = folder / "expected.toml";
    // RETAKE_WRITE_GOLDEN=1 writes them anew, to be read before they are committed.
    if (std::getenv("RETAKE_WRITE_GOLDEN") != nullptr)
      write_file_atomic(expected, golden_text(folder));
    CHECK(golden_text(folder) == read_file(expected));
  }
}

TEST_CASE("a circle of bases is shown as a chain") {
  const Folder folder;
  folder.write("a.toml", "extends = \"base/b.toml\"\n");
  folder.write("base/b.toml", "extends = [\"c.toml\"]\n");
  folder.write("base/c.toml", "extends = \"../a.toml\"\n");
  const auto all = errors_of_file(folder.path() / "a.toml");
  REQUIRE(all.size() == 1);
  CHECK(all[0].id == "E131");
  const std::string dir = folder.path().string() + "/";
  CHECK(all[0].message == "inheritance goes round: " + dir + "a.toml -> " + dir +
                              "base/b.toml -> " + dir + "base/c.toml -> " + dir + "a.toml");
  folder.write("self.toml", "extends = \"self.toml\"\n");
  CHECK(error_id(folder.path() / "self.toml") == "E131");
}

TEST_CASE("the same base by two ways is no circle") {
  const Folder folder;
  folder.write("root.toml", "[model]\nplugin = \"pointer_network\"\nd_model = 32\n");
  folder.write("a.toml", "extends = \"root.toml\"\n[model]\nencoder_layers = 4\n");
  folder.write("b.toml", "extends = \"root.toml\"\n[model]\nn_heads = 8\n");
  const auto file = folder.write("c.toml", "extends = [\"a.toml\", \"b.toml\"]\n");
  const auto e = resolve_experiment(file, catalog());
  CHECK(e.find("model")->params.at("encoder_layers") == Value(4));
  CHECK(e.find("model")->params.at("n_heads") == Value(8));
  CHECK(e.files.size() == 4);
}

TEST_CASE("bases are sought beside the file, then in the config path") {
  const Folder folder;
  folder.write("lib/m.toml", "[model]\nplugin = \"keep_cut\"\n");
  const auto file = folder.write("exp/e.toml", "extends = \"m.toml\"\n");
  LoadOptions options;
  CHECK(error_id(file) == "E130");
  options.config_path = {folder.path() / "lib"};
  CHECK(resolve_experiment(file, catalog(), options).find("model")->plugin == "keep_cut");
  folder.write("exp/m.toml", "[model]\nplugin = \"mel_unet\"\n");
  CHECK(resolve_experiment(file, catalog(), options).find("model")->plugin == "mel_unet");
}

TEST_CASE("a base is sought from where a link leads, as the system would") {
  const Folder folder;
  namespace fs = std::filesystem;
  folder.write("real/conf/base.toml", kGood);
  folder.write("real/exp/deep/e.toml", "extends = \"../../conf/base.toml\"\n");
  folder.write("work/conf/base.toml", std::string(kGood) + "[broken");
  fs::create_directory_symlink(folder.path() / "real/exp", folder.path() / "work/exp");
  const auto e = resolve_experiment(folder.path() / "work/exp/deep/e.toml", catalog(), {});
  REQUIRE(e.files.size() == 2);
  CHECK(fs::equivalent(e.files[1].first, folder.path() / "real/conf/base.toml"));
}

TEST_CASE("names that no folder can have are refused, the file's own too") {
  const Folder folder;
  const auto long_name = folder.write(std::string(200, 'z') + ".toml", kGood);
  std::string nameless = kGood;
  const std::size_t at = nameless.find("name");
  REQUIRE(at != std::string::npos);
  nameless.erase(at, nameless.find('\n', at) - at);
  folder.write(std::string(200, 'z') + ".toml", nameless);
  CHECK(error_id(long_name) == "E107");
  CHECK(error_id(folder.write("ok.toml", nameless)).empty());
}

TEST_CASE("a component has a name and is no list") {
  CHECK(ids(errors_of(std::string(kGood) + "[loss.\"\"]\nplugin = \"stop_bce\"\n", {})) ==
        std::vector<std::string>{"E105"});
  const auto list = errors_of(std::string(kGood) + "[[loss.more]]\nplugin = \"stop_bce\"\n", {});
  REQUIRE(ids(list) == std::vector<std::string>{"E105"});
  CHECK(list[0].help == "write  [loss.more]");
}

TEST_CASE("missing files and malformed extends are told with place and remedy") {
  const Folder folder;
  CHECK(error_id(folder.path() / "none.toml") == "E100");
  CHECK(error_id(folder.path()) == "E100");
  folder.write("small.toml", kGood);
  const auto file = folder.write("e.toml", "extends = \"smal.toml\"\n");
  const auto all = errors_of_file(file);
  REQUIRE(all.size() == 1);
  CHECK(all[0].id == "E130");
  CHECK(all[0].help.find("small.toml") != std::string::npos);
  CHECK(all[0].place->line == 1);
  CHECK(all[0].place->column == 11);
  folder.write("f.toml", "extends = 3\n");
  CHECK(error_id(folder.path() / "f.toml") == "E132");
  folder.write("g.toml", "extends = [\"small.toml\", 3]\n");
  CHECK(error_id(folder.path() / "g.toml") == "E132");
}

TEST_CASE("a base that cannot be had hides no other mistake, and makes none") {
  const Folder folder;
  folder.write("broken.toml", "[model\n");
  folder.write("part.toml", "[train]\nbatch = 0\n");
  const std::string own =
      "[model]\nactivation = \"relu\"\n[loss.stop]\nweight = \"much\"\n[experiment]\nsed = 3\n"
      "[trainer]\nplugin = \"pointr\"\n[merge]\nkeep = [\"model.d_model\"]\n";
  const auto file =
      folder.write("e.toml", "extends = [\"none.toml\", \"broken.toml\", \"part.toml\"]\n" + own);
  LoadOptions options = with_overrides({"optimizer.betas[0]=1", "run.thread=2"});
  const auto all = errors_of_file(file, options);
  INFO(shown(all));
  CHECK(ids(all) == std::vector<std::string>{"E130", "E101", "E103", "E201", "E107", "E103"});
  // Twice the same lost base is told once.
  folder.write("a.toml", "extends = \"broken.toml\"\n");
  folder.write("b.toml", "extends = \"broken.toml\"\n");
  CHECK(ids(errors_of_file(folder.write("two.toml", "extends = [\"a.toml\", \"b.toml\"]\n"))) ==
        std::vector<std::string>{"E101"});
}

TEST_CASE("an error in a base says who inherits it") {
  const Folder folder;
  folder.write("base.toml", "[model]\nplugin = \"pointer_network\"\n\nlayrs = 4\n");
  const auto file = folder.write("e.toml", "# first\nextends = \"base.toml\"\n");
  const auto all = errors_of_file(file);
  REQUIRE(all.size() == 1);
  CHECK(all[0].place->file.ends_with("base.toml"));
  CHECK(all[0].place->line == 4);
  CHECK(all[0].place->column == 1);
  CHECK(all[0].place->length == 5);
  CHECK(all[0].place->source_line == "layrs = 4");
  CHECK(all[0].place->via == "inherited by " + file.string() + ":2");
}

TEST_CASE("merge rules that do nothing are errors") {
  const auto id = [](const std::string& text) {
    const auto all = errors_of(text + "\n[model]\nplugin = \"mel_unet\"\n");
    return all.empty() ? std::string() : all[0].id;
  };
  CHECK(id("[merge]\ndelete = [\"nothing\"]") == "E133");
  CHECK(id("[merge]\nkeep = [\"model.x\"]") == "E133");
  CHECK(id("[merge]\nappend = [\"dataset.roots\"]") == "E133");
  CHECK(id("[merge]\nappend = \"dataset.roots\"") == "E133");
  CHECK(id("[merge]\nappend = [3]") == "E133");
  CHECK(id("[merge]\napend = []") == "E133");
  CHECK(id("[merge]\ndelete = [\"a..b\"]") == "E133");
}

TEST_CASE("overrides: set, append, unset, indices, new plugins") {
  CHECK(resolve(kGood, {"model.d_model=256"}).find("model")->params.at("d_model") == Value(256));
  CHECK(resolve(kGood, {"dataset.roots+=[\"more\"]"}).find("dataset")->params.at("roots") ==
        Value(Array{"pairs", "more"}));
  CHECK(resolve(kGood, {"dataset.roots+=more"}).find("dataset")->params.at("roots") ==
        Value(Array{"pairs", "more"}));
  CHECK(resolve(kGood, {"dataset.roots[0]=other"}).find("dataset")->params.at("roots") ==
        Value(Array{"other"}));
  // Appending to what nothing wrote grows the schema's default.
  CHECK(resolve(kGood, {"editor.marks+=b", "editor.marks+=c"}).find("editor")->params.at("marks") ==
        Value(Array{"a", "b", "c"}));
  CHECK(resolve(kGood, {"editor.marks+=b", "editor.marks=[\"z\"]"})
            .find("editor")
            ->params.at("marks") == Value(Array{"z"}));
  CHECK(resolve(kGood, {"--unset model.d_model"}).find("model")->params.at("d_model") == Value(64));
  CHECK(resolve(kGood, {"loss.stop.enabled=false"}).all("loss").size() == 1);
  CHECK(resolve(kGood, {"experiment.notes=a, b"}).experiment.notes == "a, b");
  CHECK(resolve(kGood, {"experiment.notes="}).experiment.notes.empty());
  CHECK(resolve(kGood, {"watch.grad_norm.max=5"}).watch.size() == 1);
  CHECK(resolve(kGood, {"watch.\"val/loss\".max=5"}).watch[0].metric == "val/loss");
  const auto e = resolve(kGood, {"model.kernel=7", "model.plugin=keep_cut"});
  CHECK(e.find("model")->params.at("kernel") == Value(7));
  REQUIRE(e.notes.size() == 1);
  CHECK(e.notes[0].id == "W12");
  CHECK(e.notes[0].message ==
        "model.plugin changed from `pointer_network` to `keep_cut`; dropped inherited: "
        "d_model=128  (keep with merge.keep)");
}

TEST_CASE("overrides that cannot be are errors at argv") {
  const auto id = [](const std::string& text) {
    const auto all = errors_of(kGood, {text});
    INFO(text << "\n" << shown(all));
    REQUIRE_FALSE(all.empty());
    CHECK(all[0].place->file ==
          "argv[3]: " + (text.starts_with("--unset ") ? text.substr(8) : text));
    return all[0].id;
  };
  CHECK(id("model") == "E111");
  CHECK(id("=3") == "E111");
  CHECK(id("model.=3") == "E111");
  CHECK(id("model..x=3") == "E111");
  CHECK(id("model[x]=3") == "E111");
  CHECK(id("model.\"d=3") == "E111");
  CHECK(id("+model.d_model=3") == "E111");
  CHECK(id("model.d_model=\xff") == "E111");
  CHECK(id("dataset.roots[7]=x") == "E112");
  CHECK(id("model.d_model+=3") == "E112");
  CHECK(id("--unset model.d_modell") == "E112");
  CHECK(id("model=3") == "E105");
  CHECK(id("train.batch.x=3") == "E107");
  CHECK(id("nowhere.x=3") == "E102");
}

TEST_CASE("a comma means no sweep: the error says what does") {
  const auto all = errors_of(kGood, {"optimizer.lr=1e-4,3e-4"});
  REQUIRE(all.size() == 1);
  CHECK(all[0].id == "E109");
  CHECK(all[0].help.starts_with("to try several values use: retake sweep "));
  CHECK(all[0].help.ends_with("small.toml -s 'optimizer.lr=[1e-4, 3e-4]'"));
  const auto plugin = errors_of(kGood, {"model.activation=relu,gelu"});
  REQUIRE(plugin.size() == 1);
  CHECK(plugin[0].id == "E109");
  CHECK(plugin[0].help.find("[\"relu\", \"gelu\"]") != std::string::npos);
  const auto name = errors_of(kGood, {"model.plugin=keep_cut,mel_unet"});
  REQUIRE(name.size() == 1);
  CHECK(name[0].id == "E109");
}

TEST_CASE("set files stand between the file and the command line") {
  const Folder folder;
  const auto file = folder.write("small.toml", kGood);
  LoadOptions options = with_overrides({"train.batch=9"});
  options.set_files = {folder.write("extra.toml",
                                    "[train]\nbatch = 8\naccumulate = 3\n"
                                    "[model]\nd_model = 32\n")};
  const auto e = resolve_experiment(file, catalog(), options);
  CHECK(e.train.batch == 9);
  CHECK(e.train.accumulate == 3);
  CHECK(e.find("model")->params.at("d_model") == Value(32));
}

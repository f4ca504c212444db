// Where values come from: the chain of writings, and what was taken away.

#include "config/explain.hpp"

#include "catch.hpp"
#include "fixture.hpp"

using namespace config_test;

namespace {

/// Three levels: grand.toml <- base.toml <- e.toml, and an override.
struct ThreeLevels {
  Folder folder;
  std::filesystem::path file;
  LoadOptions options;

  ThreeLevels() {
    folder.write("grand.toml",
                 "[model]\nplugin = \"pointer_network\"\nd_model = 32\nencoder_layers = 5\n"
                 "[run]\ndir = \"${env:RETAKE_NO_SUCH:-out}/runs\"\n");
    folder.write("base.toml",
                 "extends = \"grand.toml\"\n[model]\nd_model = 64\n[train]\nbatch = 2\n");
    file = folder.write("e.toml", "extends = \"base.toml\"\n\n[model]\nd_model = 96\n");
  }
  ResolvedExperiment resolve(const std::vector<std::string>& overrides) const {
    return resolve_experiment(file, catalog(), with_overrides(overrides));
  }
  std::string in(const std::string& name) const { return (folder.path() / name).string(); }
};

std::vector<std::string> places(const std::vector<Origin>& writings) {
  std::vector<std::string> out;
  for (const Origin& o : writings) out.push_back(describe(key_place(o)));
  return out;
}

}  // namespace

TEST_CASE("explain lists every writing of three levels and the command line, newest first") {
  const ThreeLevels levels;
  const auto e = levels.resolve({"model.d_model=128"});
  const Explanation x = explain(e, "model.d_model");
  CHECK(x.value == Value(128));
  CHECK(places(x.writings) == std::vector<std::string>{"argv[3]: model.d_model=128",
                                                       levels.in("e.toml") + ":4:1",
                                                       levels.in("base.toml") + ":3:1",
                                                       levels.in("grand.toml") + ":3:1"});
  CHECK(x.writings[2].written == Value(64));
  CHECK(x.writings[3].via == "inherited by " + levels.in("base.toml") + ":1");
  REQUIRE(x.field);
  CHECK(x.field->default_value == Value(64));
  CHECK(x.component->plugin == "pointer_network");
}

TEST_CASE("explain knows keys that have only the default") {
  const ThreeLevels levels;
  const auto e = levels.resolve({});
  const Explanation x = explain(e, "model.dropout");
  CHECK(x.value == Value(0.1));
  CHECK(x.writings.empty());
  CHECK(explain(e, "train.keep.best").value == Value(1));
  CHECK(explain(e, "train.keep.best").field->name == "best");
  CHECK(explain(e, "model.plugin").field->name == "plugin");
}

TEST_CASE("explain shows the text before interpolation") {
  const ThreeLevels levels;
  const auto e = levels.resolve({});
  const Explanation x = explain(e, "run.dir");
  CHECK(x.value == Value("out/runs"));
  CHECK(x.interpolated == "${env:RETAKE_NO_SUCH:-out}/runs");
  CHECK(e.environment.at("RETAKE_NO_SUCH").is_null());
  CHECK(explain(e, "train.batch").interpolated.empty());
}

TEST_CASE("explain tells what a changed plugin, merge.delete and --unset took away") {
  const ThreeLevels levels;
  const auto changed = levels.resolve({"model.plugin=keep_cut", "--unset train.batch"});
  const Explanation model = explain(changed, "model");
  REQUIRE(model.dropped.size() == 4);
  CHECK(model.dropped[0].path == "model.encoder_layers");
  CHECK(model.dropped[0].written.written == Value(5));
  CHECK(describe(key_place(model.dropped[0].written)) == levels.in("grand.toml") + ":4:1");
  CHECK(describe(model.dropped[0].by) == "argv[3]: model.plugin=keep_cut");
  CHECK(model.dropped[0].why == "model.plugin changed from `pointer_network` to `keep_cut`");
  for (std::size_t i = 1; i < 4; ++i) CHECK(model.dropped[i].path == "model.d_model");
  const Explanation batch = explain(changed, "train.batch");
  CHECK(batch.value == Value(4));
  REQUIRE(batch.dropped.size() == 1);
  CHECK(batch.dropped[0].why == "--unset");
  const auto child = levels.folder.write(
      "d.toml", "extends = \"base.toml\"\n[merge]\ndelete = [\"train.batch\"]\n");
  const Explanation deleted = explain(resolve_experiment(child, catalog()), "train");
  REQUIRE(deleted.dropped.size() == 1);
  CHECK(deleted.dropped[0].why == "merge.delete");
  CHECK(deleted.dropped[0].by.line == 3);
}

TEST_CASE("explain of an unknown key names the nearest") {
  const auto e = resolve(kGood);
  const auto says = [&](const std::string& key) {
    try {
      explain(e, key);
    } catch (const UsageError& error) {
      CHECK(error.diagnostics()[0].id == "E114");
      return error.diagnostics()[0].message;
    }
    return std::string("found");
  };
  CHECK(says("model.d_modle") ==
        "the experiment has no key `model.d_modle`: did you mean `model.d_model`?");
  CHECK(says("optimizer.learning_rate").ends_with("did you mean `optimizer.lr`?"));
  CHECK(says("encoder_layers").ends_with("did you mean `model.encoder_layers`?"));
  CHECK(says("a..b").starts_with("the experiment has no key"));
  CHECK(says("dataset.roots[0]") == "found");
  CHECK(says("dataset.roots[1]") != "found");
  CHECK(explain(e, "feature_extractor.mel.hop").path == "feature_extractor.mel.hop_length");
  CHECK(explain(e, "feature_extractor.mel.hop").renamed_from == "feature_extractor.mel.hop");
}

TEST_CASE("differences of two resolved trees") {
  const auto left = resolve(kGood, {"model.d_model=64"});
  const auto right = resolve(kGood, {"model.plugin=keep_cut", "train.batch=9"});
  const auto all = differences(resolved_value(left).as_table(), resolved_value(right).as_table());
  const auto find = [&](const std::string& path) {
    for (const Difference& d : all) {
      if (d.path == path) return d;
    }
    FAIL("no difference at " << path);
    return Difference{};
  };
  CHECK(find("model.plugin").left == Value("pointer_network"));
  CHECK(find("model.plugin").right == Value("keep_cut"));
  CHECK(find("train.batch").right == Value(9));
  CHECK_FALSE(find("model.d_model").right);
  CHECK_FALSE(find("model.kernel").left);
  CHECK(differences(resolved_value(left).as_table(), resolved_value(left).as_table()).empty());
}

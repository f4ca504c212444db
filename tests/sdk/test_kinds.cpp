// A project of each kind, as `retake new plugin` makes it: built against an installation alone,
// wired in by TOML alone, and missed when it is gone.

#include <chrono>
#include <cstdio>
#include <map>

#include "catch.hpp"
#include "core/files.hpp"
#include "run/json_lines.hpp"
#include "run/run_find.hpp"
#include "sdk.hpp"

namespace fs = std::filesystem;
using Words = std::vector<std::string>;

namespace {

/// What an experiment looks like without the component, and the metric that tells.
struct Variant {
  Words without;
  std::string metric = "val/loss";
};

const std::map<std::string, Variant> kVariants = {
    {"feature_extractor", {{"--unset", "feature_extractor.extra", "model.frames=[\"mel.mel\"]"}}},
    {"aligner", {{"aligner.plugin=identity"}}},
    {"model",
     {{"model.plugin=keep_cut", "model.slow=[]", "model.width=16", "model.dilated_layers=2"}}},
    {"loss", {{"loss.keep.plugin=keep_bce"}}},
    {"trainer", {{"trainer.plugin=pointer"}}},
    {"reward", {{"--unset", "reward.calm"}, "train/episode_reward"}},
    {"action_space", {{"action_space.plugin=keep_cut", "model.choices=2"}, "val/episode_reward"}},
    {"dataset",
     {{"dataset.plugin=synthetic_edits", "dataset.pairs=4", "dataset.minutes=0.5",
       "dataset.sample_rate=22050", "dataset.channels=1"}}},
    {"editor", {{"editor.plugin=keep_cut_decode"}, "val/keep_ratio"}},
    {"optimizer", {{"optimizer.plugin=adamw", "optimizer.lr=0.05"}}},
    {"lr_schedule", {{"--unset", "lr_schedule"}}},
};

/// The last value of a metric in the only run below a folder.
double metric_of(const fs::path& runs, const std::string& metric) {
  const auto all = retake::run::list_runs(runs);
  REQUIRE(all.size() == 1);
  double value = 0;
  bool found = false;
  retake::run::read_json_lines(all.front().metrics(), [&](const retake::Value& record) {
    const retake::Value* v = record.as_table().find(metric);
    if (v == nullptr) return;
    value = v->as_double();
    found = true;
  });
  INFO(metric);
  REQUIRE(found);
  return value;
}

class Project {
 public:
  Project(const sdk::Installation& installed, const std::string& kind)
      : installed_(installed), name_("my_" + kind), folder_(installed.scratch() / name_) {
    succeed(installed.retake({"new", "plugin", name_, "--kind", kind}));
  }

  void build() const {
    cmake({"-S", folder_.string(), "-B", (folder_ / "build").string(),
           "-DCMAKE_PREFIX_PATH=" + installed_.prefix().string(),
           "-DCMAKE_EXPORT_COMPILE_COMMANDS=ON"});
    cmake({"--build", (folder_ / "build").string()});
  }

  /// Neither compiler nor linker saw the tree that the SDK comes from.
  void is_built_of_the_installation() const {
    const std::string commands = retake::read_file(folder_ / "build/compile_commands.json");
    REQUIRE(sdk::contains(commands, (installed_.prefix() / "include").string()));
    for (const std::string& text : {commands, retake::read_file(library())}) {
      CHECK_FALSE(sdk::contains(text, RETAKE_SOURCE_DIR));
      CHECK_FALSE(sdk::contains(text, RETAKE_BINARY_DIR));
    }
  }

  /// Trains smoke.toml into `runs`, and what the metric says at the end.
  double run(const std::string& runs, const std::string& metric,
             const Words& overrides = {}) const {
    Words words = {"run",           smoke(),
                   "--plugin-path", library().parent_path().string(),
                   "--no-archive",  "run.dir=" + runs};
    words.insert(words.end(), overrides.begin(), overrides.end());
    succeed(installed_.retake(words));
    return metric_of(installed_.scratch() / runs, metric);
  }

  sdk::End check() const {
    return installed_.retake({"check", smoke(), "--plugin-path", library().parent_path().string()});
  }

  /// The project's own tests; conformance where the host has the command for it.
  void test() const {
    Words words = {"ctest", "--output-on-failure"};
    if (!sdk::contains(installed_.retake({"plugins", "--help"}).output, "plugins check")) {
      words.insert(words.end(), {"--exclude-regex", "conformance"});
    }
    succeed(sdk::run(words, folder_ / "build"));
  }

  const std::string& name() const { return name_; }
  fs::path library() const { return folder_ / "build/plugins" / ("lib" + name_ + ".so"); }

 private:
  std::string smoke() const { return (folder_ / "smoke.toml").string(); }
  void cmake(Words words) const {
    words.insert(words.begin(), RETAKE_CMAKE);
    succeed(sdk::run(words, installed_.scratch()));
  }
  static void succeed(const sdk::End& end) {
    INFO(end.output);
    REQUIRE(end.code == 0);
  }

  const sdk::Installation& installed_;
  std::string name_;
  fs::path folder_;
};

/// Pairs without truth, for the kind that has to find it out.
void make_pairs(const sdk::Installation& installed) {
  const sdk::End made = installed.retake({"synth", "data/pairs", "--pairs", "4", "--no-oracles",
                                          "minutes=0.5", "sample_rate=22050", "channels=1"});
  INFO(made.output);
  REQUIRE(made.code == 0);
  fs::remove_all(installed.scratch() / "data/pairs/truth");
}

void live_through(const std::string& kind) {
  const Variant& variant = kVariants.at(kind);
  const sdk::Installation installed;
  const auto start = std::chrono::steady_clock::now();
  const Project project(installed, kind);
  project.build();
  if (kind == "aligner") make_pairs(installed);
  const double with = project.run("with", variant.metric);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
  std::printf("%s: %.1f s from `new` to the end of the first run\n", kind.c_str(), took.count());

  project.is_built_of_the_installation();
  project.test();
  CHECK(project.run("again", variant.metric) == with);  // what differs below is its doing
  CHECK(project.run("without", variant.metric, variant.without) != with);

  CHECK(project.check().code == 0);
  fs::remove(project.library());
  const sdk::End gone = project.check();
  INFO(gone.output);
  CHECK(gone.code == 4);
  CHECK(sdk::contains(gone.output,
                      "error[E201]: no " + kind + " plugin named `" + project.name() + "`"));
}

}  // namespace

#define RETAKE_SDK_KIND(kind)                                                        \
  TEST_CASE("a new " kind " builds outside, changes a run and is missed", "[sdk]") { \
    live_through(kind);                                                              \
  }

#if RETAKE_SDK_ALL_KINDS
RETAKE_SDK_KIND("feature_extractor")
RETAKE_SDK_KIND("aligner")
RETAKE_SDK_KIND("model")
RETAKE_SDK_KIND("trainer")
RETAKE_SDK_KIND("reward")
RETAKE_SDK_KIND("action_space")
RETAKE_SDK_KIND("dataset")
RETAKE_SDK_KIND("editor")
RETAKE_SDK_KIND("optimizer")
#else
TEST_CASE("every kind is tried", "[sdk]") {
  for (const auto& header :
       fs::directory_iterator(RETAKE_SOURCE_DIR "/framework/include/retake/kinds")) {
    INFO(header.path());
    CHECK(kVariants.count(header.path().stem().string()) == 1);
  }
}
RETAKE_SDK_KIND("loss")
RETAKE_SDK_KIND("lr_schedule")
#endif

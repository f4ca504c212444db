// Five planted errors in one call, and twenty misspellings: the right hint first.

#include <chrono>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <set>

#include "catch.hpp"
#include "run_retake.hpp"

using cli_test::Folder;
using cli_test::retake;

namespace {

/// An experiment of the plugins that need no LibTorch.
const char* const kExperiment = R"([experiment]
name = "hints"
[dataset]
plugin = "synthetic_edits"
pairs = 4
[feature_extractor.mel]
plugin = "log_mel"
[aligner]
plugin = "cross_correlation"
[reward.duration]
plugin = "duration"
[lr_schedule]
plugin = "warmup_cosine"
)";

struct Misspelling {
  const char* what;
  std::vector<std::string> line;
  const char* hint;  ///< as it must stand in the message
  bool needs_nn = false;
};

const std::vector<Misspelling>& misspellings() {
  static const std::vector<Misspelling> all = {
      {"key", {"check", "e.toml", "feature_extractor.mel.hop_lenght=3"}, "`hop_length`"},
      {"key", {"check", "e.toml", "feature_extractor.mel.nmels=3"}, "`n_mels`"},
      {"key", {"check", "e.toml", "train.max_setps=3"}, "`max_steps`"},
      {"key by synonym", {"check", "e.toml", "train.batch_size=3"}, "`batch`"},
      {"key by token", {"check", "e.toml", "dataset.tracks=3"}, "`min_track_s`"},
      {"component", {"check", "e.toml", "feature_extractor.mel.plugin=logmel"}, "`log_mel`"},
      {"component", {"check", "e.toml", "dataset.plugin=synthetic_edit"}, "`synthetic_edits`"},
      {"component", {"check", "e.toml", "aligner.plugin=cross_corelation"}, "`cross_correlation`"},
      {"component", {"plugins", "params", "dataset/paired_adio"}, "`paired_audio`"},
      {"kind", {"check", "e.toml", "datset.plugin=paired_audio"}, "`dataset`"},
      {"kind", {"check", "e.toml", "feature_extractors.x.plugin=log_mel"}, "`feature_extractor`"},
      {"kind", {"plugins", "list", "--kind", "optimiser"}, "`optimizer`"},
      {"choice", {"check", "e.toml", "train.goal=maximum"}, "\"max\""},
      {"choice", {"check", "e.toml", "train.precision=bf_16"}, "\"bf16\""},
      {"choice", {"check", "e.toml", "feature_extractor.mel.norm=slanley"}, "\"slaney\""},
      {"metric", {"check", "e_nn.toml", "train.metric=val/edit_f"}, "`val/edit_f1`", true},
      {"metric", {"check", "e_nn.toml", "train.metric=train/los"}, "`train/loss`", true},
      {"run id", {"resume", "k7q2m4xb"}, "`k7q2m4xa`"},
      {"run id", {"show", "e.toml", "--diff", "k7q24mxa"}, "`k7q2m4xa`"},
      {"subcommand", {"plugins", "parms", "model/x"}, "`retake plugins params`"},
      {"command", {"explian", "e.toml"}, "`retake explain`"},
      {"option", {"show", "e.toml", "--resolvd"}, "`--resolved`"}};
  return all;
}

}  // namespace

TEST_CASE("five planted errors of five kinds are found in one call, in under 0.2 s") {
  const Folder folder;
  folder.write("e.toml", std::string(kExperiment) +
                             "[train]\nbatc = 4\ngoal = \"maxx\"\n[modle]\nplugin = \"x\"\n"
                             "[reward.other]\nplugin = \"duratoin\"\n"
                             "[run]\nthreads = \"two\"\n");
  double best = 1e9;
  cli_test::Outcome r;
  for (int i = 0; i < 5; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    r = retake({"check", "e.toml", "--json"}, folder.path());
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    best = std::min(best, took.count());
  }
  CHECK(r.code == 3);
  std::set<std::string> ids;
  const auto error = nlohmann::json::parse(r.last_error_line()).at("error");
  for (const auto& d : error.at("diagnostics")) {
    CHECK(d.at("file") == "e.toml");
    CHECK(d.at("line") > 12);
    CHECK(d.at("column") > 0);
    ids.insert(d.at("id"));
  }
  CHECK(error.at("diagnostics").size() == 5);
  // An unknown key, a value of no choice, an unknown table, a missing plugin, a wrong type.
  CHECK(ids == std::set<std::string>{"E102", "E103", "E107", "E108", "E201"});
  std::printf("check of five errors: %.1f ms\n", 1e3 * best);
  if (!RETAKE_IS_SANITIZED) CHECK(best < 0.2);
}

TEST_CASE("twenty misspellings: the right hint comes first in at least eighteen") {
  const Folder folder;
  folder.write("e.toml", kExperiment);
  if (RETAKE_HAS_NN != 0) {
    folder.write("e_nn.toml", "extends = \"" + std::string(RETAKE_SOURCE_DIR) +
                                  "/experiments/pointer/demo.toml\"\n");
  }
  folder.write("runs/2026-01-02_small_k7q2m4xa/manifest.json", "{}");
  std::size_t asked = 0, right = 0;
  for (const Misspelling& m : misspellings()) {
    if (m.needs_nn && RETAKE_HAS_NN == 0) continue;
    const auto r = retake(m.line, folder.path());
    ++asked;
    // The first hint alone: what else is listed does not count.
    const std::size_t at = r.err.find("did you mean ");
    const bool good = r.code != 0 && at != std::string::npos &&
                      r.err.compare(at + 13, std::string(m.hint).size(), m.hint) == 0;
    right += good ? 1 : 0;
    if (!good) UNSCOPED_INFO(m.what << ": wanted " << m.hint << " in\n" << r.err);
  }
  std::printf("misspellings: %zu of %zu with the right hint first\n", right, asked);
  CHECK(asked >= 20);
  CHECK(right >= asked - 2);
}

// check and show on the plugins of this build.

#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "run_retake.hpp"

using cli_test::Folder;
using cli_test::retake;

namespace {
const char* const kGood = "[experiment]\nseed = 3\n[feature_extractor.mel]\nplugin = \"log_mel\"\n";
}

TEST_CASE("check says ok, or every error at once, with the exit codes") {
  const Folder folder;
  folder.write("good.toml", kGood);
  folder.write("bad.toml",
               "[feature_extractor.mel]\nplugin = \"log_mel\"\nhop_lenght = 3\nn_mels = -1\n"
               "[train]\nbatc = 3\ngoal = \"maxx\"\n[modle]\nplugin = \"x\"\n");
  const auto good = retake({"check", "good.toml"}, folder.path());
  INFO(good.err);
  CHECK(good.code == 0);
  CHECK(good.out.starts_with("ok  good"));
  const auto bad = retake({"check", "bad.toml", "--json"}, folder.path());
  CHECK(bad.code == 3);
  const auto error = nlohmann::json::parse(bad.last_error_line()).at("error");
  REQUIRE(error.at("diagnostics").size() == 5);
  for (const auto& d : error.at("diagnostics")) {
    CHECK(d.at("file") == "bad.toml");
    CHECK(d.at("line") > 0);
    CHECK(d.at("column") > 0);
  }
  const auto text = retake({"check", "bad.toml"}, folder.path());
  CHECK(text.err.find("error[E104]: unknown parameter `hop_lenght` for feature_extractor plugin "
                      "`log_mel`\n  --> bad.toml:3:1\n") != std::string::npos);
  CHECK(text.err.find("^^^^^^^^^^ did you mean `hop_length`") != std::string::npos);
  const auto missing =
      retake({"check", "good.toml", "feature_extractor.mel.plugin=log_mell"}, folder.path());
  CHECK(missing.code == 4);
  CHECK(missing.err.find("argv[3]: feature_extractor.mel.plugin=log_mell") != std::string::npos);
}

TEST_CASE("show --resolved is an experiment with the same hash") {
  const Folder folder;
  folder.write("configs/base.toml", kGood);
  folder.write("experiments/e.toml",
               "extends = \"base.toml\"\n[feature_extractor.mel]\nn_mels = 64\n");
  const std::vector<std::string> more = {"--config-path", "configs", "train.batch=9", "--unset",
                                         "experiment.seed"};
  const auto with = [&](std::vector<std::string> words) {
    words.insert(words.end(), more.begin(), more.end());
    const auto r = retake(words, folder.path());
    INFO(r.err);
    REQUIRE(r.code == 0);
    return r.out;
  };
  folder.write("resolved.toml", with({"show", "experiments/e.toml", "--resolved"}));
  const auto before = nlohmann::json::parse(with({"check", "experiments/e.toml", "--json"}));
  const auto after =
      nlohmann::json::parse(retake({"check", "resolved.toml", "--json"}, folder.path()).out);
  CHECK(before.at("config_hash") == after.at("config_hash"));
  const auto json = nlohmann::json::parse(
      with({"show", "experiments/e.toml", "--resolved", "--format", "json", "--only", "train"}));
  CHECK(json.at("batch") == 9);
  CHECK(json.at("max_steps") == 20000);
  const std::string merged = with({"show", "experiments/e.toml"});
  CHECK(merged.find("n_mels = 64") != std::string::npos);
  CHECK(merged.find("hop_length") == std::string::npos);
  CHECK(merged.find("seed") == std::string::npos);
}

TEST_CASE("show refuses what it cannot show") {
  const Folder folder;
  folder.write("good.toml", kGood);
  CHECK(retake({"show", "good.toml", "--only", "modle"}, folder.path()).code == 2);
  CHECK(retake({"show", "good.toml", "--format", "yaml"}, folder.path()).code == 2);
  CHECK(retake({"show", "good.toml", "--set-file", "none.toml"}, folder.path()).code == 3);
}

TEST_CASE("the environment reaches interpolation") {
  const Folder folder;
  folder.write("good.toml", std::string(kGood) + "[run]\ndir = \"${env:RETAKE_TEST_DIR}/runs\"\n");
  CHECK(retake({"check", "good.toml"}, folder.path()).code == 3);
  const auto r = retake({"show", "good.toml", "--resolved", "--only", "run"}, folder.path(),
                        {"RETAKE_TEST_DIR=/scratch"});
  CHECK(r.out.find("dir = \"/scratch/runs\"") != std::string::npos);
}

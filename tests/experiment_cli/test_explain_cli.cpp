// explain, show --diff and migrate as a user meets them.

#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "run_retake.hpp"

using cli_test::Folder;
using cli_test::retake;
using nlohmann::json;

namespace {

/// base.toml <- e.toml, and other.toml beside them.
void write_experiments(const Folder& folder) {
  folder.write("base.toml",
               "[feature_extractor.mel]\nplugin = \"log_mel\"\nn_mels = 32\n[train]\nbatch = 2\n");
  folder.write("e.toml",
               "extends = \"base.toml\"\n[feature_extractor.mel]\nn_mels = 64  # finer\n"
               "[run]\ndir = \"${env:RETAKE_TEST_OUT:-out}/runs\"\n");
  folder.write("other.toml", "[feature_extractor.mel]\nplugin = \"log_mel\"\n");
}

}  // namespace

TEST_CASE("explain shows the chain to a value") {
  const Folder folder;
  write_experiments(folder);
  const auto r = retake(
      {"explain", "e.toml", "feature_extractor.mel.n_mels", "feature_extractor.mel.n_mels=48"},
      folder.path());
  INFO(r.out << r.err);
  CHECK(r.code == 0);
  CHECK(r.out.starts_with("feature_extractor.mel.n_mels = 48\nint, default 128, "));
  const auto at = [&](const std::string& text) { return r.out.find(text); };
  CHECK(at("argv[4]: feature_extractor.mel.n_mels=48") < at("e.toml:3:1"));
  CHECK(at("e.toml:3:1") < at("base.toml:3:1"));
  CHECK(at("base.toml:3:1") < at("default (plugin liblog_mel.so "));
  CHECK(at("default (plugin liblog_mel.so ") != std::string::npos);
  CHECK(at("inherited by e.toml:1") != std::string::npos);
}

TEST_CASE("explain --json has the same in fields, and the table of a component its keys") {
  const Folder folder;
  write_experiments(folder);
  const auto run_dir = json::parse(
      retake({"explain", "e.toml", "run.dir", "--json"}, folder.path(), {"RETAKE_TEST_OUT=/s"})
          .out);
  CHECK(run_dir.at("value") == "/s/runs");
  CHECK(run_dir.at("interpolated_from") == "${env:RETAKE_TEST_OUT:-out}/runs");
  CHECK(run_dir.at("writings").at(0).at("file") == "e.toml");
  CHECK(run_dir.at("writings").at(0).at("line") == 5);
  const auto mel = json::parse(
      retake({"explain", "e.toml", "feature_extractor.mel", "--json"}, folder.path()).out);
  CHECK(mel.at("component").at("plugin") == "log_mel");
  CHECK(mel.at("holds").size() > 10);
  const auto text = retake({"explain", "e.toml", "feature_extractor.mel"}, folder.path());
  CHECK(text.out.find("plugin chosen by (newest first)\nbase.toml:2:1") != std::string::npos);
  const auto wrong = retake({"explain", "e.toml", "feature_extractor.mel.nmels"}, folder.path());
  CHECK(wrong.code == 2);
  CHECK(wrong.err.find("did you mean `feature_extractor.mel.n_mels`?") != std::string::npos);
}

TEST_CASE("show --diff of two experiments and of a run, exit 0") {
  const Folder folder;
  write_experiments(folder);
  const auto r = retake({"show", "e.toml", "--diff", "other.toml"}, folder.path());
  INFO(r.out << r.err);
  CHECK(r.code == 0);
  CHECK(r.out.find("64  (e.toml:3)") != std::string::npos);
  CHECK(r.out.find("128  (default)") != std::string::npos);
  // A run as the host writes it: its resolved file, with origins in comments.
  const auto resolved = retake({"show", "base.toml", "--resolved"}, folder.path());
  folder.write("runs/2026-01-02_e_abcdefgh/config.resolved.toml", resolved.out);
  folder.write("runs/2026-01-02_e_abcdefgh/manifest.json", "{}");
  const auto run = json::parse(retake({"show", "e.toml", "--unset", "run.dir", "--diff", "abcd",
                                       "--only", "feature_extractor", "--json"},
                                      folder.path())
                                   .out);
  CHECK(run.at("same") == false);
  REQUIRE(run.at("differences").size() == 1);
  CHECK(run.at("differences")[0].at("right").at("value") == 32);
  CHECK(run.at("differences")[0].at("right").at("origin") == "base.toml:3");
  const auto same = retake({"show", "e.toml", "--diff", "e.toml"}, folder.path());
  CHECK(same.code == 0);
  CHECK(same.out.find("resolve to the same values") != std::string::npos);
  CHECK(retake({"show", "e.toml", "--diff", "non.toml"}, folder.path()).code == 3);
  CHECK(retake({"show", "e.toml", "--diff", "zzzz"}, folder.path()).code == 5);
}

TEST_CASE("migrate says when there is nothing to rename, and never writes then") {
  const Folder folder;
  write_experiments(folder);
  const auto r = retake({"migrate", "e.toml", "--write", "--json"}, folder.path());
  INFO(r.err);
  CHECK(r.code == 0);
  CHECK(json::parse(r.out).at("written") == false);
  CHECK(json::parse(r.out).at("renamed").empty());
}

TEST_CASE("migrate rewrites keys in the experiment and its bases, and nothing else") {
  const Folder folder;
  folder.write("base.toml",
               "[lr_schedule]\nplugin = \"sample\"   # of the tests\n\"n_width\" = 32\nlabel = "
               "\"x\"\n");
  folder.write("e.toml", "extends = \"base.toml\"\n[lr_schedule]\nn_width = 16   # narrower\n");
  const std::vector<std::string> line = {"migrate", "e.toml", "--plugin-path", RETAKE_SAMPLES,
                                         "--json"};
  const auto shown = json::parse(retake(line, folder.path()).out);
  REQUIRE(shown.at("renamed").size() == 2);
  CHECK(shown.at("written") == false);
  std::vector<std::string> writing = line;
  writing.push_back("--write");
  CHECK(json::parse(retake(writing, folder.path()).out).at("written") == true);
  const auto text = [&](const char* name) {
    std::ifstream in(folder.path() / name);
    return std::string(std::istreambuf_iterator<char>(in), {});
  };
  CHECK(text("e.toml") == "extends = \"base.toml\"\n[lr_schedule]\nwidth = 16   # narrower\n");
  CHECK(text("base.toml") ==
        "[lr_schedule]\nplugin = \"sample\"   # of the tests\nwidth = 32\nlabel = \"x\"\n");
  CHECK(json::parse(retake(line, folder.path()).out).at("renamed").empty());
}

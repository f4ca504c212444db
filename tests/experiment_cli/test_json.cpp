// The JSON of every command against its schema in docs/json: commands are walked, so a new one
// fails here until it has a schema and a line that runs it.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "catch.hpp"
#include "run_retake.hpp"
#include "schema_check.hpp"

using cli_test::Folder;
using cli_test::retake;
using nlohmann::json;

namespace {

using Words = std::vector<std::string>;

std::string file_of(std::string command) {
  std::replace(command.begin(), command.end(), ' ', '-');
  return std::string(RETAKE_SOURCE_DIR) + "/docs/json/" + command + ".schema.json";
}

json schema_of(const std::string& command) {
  std::ifstream in(file_of(command));
  return in ? json::parse(in) : json();
}

std::set<std::string> commands() {
  std::set<std::string> out;
  const std::string help = retake({"--help"}).out;
  std::istringstream in(help.substr(help.find("Commands:")));
  std::string line;
  std::getline(in, line);
  while (std::getline(in, line) && line.starts_with("  ")) {
    out.insert(line.substr(2, line.find("  ", 2) - 2));
  }
  return out;
}

/// Where commands run: a pair set of two short songs' takes, an experiment, a second of sound.
const Folder& place() {
  static const Folder folder;
  static const bool made = [] {
    folder.write("e.toml", "[feature_extractor.mel]\nplugin = \"log_mel\"\n");
    folder.write("f.toml", "extends = \"e.toml\"\n[train]\nbatch = 9\n");
    folder.write("a.edl.json",
                 "{\"schema\":\"retake.edl/1\",\"sources\":[{\"path\":\"pairs/input/x.wav\","
                 "\"sample_rate\":22050,\"channels\":1,\"samples\":220500}],\"segments\":["
                 "{\"begin\":0,\"end\":22050},{\"begin\":44100,\"end\":88200}]}");
    folder.write("b.edl.json",
                 "{\"schema\":\"retake.edl/1\",\"sources\":[{\"path\":\"pairs/input/x.wav\","
                 "\"sample_rate\":22050,\"channels\":1,\"samples\":220500}],\"segments\":["
                 "{\"begin\":0,\"end\":33075}]}");
    return true;
  }();
  CHECK(made);
  return folder;
}

Words synth(const std::string& root) {
  return {"synth",     root,          "--pairs",           "4",          "--seed",
          "3",         "minutes=0.4", "sample_rate=22050", "channels=1", "song_minutes=2",
          "test=0.25", "val=0.25"};
}

/// A recording of the made pairs, by its place in the alphabet.
std::string recording(const char* folder) {
  std::vector<std::string> all;
  for (const auto& entry : std::filesystem::directory_iterator(place().path() / "pairs" / folder)) {
    all.push_back(entry.path().string());
  }
  std::sort(all.begin(), all.end());
  return all.at(0);
}

std::string truth() {
  for (const auto& entry : std::filesystem::directory_iterator(place().path() / "pairs/truth")) {
    const std::string name = entry.path().string();
    if (name.ends_with(".edl.json")) return name;
  }
  throw std::logic_error("no truth was made");
}

/// How each command is run, in this order: later ones use what earlier ones made.
struct Recipe {
  std::string command;
  std::function<Words()> line;
  bool trains = false;
};

const std::vector<Recipe>& recipes() {
  const auto words = [](Words w) { return [w] { return w; }; };
  const std::string smoke = std::string(RETAKE_SOURCE_DIR) + "/experiments/smoke/aligned.toml";
  static const std::vector<Recipe> all = {
      {"version", words({"version"})},
      {"explain-error", words({"explain-error"})},
      {"explain-error", words({"explain-error", "E104"})},
      {"completion", words({"completion", "bash"})},
      {"schema", words({"schema", "-o", "s.json"})},
      {"plugins list", words({"plugins", "list"})},
      {"plugins info", words({"plugins", "info", "feature_extractor/log_mel"})},
      {"plugins params", words({"plugins", "params", "dataset/synthetic_edits"})},
      {"check", words({"check", "e.toml"})},
      {"show", words({"show", "e.toml", "--resolved"})},
      {"show", words({"show", "f.toml", "--diff", "e.toml"})},
      {"explain", words({"explain", "f.toml", "train.batch"})},
      {"explain", words({"explain", "e.toml", "feature_extractor"})},
      {"migrate", words({"migrate", "e.toml"})},
      {"synth", [] { return synth("pairs"); }},
      {"pairs", words({"pairs", "pairs"})},
      {"features",
       [] {
         return Words{"features", recording("input"), "-o", "features"};
       }},
      {"align",
       [] {
         return Words{"align", recording("input"), recording("desired_output"), "-o", "al"};
       }},
      {"render",
       [] {
         return Words{"render", truth(), "-o", "out.wav"};
       }},
      {"edl show",
       [] {
         return Words{"edl", "show", truth()};
       }},
      {"edl diff", words({"edl", "diff", "a.edl.json", "b.edl.json"})},
      {"edl convert",
       [] {
         return Words{"edl", "convert", truth(), "p_pointers.npy"};
       }},
      {"plugins check", words({"plugins", "check",
                               std::string(RETAKE_BINARY_DIR) + "/plugins/libwarmup_cosine.so"})},
      {"plugins doctor", words({"plugins", "doctor", "warmup_cosine"})},
      {"plugins doctor", words({"plugins", "doctor"})},
      {"plugins pages", words({"plugins", "pages", "-o", "pages"})},
      {"new experiment", words({"new", "experiment", "child", "--from", "e.toml"})},
      {"new sweep",
       [smoke] {
         return Words{"new", "sweep", "rates", "--from", smoke};
       },
       true},
      {"new plugin", words({"new", "plugin", "my_loss", "--kind", "loss"})},
      {"runs", words({"runs"})},
      {"run", words({"run", smoke, "dataset.roots=[\"pairs\"]", "--max-steps", "1"}), true},
      {"run", words({"run", smoke, "dataset.roots=[\"pairs\"]", "--max-steps", "1", "--if-new"}),
       true},
      {"run", words({"run", smoke, "dataset.roots=[\"pairs\"]", "--dry-run"}), true},
      {"run", words({"run", smoke, "dataset.roots=[\"pairs\"]", "--max-steps", "2", "--profile"}),
       true},
      {"check", words({"check", smoke, "--build"}), true},
      {"lr-find", words({"lr-find", smoke, "dataset.roots=[\"pairs\"]", "--steps", "10"}), true},
      {"doctor", words({"doctor"})},
      {"doctor", words({"doctor", "last", "--steps", "3"}), true},
      {"doctor", words({"doctor", smoke, "dataset.roots=[\"pairs\"]", "--steps", "3"}), true},
      {"verify", words({"verify", "last"}), true},
      {"resume", words({"resume", "last", "--max-steps", "4"}), true},
      {"runs", words({"runs", "--cols", "train.batch"}), true},
      {"edit", [] { return Words{"edit", recording("input"), "--run", "last", "-o", "ed"}; }, true},
      {"evaluate", words({"evaluate", "last"}), true}};
  return all;
}

}  // namespace

TEST_CASE("every command has a schema of its --json output and is run here") {
  std::set<std::string> run;
  for (const Recipe& recipe : recipes()) run.insert(recipe.command);
  for (const std::string& command : commands()) {
    INFO("`retake " << command << "`: write " << file_of(command)
                    << " (JSON Schema of what --json prints) and add a line to recipes() in "
                       "tests/experiment_cli/test_json.cpp that runs it");
    CHECK(schema_of(command).is_object());
    CHECK(run.count(command) == 1);
  }
  for (const std::string& command : run) CHECK(commands().count(command) == 1);
}

TEST_CASE("what every command prints with --json fits its schema") {
  for (const Recipe& recipe : recipes()) {
    if (recipe.trains && RETAKE_HAS_NN == 0) continue;
    Words line = recipe.line();
    line.push_back("--json");
    const auto r = retake(line, place().path(), {"RETAKE_STORE=store"});
    INFO("retake " << recipe.command << "\n" << r.err << r.out.substr(0, 2000));
    CHECK(r.code == 0);
    REQUIRE(json::accept(r.out));
    for (const auto& fault : SchemaCheck::run(schema_of(recipe.command), json::parse(r.out))) {
      FAIL_CHECK(fault);
    }
  }
}

TEST_CASE("failures with --json fit the schema of errors, whatever failed") {
  const json schema = schema_of("error");
  const std::vector<Words> lines = {{"chek"},
                                    {"check"},
                                    {"check", "none.toml"},
                                    {"check", "e.toml", "train.batc=3"},
                                    {"check", "e.toml", "feature_extractor.mel.plugin=x"},
                                    {"plugins", "info", "model/none"},
                                    {"explain", "e.toml", "train.batc"},
                                    {"edl", "show", "none.edl.json"},
                                    {"resume", "none"}};
  for (Words line : lines) {
    line.push_back("--json");
    const auto r = retake(line, place().path());
    INFO(line.front() << "\n" << r.err);
    CHECK(r.code > 1);
    CHECK(r.out.empty());
    REQUIRE(json::accept(r.last_error_line()));
    const json error = json::parse(r.last_error_line());
    for (const auto& fault : SchemaCheck::run(schema, error)) FAIL_CHECK(fault);
    CHECK(error.at("error").at("code") == r.code);
  }
}

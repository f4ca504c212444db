// What a run offers beside training: forecasts, examinations, profiles, records that can be
// checked.

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "catch.hpp"
#include "core/files.hpp"
#include "retake/value.hpp"
#include "run/json_lines.hpp"
#include "workplace.hpp"

using namespace retake;
namespace fs = std::filesystem;

namespace {

std::vector<std::string> words(std::vector<std::string> first, std::vector<std::string> more) {
  first.insert(first.end(), more.begin(), more.end());
  return first;
}

/// The last line of the output that is JSON: stdout and stderr come together.
Value json_of(const smoke::End& end) {
  INFO(end.output);
  std::string line;
  std::istringstream in(end.output);
  for (std::string l; std::getline(in, l);) {
    if (l.starts_with('{')) line = l;
  }
  REQUIRE(!line.empty());
  return parse_json(line, "output");
}

const Value& at(const Value& root, const std::string& path) {
  const Value* found = find_path(root, path);
  INFO(path << " of " << to_json(root));
  REQUIRE(found != nullptr);
  return *found;
}

const std::vector<std::string> kShort{"run",
                                      (smoke::kExperiments / "policy.toml").string(),
                                      "--no-archive",
                                      "--quiet",
                                      "train.max_steps=6",
                                      "train.val_every=3"};

}  // namespace

TEST_CASE("check --build builds everything on noise, and finds a shape error", "[smoke]") {
  const smoke::Workplace place;
  const std::string policy = (smoke::kExperiments / "policy.toml").string();
  const smoke::End good = smoke::retake({"check", policy, "--build", "--json"}, place.path);
  const Value result = json_of(good);
  CHECK(good.code == 0);
  CHECK(at(result, "build.parameters").as_int() > 100);
  CHECK(at(result, "build.step_seconds").as_double() > 0);
  CHECK(at(result, "build.without_gradient").as_array().empty());
  CHECK(at(result, "build.validation").as_table().contains("val/episode_reward"));
  // Declarations agree, widths do not: the model sees one unit more than the trainer gives.
  const smoke::End bad = smoke::retake({"check", policy, "model.context=3", "--build"}, place.path);
  INFO(bad.output);
  CHECK(bad.code != 0);
  CHECK(smoke::retake({"check", policy, "model.context=3"}, place.path).code == 0);
  CHECK(fs::is_empty(place.path));  // nothing was written
}

TEST_CASE("run --dry-run forecasts time, memory and disk and writes nothing", "[smoke]") {
  const smoke::Workplace place;
  const smoke::End end = smoke::retake(words(kShort, {"--dry-run", "--json"}), place.path);
  CHECK(end.code == 0);
  const Value result = json_of(end);
  CHECK(at(result, "forecast.steps").as_double() == 6);
  CHECK(at(result, "forecast.seconds").as_double() > 0);
  CHECK(at(result, "forecast.memory_bytes").as_double() > 1e7);
  const double checkpoint = at(result, "build.checkpoint_bytes").as_double();
  CHECK(at(result, "forecast.disk_bytes").as_double() >= 3 * checkpoint);
  CHECK(at(result, "forecast.free_bytes").as_double() > 0);
  CHECK(fs::is_empty(place.path));
}

TEST_CASE("run --if-new finds the run that has the same configuration, binaries and data",
          "[smoke]") {
  const smoke::Workplace place;
  const auto start = [&](std::vector<std::string> more) {
    const smoke::End end = smoke::retake(words(kShort, std::move(more)), place.path);
    INFO(end.output);
    REQUIRE(end.code == 0);
    return json_of(end);
  };
  const Value first = start({"--json", "--if-new"});
  CHECK_FALSE(first.as_table().contains("existing"));
  const Value again = start({"--json", "--if-new", "--name", "other_name"});
  CHECK(at(again, "existing") == Value(true));
  CHECK(at(again, "run") == at(first, "run"));
  CHECK_FALSE(start({"--json", "--if-new", "optimizer.lr=0.02"}).as_table().contains("existing"));
  // Other data.
  CHECK_FALSE(start({"--json", "--if-new", "dataset.minutes=0.9"}).as_table().contains("existing"));
  CHECK(run::list_runs(place.path / "runs").size() == 3);
}

TEST_CASE("a parameter that was set and never read is a warning", "[smoke]") {
  const smoke::Workplace place;
  smoke::make_pairs(place);
  // Windows are for models that point: keep_cut has none.
  const smoke::End end =
      smoke::retake({"run", (smoke::kExperiments / "aligned.toml").string(), "--no-archive",
                     "trainer.windows=3", "train.max_steps=2", "train.val_every=1"},
                    place.path);
  INFO(end.output);
  CHECK(end.code == 0);
  CHECK(
      end.output.find("parameter `trainer.windows` was set but `pointer` never read it in 2 steps "
                      "(W26)") != std::string::npos);
  CHECK(end.output.find("`trainer.crop`") == std::string::npos);
}

TEST_CASE("run --profile writes a Chrome trace", "[smoke]") {
  const smoke::Workplace place;
  const smoke::End end =
      smoke::retake(words(kShort, {"--profile", "--json", "train.max_steps=60"}), place.path);
  INFO(end.output);
  REQUIRE(end.code == 0);
  const Value result = json_of(end);
  CHECK(at(result, "profile.steps").as_int() == 60);
  const Value trace =
      parse_json(read_file(place.path / at(result, "profile.file").as_string()), "profile.json");
  std::map<std::string, int> spans;
  for (const Value& event : trace.as_array()) ++spans[event.as_table().at("name").as_string()];
  for (const char* name : {"step", "data", "forward", "backward", "optimiser", "log"}) {
    INFO(name);
    CHECK(spans[name] >= 60);
  }
  CHECK(spans["validate"] >= 1);
  CHECK(spans["checkpoint"] >= 1);
}

TEST_CASE("a finished run shows edits of validation recordings, and verifies", "[smoke]") {
  const smoke::Workplace place;
  smoke::make_pairs(place);
  const smoke::End end = smoke::retake(
      {"run", (smoke::kExperiments / "aligned.toml").string(), "editor.min_segment=0.0"},
      place.path);
  INFO(end.output);
  REQUIRE(end.code == 0);
  const run::RunFolder run = place.only_run();
  const fs::path artifacts = run.artifacts();
  std::size_t edits = 0;
  for (const auto& edl : fs::directory_iterator(artifacts / "edits")) {
    ++edits;
    const std::string id = edl.path().stem().stem().string();
    CHECK(fs::exists(artifacts / "plots" / (id + ".svg")));
    // The EDL renders to the audio beside it.
    const smoke::End rendered = smoke::retake(
        {"render", edl.path().string(), "-o", (place.path / "again.flac").string()}, place.path);
    INFO(rendered.output);
    CHECK(rendered.code == 0);
    CHECK(
        (read_file(place.path / "again.flac") == read_file(artifacts / "audio" / (id + ".flac"))));
  }
  CHECK(edits > 0);
  CHECK(read_file(artifacts / "predictions.jsonl").find("\"edit_f1\"") != std::string::npos);

  const Value manifest = parse_json(read_file(run.manifest()), "manifest.json");
  CHECK_FALSE(manifest.as_table().at("plugins").as_array().empty());
  for (const Value& plugin : manifest.as_table().at("plugins").as_array()) {
    CHECK(plugin.as_table().at("x-flags").as_string().find("-march=") != std::string::npos);
  }

  const smoke::End verified = smoke::retake({"verify", "last"}, place.path);
  INFO(verified.output);
  CHECK(verified.code == 0);
  CHECK(verified.output.find("VERIFIED") != std::string::npos);
  std::ofstream(place.path / "data/pairs/input/extra", std::ios::app) << "x";  // not of the set
  CHECK(smoke::retake({"verify", "last"}, place.path).code == 0);
  for (const auto& raw : fs::directory_iterator(place.path / "data/pairs/input")) {
    if (raw.path().extension() == ".wav") std::ofstream(raw.path(), std::ios::app) << "xx";
  }
  const smoke::End differs = smoke::retake({"verify", "last"}, place.path);
  INFO(differs.output);
  CHECK(differs.code == 6);
  CHECK(differs.output.find("2 bytes longer") != std::string::npos);
}

TEST_CASE("the doctor examines an experiment, a run and the installation", "[smoke]") {
  const smoke::Workplace place;
  smoke::make_pairs(place);
  const std::string aligned = (smoke::kExperiments / "aligned.toml").string();
  const Value experiment =
      json_of(smoke::retake({"doctor", aligned, "--json", "--quiet", "--steps", "30"}, place.path));
  std::set<std::string> seen;
  for (const Value& finding : at(experiment, "findings").as_array()) {
    seen.insert(finding.as_table().at("what").as_string());
  }
  for (const char* what :
       {"labels: kept", "features: mel.mel", "loss keep", "gradients", "one batch"}) {
    INFO(what);
    CHECK(seen.contains(what));
  }
  CHECK(at(experiment, "training.losses").as_array().size() == 2);

  // A rate of nothing learns nothing: said by name.
  const Value lame = json_of(smoke::retake(
      {"doctor", aligned, "optimizer.lr=1e-9", "--json", "--quiet", "--steps", "10"}, place.path));
  CHECK(at(lame, "sound") == Value(false));

  REQUIRE(smoke::retake({"run", aligned, "--no-archive", "train.max_steps=30", "train.val_every=5"},
                        place.path)
              .code == 0);
  const Value run = json_of(smoke::retake({"doctor", "last", "--json", "--quiet"}, place.path));
  bool loss = false;
  for (const Value& metric : at(run, "metrics").as_array()) {
    loss = loss || metric.as_table().at("metric") == Value("train/loss");
  }
  CHECK(loss);

  const smoke::End installation = smoke::retake({"doctor", "--json"}, place.path);
  CHECK(installation.code == 0);
  CHECK(at(json_of(installation), "sound") == Value(true));
}

TEST_CASE("lr-find walks from too little to too much", "[smoke]") {
  const smoke::Workplace place;
  smoke::make_pairs(place);
  const smoke::End end = smoke::retake({"lr-find", (smoke::kExperiments / "aligned.toml").string(),
                                        "--json", "--quiet", "--steps", "60", "-o", "curve.png"},
                                       place.path);
  INFO(end.output);
  REQUIRE(end.code == 0);
  const Value result = json_of(end);
  const Array& curve = at(result, "curve").as_array();
  REQUIRE(curve.size() > 20);
  double last = 0;
  for (const Value& point : curve) {
    const double lr = point.as_table().at("lr").as_double();
    CHECK(lr > last);
    last = lr;
  }
  const double best = at(result, "steepest").as_double();
  CHECK(best > 1e-6);
  CHECK(best < 1.0);
  CHECK(fs::file_size(place.path / "curve.png") > 1000);
}

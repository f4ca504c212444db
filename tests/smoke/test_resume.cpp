// What a resumed run says and records of what is not as it was.

#include <signal.h>

#include <cstdlib>
#include <fstream>
#include <thread>

#include "catch.hpp"
#include "core/files.hpp"
#include "retake/value.hpp"
#include "workplace.hpp"

using namespace retake;
using smoke::Workplace;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

/// One step after another for long enough to be interrupted; a checkpoint every ten.
const std::vector<std::string> kLong = {"run",
                                        (smoke::kExperiments / "policy.toml").string(),
                                        "train.max_steps=100000",
                                        "train.val_every=10",
                                        "run.trace_every=0",
                                        "--no-archive"};

Value manifest_of(const run::RunFolder& run) {
  return parse_json(read_file(run.manifest()), "manifest.json");
}

/// Waits for the first checkpoint.
void wait_for_checkpoint(smoke::Child& child, const Workplace& place) {
  while (child.running()) {
    const auto runs = run::list_runs(place.path / "runs");
    if (!runs.empty() && fs::exists(runs.front().checkpoints() / "LATEST")) return;
    std::this_thread::sleep_for(2ms);
  }
}

run::RunFolder stopped_run(const Workplace& place, int number, int expected) {
  smoke::Child child(kLong, place.path);
  wait_for_checkpoint(child, place);
  child.signal(number);
  const smoke::End end = child.wait();
  INFO(end.output);
  REQUIRE(end.code == expected);
  return place.only_run();
}

smoke::End resume(const Workplace& place, const std::string& steps) {
  return smoke::retake({"resume", "last", "--max-steps", steps}, place.path);
}

std::string next_step(const run::RunFolder& run, int more) {
  const auto runs = manifest_of(run);
  const auto& attempts = find_path(runs, "attempts")->as_array();
  return std::to_string(attempts.back().as_table().at("to_step").as_int() + more);
}

bool has(const smoke::End& end, const std::string& part) {
  return end.output.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a closed terminal saves a checkpoint, as a preemption does", "[smoke]") {
  const Workplace place;
  const auto run = stopped_run(place, SIGHUP, 75);
  CHECK(find_path(manifest_of(run), "attempts")->as_array()[0].as_table().at("end") ==
        Value("SIGHUP"));
  const smoke::End end = resume(place, next_step(run, 2));
  INFO(end.output);
  CHECK(end.code == 0);
}

TEST_CASE("a run that was told to stop in another folder says how to go on there", "[smoke]") {
  const Workplace place;
  std::vector<std::string> elsewhere = kLong;
  elsewhere.push_back("run.dir=my runs");
  smoke::Child child(elsewhere, place.path);
  while (child.running() && (run::list_runs(place.path / "my runs").empty() ||
                             !fs::exists(run::list_runs(place.path / "my runs").front().path() /
                                         "checkpoints/LATEST"))) {
    std::this_thread::sleep_for(2ms);
  }
  child.signal(SIGINT);
  const smoke::End end = child.wait();
  INFO(end.output);
  CHECK(end.code == 130);
  CHECK(has(end, "retake resume 'my runs/"));
}

TEST_CASE("an edited configuration is no resumption", "[smoke]") {
  const Workplace place;
  const auto run = stopped_run(place, SIGTERM, 75);
  const std::string config = read_file(run.resolved_config());
  const std::size_t at = config.find("\nlr = ");
  REQUIRE(at != std::string::npos);
  std::string other = config;
  other.replace(at, 6, "\nlr = 0.5 # ");
  write_file_atomic(run.resolved_config(), other);
  const smoke::End refused = smoke::retake({"resume", "last"}, place.path);
  INFO(refused.output);
  CHECK(refused.code == 5);
  CHECK(has(refused, "E614"));
  write_file_atomic(run.resolved_config(), config);
  CHECK(resume(place, next_step(run, 2)).code == 0);
}

TEST_CASE("another numeric environment is told and recorded", "[smoke]") {
  const Workplace place;
  const auto run = stopped_run(place, SIGINT, 130);
  const std::string steps = next_step(run, 2);
  ::setenv("ATEN_CPU_CAPABILITY", "default", 1);
  const smoke::End end = resume(place, steps);
  ::unsetenv("ATEN_CPU_CAPABILITY");
  INFO(end.output);
  REQUIRE(end.code == 0);
  CHECK(has(end, "W34"));
  CHECK(has(end, "cpu_capability was"));
  const Value manifest = manifest_of(run);
  CHECK(*find_path(manifest, "determinism.level") == Value("none"));
  const auto& attempts = find_path(manifest, "attempts")->as_array();
  const Value* before = find_path(attempts[0], "x-env");
  REQUIRE(before != nullptr);
  CHECK(before->as_table().at("cpu_capability") != *find_path(manifest, "env.cpu_capability"));
}

TEST_CASE("records that were cut are told when the run goes on", "[smoke]") {
  const Workplace place;
  const auto run = stopped_run(place, SIGINT, 130);
  const std::string steps = next_step(run, 2);
  const std::string whole = read_file(run.metrics());
  write_file_atomic(run.metrics(), whole.substr(0, whole.find('\n') + 1));
  const smoke::End end = resume(place, steps);
  INFO(end.output);
  CHECK(end.code == 0);
  CHECK(has(end, "W35"));
  CHECK(find_path(find_path(manifest_of(run), "attempts")->as_array()[1], "x-altered") != nullptr);
}

TEST_CASE("what a finished run is asked for", "[smoke]") {
  const Workplace place;
  REQUIRE(smoke::retake({"run", (smoke::kExperiments / "policy.toml").string(), "--no-archive"},
                        place.path)
              .code == 0);
  const auto run = place.only_run();
  const std::string before = read_file(run.manifest());
  const smoke::End again = smoke::retake({"resume", "last"}, place.path);
  INFO(again.output);
  CHECK(again.code == 0);
  CHECK(has(again, "nothing to do; --max-steps N trains it further"));
  CHECK((read_file(run.manifest()) == before));
  const smoke::End less = smoke::retake({"resume", "last", "--max-steps", "1"}, place.path);
  CHECK(less.code == 2);
  CHECK(has(less, "stands at step"));
  CHECK(smoke::retake({"resume", "last", "--max-steps", "0"}, place.path).code == 2);
  // Back to an earlier checkpoint: what that costs is said.
  std::int64_t first = 0;
  for (const auto& entry : fs::directory_iterator(run.checkpoints())) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("step-")) continue;
    const std::int64_t step = std::atoll(name.c_str() + 5);
    first = first == 0 ? step : std::min(first, step);
  }
  const smoke::End back = smoke::retake(
      {"resume", "last:" + std::to_string(first), "--max-steps", next_step(run, 1)}, place.path);
  INFO(back.output);
  CHECK(back.code == 0);
  if (std::to_string(first + 1) != next_step(run, 0)) CHECK(has(back, "is given up"));
}

TEST_CASE("with --json every line of stderr is JSON", "[smoke]") {
  const Workplace place;
  const std::string errors = (place.path / "stderr").string();
  const std::string command =
      "cd '" + place.path.string() + "' && '" RETAKE_BINARY_DIR "/bin/retake' run '" +
      (smoke::kExperiments / "policy.toml").string() + "' --json --no-archive > out 2> stderr";
  REQUIRE(std::system(command.c_str()) == 0);
  CHECK(parse_json(read_file(place.path / "out"), "stdout").is_table());
  std::ifstream in(errors);
  int progress = 0, logs = 0;
  for (std::string line; std::getline(in, line);) {
    INFO(line);
    const Value value = parse_json(line, "stderr");
    progress += value.as_table().contains("progress") ? 1 : 0;
    logs += value.as_table().contains("log") ? 1 : 0;
  }
  CHECK(progress >= 1);
  CHECK(logs >= 2);
}

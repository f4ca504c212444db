// Runs of the smoke experiments as a user starts them; interrupted ones must equal whole ones.

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>
#include <thread>

#include "catch.hpp"
#include "core/files.hpp"
#include "process.hpp"
#include "retake/rng.hpp"
#include "retake/value.hpp"
#include "run/checkpoint.hpp"
#include "run/json_lines.hpp"
#include "run/run_find.hpp"
#include "workplace.hpp"

using namespace retake;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

namespace {

using smoke::make_pairs;
using smoke::Workplace;

const fs::path& kSmoke = smoke::kExperiments;

/// What two equal runs have in common: every file of the latest and the best checkpoint and every
/// value logged. (An interrupted run may keep the checkpoint of its interruption besides.)
std::map<std::string, std::string> content(const run::RunFolder& run) {
  std::map<std::string, std::string> out;
  const run::CheckpointStore store(run.checkpoints());
  REQUIRE(store.latest());
  REQUIRE(store.best());
  for (const fs::path& folder : {*store.latest(), *store.best()}) {
    for (const auto& entry : fs::directory_iterator(folder)) {
      out[fs::relative(entry.path(), run.path()).string()] = read_file(entry.path());
    }
  }
  std::ostringstream metrics, trace;
  run::read_json_lines(run.metrics(), [&](const Value& record) {
    Table t = record.as_table();
    t.erase("t");
    metrics << to_json(Value(t)) << "\n";
  });
  out["metrics"] = metrics.str();
  out["trace"] = read_file(run.trace());
  return out;
}

void check_equal(const std::map<std::string, std::string>& a,
                 const std::map<std::string, std::string>& b) {
  std::set<std::string> names;
  for (const auto& [name, _] : a) names.insert(name);
  for (const auto& [name, _] : b) names.insert(name);
  for (const std::string& name : names) {
    INFO(name);
    REQUIRE(a.contains(name));
    REQUIRE(b.contains(name));
    // Compared as a condition: the texts are long and binary.
    CHECK((a.at(name) == b.at(name)));
  }
}

const std::vector<std::string> kPolicy{"run",
                                       (kSmoke / "policy.toml").string(),
                                       "--no-archive",
                                       "train.max_steps=60",
                                       "train.val_every=4",
                                       "train.keep.last=2",
                                       "train.ema=0.9"};

}  // namespace

TEST_CASE("every smoke experiment runs to its end, twice the same", "[smoke]") {
  for (const auto& entry : fs::directory_iterator(kSmoke)) {
    if (entry.path().extension() != ".toml") continue;
    INFO(entry.path());
    std::map<std::string, std::string> first;
    for (int i = 0; i < 2; ++i) {
      const Workplace place;
      make_pairs(place);
      const smoke::End end = smoke::retake({"run", entry.path().string()}, place.path);
      INFO(end.output);
      REQUIRE(end.code == 0);
      const run::RunFolder run = place.only_run();
      CHECK(fs::exists(run.bin() / "libretake_nn.so"));
      if (i == 0) {
        first = content(run);
      } else {
        check_equal(first, content(run));
      }
    }
  }
}

TEST_CASE("a run killed at random instants and resumed equals the uninterrupted one",
          "[smoke][resume]") {
  const Workplace whole_place;
  REQUIRE(smoke::retake(kPolicy, whole_place.path).code == 0);
  const auto whole = content(whole_place.only_run());
  const auto start = std::chrono::steady_clock::now();
  {
    const Workplace timed;
    REQUIRE(smoke::retake(kPolicy, timed.path).code == 0);
  }
  const double length =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();

  Rng rng(20261124);
  const int signals[] = {SIGKILL, SIGKILL, SIGINT, SIGTERM, SIGUSR1};
  int interrupted = 0, in_checkpoint = 0;
  for (int attempt = 0; interrupted < 20 && attempt < 80; ++attempt) {
    const Workplace place;
    const int number = signals[attempt % 5];
    smoke::Child child(kPolicy, place.path);
    // Every fourth kill waits for a checkpoint being written, the others strike anywhere.
    const bool aim = number == SIGKILL && attempt % 2 == 0;
    const auto strike = std::chrono::steady_clock::now() +
                        std::chrono::duration<double>(rng.uniform(0.2, 0.95) * length);
    while (child.running() && std::chrono::steady_clock::now() < strike) {
      std::this_thread::sleep_for(1ms);
    }
    if (aim) {
      const auto runs = run::list_runs(place.path / "runs");
      while (child.running() && !runs.empty()) {
        bool writing = false;
        std::error_code ignored;
        for (const auto& e : fs::directory_iterator(runs.front().checkpoints(), ignored)) {
          writing = writing || e.path().filename().string().starts_with(".");
        }
        if (writing) break;
      }
    }
    if (!child.running()) continue;
    child.signal(number);
    const smoke::End end = child.wait();
    const auto runs = run::list_runs(place.path / "runs");
    if (runs.empty() || !fs::exists(runs.front().manifest())) continue;  // before the run began
    INFO("signal " << number << ", attempt " << attempt << ": " << end.output);
    if (end.code == 0) continue;  // the signal came after the last step
    const int expected = number == SIGKILL ? -SIGKILL : number == SIGINT ? 130 : 75;
    CHECK(end.code == expected);
    if (fs::exists(runs.front().checkpoints())) {
      for (const auto& e : fs::directory_iterator(runs.front().checkpoints())) {
        in_checkpoint += e.path().filename().string().starts_with(".") ? 1 : 0;
      }
    }
    ++interrupted;
    // The last instants of a run lie behind its end.
    const Value before = parse_json(read_file(runs.front().manifest()), "manifest.json");
    const std::size_t attempts = *find_path(before, "status") == Value("finished") ? 1 : 2;
    const smoke::End resumed = smoke::retake({"resume", "last"}, place.path);
    INFO(resumed.output);
    REQUIRE(resumed.code == 0);
    check_equal(whole, content(place.only_run()));
    const Value manifest = parse_json(read_file(place.only_run().manifest()), "manifest.json");
    CHECK(find_path(manifest, "status")->as_string() == "finished");
    CHECK(find_path(manifest, "attempts")->as_array().size() == attempts);
  }
  CHECK(interrupted >= 20);
  WARN(interrupted << " interruptions, " << in_checkpoint << " while a checkpoint was written");
}

TEST_CASE("the aligner decides what is learnt from pairs without truth", "[smoke]") {
  const std::vector<std::string> aligned{"run", (kSmoke / "aligned.toml").string(), "--no-archive"};
  const auto metrics_with = [&](const std::string& aligner) {
    const Workplace place;
    make_pairs(place);
    auto arguments = aligned;
    arguments.push_back("aligner.plugin=" + aligner);
    const smoke::End end = smoke::retake(arguments, place.path);
    INFO(end.output);
    REQUIRE(end.code == 0);
    return content(place.only_run()).at("metrics");
  };
  // The edits are cut: to take them for plain copies gives other labels.
  CHECK(metrics_with("cross_correlation") != metrics_with("identity"));

  const Workplace place;
  make_pairs(place);
  auto without = aligned;
  without.insert(without.end(), {"--unset", "aligner"});
  const smoke::End end = smoke::retake(without, place.path);
  INFO(end.output);
  CHECK(end.code == 5);
  CHECK(end.output.find("E541") != std::string::npos);
}

TEST_CASE("a run edits recordings and stands in the common table", "[smoke]") {
  const Workplace place;
  make_pairs(place);
  const auto good = [&](const std::vector<std::string>& arguments) {
    const smoke::End end = smoke::retake(arguments, place.path);
    INFO(end.output);
    REQUIRE(end.code == 0);
    return end.output;
  };
  good({"run", (kSmoke / "aligned.toml").string(), "--no-archive"});
  const fs::path raw =
      place.path / "Jam 26.11.23 (take 2.5, \u00e4\u00f6).v2.wav";  // as people name them
  const fs::path of_pair = fs::directory_iterator(place.path / "data/pairs/input")->path();
  fs::copy_file(of_pair, raw);
  good({"edit", raw.string(), "--run", "last", "-o", "edited", "--length", "0.5"});
  const std::string stem = raw.stem().string();
  const fs::path audio = place.path / "edited" / (stem + "_edited.wav");
  CHECK(fs::exists(place.path / "edited" / (stem + "_edit.png")));
  good({"render", "edited/" + stem + ".edl.json", "-o", "again.wav"});
  CHECK((read_file(place.path / "again.wav") == read_file(audio)));

  const std::string json = good({"evaluate", "last", "--pairs", "data/pairs", "--split", "all",
                                 "--save", "saved", "--json", "--quiet"});
  const Value table = parse_json(json, "evaluate --json");
  std::set<std::string> rows;
  for (const auto& [name, row] : table.as_table()) {
    rows.insert(name);
    INFO(name);
    const Value& f1 = row.as_table().at("edit_f1");
    CHECK(f1.as_table().at("per_song").as_table().size() == 4);
    CHECK(f1.as_table().at("ci95").as_array().size() == 2);
  }
  CHECK(fs::exists(place.path / "saved" / (of_pair.stem().string() + ".edl.json")));
  CHECK(rows ==
        std::set<std::string>{"last", "copy", "linear_ratio", "energy_gate", "random", "keep_all"});
}

TEST_CASE("edit goes on with what it was stopped at", "[smoke]") {
  const Workplace place;
  make_pairs(place);
  REQUIRE(
      smoke::retake({"run", (kSmoke / "aligned.toml").string(), "--no-archive"}, place.path).code ==
      0);
  std::vector<std::string> edit = {"edit"};
  for (const auto& raw : fs::directory_iterator(place.path / "data/pairs/input")) {
    edit.push_back(raw.path().string());
  }
  const std::size_t recordings = edit.size() - 1;
  edit.insert(edit.end(), {"--run", "last", "-o", "edited"});
  const auto files = [&](bool records) {
    std::size_t n = 0;
    std::error_code none;
    for (const auto& file : fs::directory_iterator(place.path / "edited", none)) {
      const std::string name = file.path().filename().string();
      n += (records ? name.starts_with(".edit-") : name.ends_with("_edit.png")) ? 1 : 0;
    }
    return n;
  };
  smoke::Child child(edit, place.path);
  while (child.running() && files(true) == 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  child.signal(SIGTERM);
  const smoke::End first = child.wait();
  INFO(first.output);
  REQUIRE(first.code == 75);
  CHECK(files(false) < recordings);
  const smoke::End second = smoke::retake(edit, place.path);
  INFO(second.output);
  CHECK(second.code == 0);
  CHECK(second.output.find("going on with unfinished work") != std::string::npos);
  CHECK(files(false) == recordings);
  CHECK(files(true) == 0);
}

TEST_CASE("a clock that leaps by days changes nothing, and resuming goes on", "[smoke]") {
  const Workplace quiet, leaping;
  auto limited = kPolicy;
  limited.push_back("train.max_time=\"10m\"");  // by the steady clock: not reached by leaps
  REQUIRE(smoke::retake(limited, quiet.path).code == 0);
  ::setenv("LD_PRELOAD", CLOCK_LEAP, 1);
  smoke::Child child(limited, leaping.path);
  const auto stop_at = std::chrono::steady_clock::now() + 120s;
  while (child.running() && std::chrono::steady_clock::now() < stop_at) {
    const auto runs = run::list_runs(leaping.path / "runs");
    std::error_code none;
    if (!runs.empty() && fs::exists(runs.front().checkpoints() / "LATEST", none)) break;
    std::this_thread::sleep_for(5ms);
  }
  child.signal(SIGKILL);
  child.wait();
  const smoke::End end = smoke::retake({"resume", "last"}, leaping.path);
  const smoke::End listed = smoke::retake({"runs"}, leaping.path);
  ::unsetenv("LD_PRELOAD");
  INFO(end.output);
  REQUIRE(end.code == 0);
  CHECK(listed.code == 0);
  CHECK(listed.output.find("finished") != std::string::npos);
  const run::RunFolder run = run::list_runs(leaping.path / "runs").front();
  check_equal(content(run::list_runs(quiet.path / "runs").front()), content(run));
  std::set<std::string> days;  // as the clock had it: it did leap
  std::istringstream log(read_file(run.log_file()));
  for (std::string line; std::getline(log, line);) days.insert(line.substr(0, 10));
  CHECK(days.size() >= 2);
  double last = 0;
  run::read_json_lines(run.metrics(), [&](const Value& record) {
    const double t = record.as_table().at("t").as_double();
    CHECK(t >= last);
    CHECK(t < 3600);
    last = t;
  });
}

TEST_CASE("a time limit ends a run with 124, and it goes on", "[smoke]") {
  const Workplace place;
  auto arguments = kPolicy;
  arguments[3] = "train.max_steps=100000";
  arguments.push_back("train.max_time=\"1s\"");
  const smoke::End end = smoke::retake(arguments, place.path);
  INFO(end.output);
  CHECK(end.code == 124);
  CHECK(end.output.find("retake resume") != std::string::npos);
}

TEST_CASE("wrong experiments end with the contract's codes", "[smoke][hostile]") {
  const Workplace place;
  const auto code = [&](std::vector<std::string> more) {
    auto arguments = kPolicy;
    arguments.insert(arguments.end(), more.begin(), more.end());
    return smoke::retake(arguments, place.path).code;
  };
  CHECK(code({"optimizer.lr=\"high\""}) == 3);
  CHECK(code({"model.plugin=no_such_model"}) == 4);
  CHECK(code({"dataset.music=[\"/no/such/folder\"]"}) == 5);
  CHECK(code({"--unset", "optimizer"}) == 3);
  CHECK(code({"optimizer.lr=1.0", "optimizer.eps=0.9", "model.context=5"}) == 3);
  CHECK(smoke::retake({"run"}, place.path).code == 2);
  CHECK(smoke::retake({"resume", "zzzz"}, place.path).code == 5);
}

#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "catch.hpp"
#include "core/files.hpp"
#include "retake/error.hpp"
#include "run/run_find.hpp"
#include "run/run_folder.hpp"
#include "temp_folder.hpp"

using namespace retake;
using namespace retake::run;
namespace fs = std::filesystem;

namespace {

/// The first diagnostic of what `body` throws.
template <class F>
Diagnostic thrown(F&& body) {
  try {
    body();
  } catch (const Error& e) {
    return e.diagnostics().front();
  }
  return {};
}

void make(const fs::path& runs, const std::string& name, const std::string& started = {}) {
  fs::create_directories(runs / name);
  if (!started.empty()) put(runs / name / "manifest.json", "{\"started\":\"" + started + "\"}");
}

}  // namespace

TEST_CASE("a run folder is named DATE_NAME_ID and never given twice") {
  TempFolder t;
  std::set<std::string> ids;
  for (int i = 0; i < 200; ++i) {
    const RunFolder run = RunFolder::create(t.path / "runs", "pointer_small");
    REQUIRE(fs::is_directory(run.path()));
    const auto parts = parse_run_name(run.path().filename().string());
    REQUIRE(parts);
    CHECK(parts->name == "pointer_small");
    CHECK(parts->id == run.id());
    CHECK(run.id().size() == 8);
    CHECK(run.id().find_first_not_of("abcdefghijklmnopqrstuvwxyz234567") == std::string::npos);
    CHECK(ids.insert(run.id()).second);
  }
}

TEST_CASE("names are made safe and parsed from the end") {
  TempFolder t;
  const RunFolder run = RunFolder::create(t.path, "../a b/ü");
  CHECK(run.path().parent_path() == t.path);
  CHECK(run.name().find('/') == std::string::npos);
  CHECK(RunFolder::create(t.path, "").name() == "run");
  const auto parts = parse_run_name("2026-11-23_a_b_abcdefgh_k7q2m4xa");
  REQUIRE(parts);
  CHECK(parts->name == "a_b_abcdefgh");
  for (const char* bad :
       {"", "sweeps", "2026-11-23_x", "2026-11-23_x_K7q2m4xa", "2026-11-23-x_k7q2m4xa",
        "2026_11_23_x_k7q2m4xa", "2026-11-23_x_k7q2m41a", ".store"}) {
    CHECK_FALSE(parse_run_name(bad));
  }
}

TEST_CASE("what was given to the run is written as given") {
  TempFolder t;
  const RunFolder run = RunFolder::create(t.path / "runs", "x");
  run.write_config("a = 1\n", {"model.d=2", "--unset x"}, {"retake", "run", "a b.toml", "it's"});
  CHECK(get(run.resolved_config()) == "a = 1\n");
  CHECK(get(run.path() / "overrides.txt") == "model.d=2\n--unset x\n");
  CHECK(get(run.path() / "command.txt") == "retake run 'a b.toml' 'it'\\''s'\n");
  run.write_inputs({{t.path / "e/pointer/small.toml", "1"}, {t.path / "e/base/b.toml", "2"}});
  CHECK(get(run.path() / "config.input/pointer/small.toml") == "1");
  CHECK(get(run.path() / "config.input/base/b.toml") == "2");
  Table state;
  state["step"] = 3;
  run.write_progress(Value(state));
  CHECK(parse_json(get(run.progress()), "p").as_table().at("step").as_int() == 3);
}

TEST_CASE("two commands on one run is an error that names the holder") {
  TempFolder t;
  const RunFolder run = RunFolder::create(t.path, "x");
  CHECK_FALSE(run.is_locked());
  {
    const RunLock lock = run.lock("resume k7q");
    CHECK(run.is_locked());
    const Diagnostic d = thrown([&] { run.lock("run"); });
    CHECK(d.id == "E603");
    REQUIRE(d.facts.size() == 1);
    CHECK(d.facts[0].find("resume k7q") != std::string::npos);
    CHECK(d.facts[0].find(std::to_string(::getpid())) != std::string::npos);
  }
  CHECK_FALSE(run.is_locked());
  const RunLock again = run.lock("run");
}

TEST_CASE("the lock of a killed process is free") {
  TempFolder t;
  const RunFolder run = RunFolder::create(t.path, "x");
  int ready[2];
  REQUIRE(::pipe(ready) == 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const RunLock lock = run.lock("child");
    (void)!::write(ready[1], "x", 1);
    ::pause();
    ::_exit(0);
  }
  char byte;
  REQUIRE(::read(ready[0], &byte, 1) == 1);
  CHECK(run.is_locked());
  CHECK_THROWS_AS(run.lock("parent"), UsageError);
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  CHECK_FALSE(run.is_locked());
  const RunLock lock = run.lock("parent");
  ::close(ready[0]);
  ::close(ready[1]);
}

TEST_CASE("runs are found by id, prefix, path, last") {
  TempFolder t;
  const fs::path runs = t.path / "runs";
  make(runs, "2026-11-20_a_k7q2m4xa", "2026-11-20T10:00:00.000Z");
  make(runs, "2026-11-21_z_k7aaaaaa", "2026-11-21T10:00:00.000Z");
  make(runs, "2026-11-21_b_m3x7p2re", "2026-11-21T12:00:00.000Z");
  make(runs, "2026-11-22_c_zzzzzzzz");  // killed before its manifest
  fs::create_directories(runs / "sweeps");
  CHECK(list_runs(runs).size() == 4);
  CHECK(find_run("k7q2m4xa", runs).name() == "a");
  CHECK(find_run("k7q", runs).name() == "a");
  CHECK(find_run((runs / "2026-11-21_b_m3x7p2re").string(), runs).id() == "m3x7p2re");
  CHECK(find_run((runs / "2026-11-21_b_m3x7p2re/").string(), runs).id() == "m3x7p2re");
  CHECK(find_run("2026-11-21_b_m3x7p2re", runs).id() == "m3x7p2re");
  CHECK(find_run("last", runs).name() == "c");
  CHECK(find_run("last~1", runs).name() == "b");
  CHECK(find_run("last~2", runs).name() == "z");
  CHECK(find_run("last~3", runs).name() == "a");
  CHECK(thrown([&] { find_run("last~4", runs); }).id == "E601");
  CHECK(thrown([&] { find_run("last~x", runs); }).id == "E601");
  const Diagnostic two = thrown([&] { find_run("k7", runs); });
  CHECK(two.id == "E602");
  CHECK(two.facts.size() == 2);
  CHECK(thrown([&] { find_run("", runs); }).id == "E601");
  CHECK(thrown([&] { find_run("last", t.path / "none"); }).id == "E601");
}

TEST_CASE("a mistyped run id is answered with the one meant") {
  TempFolder t;
  make(t.path, "2026-11-20_a_k7q2m4xa");
  make(t.path, "2026-11-20_b_m3x7p2re");
  for (const char* typo : {"k7q2m4ax", "k7q2n4xa", "kq2m4xa", "k7q2m44xa"}) {
    const Diagnostic d = thrown([&] { find_run(typo, t.path); });
    CHECK(d.id == "E601");
    CHECK(d.help.find("`k7q2m4xa`") != std::string::npos);
  }
  CHECK(thrown([&] { find_run("lats", t.path); }).help.find("`last`") != std::string::npos);
}

TEST_CASE("checkpoints are named through their run") {
  TempFolder t;
  const fs::path run = t.path / "2026-11-20_a_k7q2m4xa";
  for (const char* step : {"step-000010", "step-000020"}) {
    fs::create_directories(run / "checkpoints" / step);
    put(run / "checkpoints" / step / "hashes.json", "{}");
  }
  make(t.path, "2026-11-19_b_m3x7p2re");
  put(run / "checkpoints/LATEST", "step-000020\n");
  CHECK(find_checkpoint("k7q", t.path).filename() == "step-000020");
  CHECK(thrown([&] { find_checkpoint("k7q:best", t.path); }).id == "E604");
  put(run / "checkpoints/BEST", "step-000010\n");
  CHECK(find_checkpoint("k7q", t.path).filename() == "step-000010");
  CHECK(find_checkpoint("k7q:best", t.path).filename() == "step-000010");
  CHECK(find_checkpoint("last:latest", t.path).filename() == "step-000020");
  CHECK(find_checkpoint("last:10", t.path).filename() == "step-000010");
  CHECK(find_checkpoint(run.string() + ":latest", t.path).filename() == "step-000020");
  const fs::path direct = run / "checkpoints/step-000010";
  CHECK(find_checkpoint(direct.string(), t.path) == direct);
  const Diagnostic gone = thrown([&] { find_checkpoint("k7q:15", t.path); });
  CHECK(gone.id == "E604");
  CHECK(gone.facts.at(0).find("10 20") != std::string::npos);
  CHECK(thrown([&] { find_checkpoint("k7q:bets", t.path); }).help.find("`best`") !=
        std::string::npos);
  CHECK(thrown([&] { find_checkpoint("m3x", t.path); }).id == "E604");
  put(run / "checkpoints/LATEST", "../../etc\n");
  CHECK(thrown([&] { find_checkpoint("k7q:latest", t.path); }).id == "E605");
}

TEST_CASE("a folder that is no run is refused") {
  TempFolder t;
  CHECK(thrown([&] { RunFolder::open(t.path / "absent"); }).id == "E601");
  CHECK(thrown([&] { RunFolder::open(t.path); }).id == "E601");
  fs::create_directories(t.path / "renamed");
  put(t.path / "renamed/manifest.json",
      R"({"run_id":"k7q2m4xa","started":"2026-11-20T10:00:00.000Z"})");
  const RunFolder run = RunFolder::open(t.path / "renamed");
  CHECK(run.id() == "k7q2m4xa");
  CHECK(run.date() == "2026-11-20");
  put(t.path / "renamed/manifest.json", "{");
  CHECK_THROWS_AS(RunFolder::open(t.path / "renamed"), DataError);
}

TEST_CASE("a full or read-only place is said") {
  TempFolder t;
  put(t.path / "file", "");
  CHECK_THROWS_AS(RunFolder::create(t.path / "file", "x"), DataError);
  CHECK_THROWS_AS(RunFolder::create("/proc/runs", "x"), DataError);
}

TEST_CASE("a slash at the end changes nothing of a run's path") {
  TempFolder t;
  const RunFolder run = RunFolder::create(t.path / "runs", "x");
  for (const std::string end : {"", "/", "//", "/.", "/./"}) {
    INFO(end);
    const RunFolder opened = RunFolder::open(run.path().string() + end);
    CHECK(opened.path().filename() == run.path().filename());
    CHECK(opened.path().parent_path() == t.path / "runs");
    CHECK(opened.metrics().parent_path() == opened.path());
  }
}

TEST_CASE("a damaged manifest stands in nobody else's way") {
  TempFolder t;
  make(t.path, "2026-11-20_a_k7q2m4xa", "2026-11-20T10:00:00.000Z");
  make(t.path, "2026-11-21_b_m3x7p2re", "2026-11-21T12:00:00.000Z");
  make(t.path, "2026-11-21_c_zzzzzzzz");
  put(t.path / "2026-11-21_c_zzzzzzzz/manifest.json", "{\"schema\"");
  make(t.path, "2026-11-22_d_dddddddd");
  put(t.path / "2026-11-22_d_dddddddd/manifest.json", "");
  CHECK(find_run("last", t.path).name() == "b");
  CHECK(find_run("last~1", t.path).name() == "a");
  CHECK(find_run("k7", t.path).name() == "a");
  CHECK(find_run("zzz", t.path).name() == "c");  // the damaged one itself: who uses it will say so
  const Diagnostic few = thrown([&] { find_run("last~2", t.path); });
  CHECK(few.id == "E601");
  CHECK(few.message.find("only 2 runs that can be read") != std::string::npos);
}

TEST_CASE("copies of a run folder are told apart by their paths") {
  TempFolder t;
  make(t.path, "2026-11-20_a_k7q2m4xa");
  make(t.path, "2026-11-20_copy_k7q2m4xa");
  for (const char* spec : {"k7q2m4xa", "k7q"}) {
    const Diagnostic d = thrown([&] { find_run(spec, t.path); });
    CHECK(d.id == "E602");
    REQUIRE(d.facts.size() == 2);
    CHECK(d.facts[0] == (t.path / "2026-11-20_a_k7q2m4xa").string());
    CHECK(d.facts[1] == (t.path / "2026-11-20_copy_k7q2m4xa").string());
    CHECK(d.help.find("path of one") != std::string::npos);
    CHECK(d.help.find("more letters") == std::string::npos);
  }
  CHECK(find_run((t.path / "2026-11-20_copy_k7q2m4xa").string(), t.path).name() == "copy");
}

#include <chrono>
#include <map>

#include "catch.hpp"
#include "retake/error.hpp"
#include "run/environment.hpp"
#include "run/json_slices.hpp"
#include "run/manifest.hpp"
#include "run/run_row.hpp"
#include "run/where.hpp"
#include "temp_folder.hpp"

using namespace retake;
using namespace retake::run;
namespace fs = std::filesystem;

namespace {

bool matches(const std::string& where, const std::map<std::string, Value>& facts) {
  return Where::parse(where).matches([&](const std::string& key) -> std::optional<Value> {
    const auto it = facts.find(key);
    return it == facts.end() ? std::nullopt : std::optional<Value>(it->second);
  });
}

std::string ids(const fs::path& runs, const RunQuery& query) {
  std::string out;
  for (const auto& row : query_runs(runs, query)) out += row.run().name();
  return out;
}

struct Sample {
  std::string name, id, started, status, tag;
  double f1 = 0;
  int d_model = 0;
};

void make(const fs::path& runs, const Sample& s) {
  const fs::path folder = runs / (s.started.substr(0, 10) + "_" + s.name + "_" + s.id);
  fs::create_directories(folder);
  put(folder / "config.resolved.toml",
      "[model]\nplugin = \"pointer_network\"\nd_model = " + std::to_string(s.d_model) + "\n");
  put(folder / "manifest.json",
      "{\"schema\":\"retake.manifest/1\",\"run_id\":\"" + s.id + "\",\"status\":\"" + s.status +
          "\",\"started\":\"" + s.started + "\",\"config_hash\":\"ab\",\"seed\":7," +
          "\"attempts\":[{\"from_step\":0,\"to_step\":100,\"end\":\"ok\"}],\"summary\":" +
          "{\"val/edit_f1\":{\"best\":" + std::to_string(s.f1) +
          ",\"step\":50,\"last\":0.1}},\"x-experiment\":{\"tags\":[\"all\",\"" + s.tag + "\"]}}");
}

}  // namespace

TEST_CASE("conditions") {
  const std::map<std::string, Value> run{{"val/edit_f1", 0.81},
                                         {"tag", Array{"pointer", "ablation"}},
                                         {"model.plugin", "keep_cut"},
                                         {"model.d_model", 128},
                                         {"on", true},
                                         {"started", "2026-11-23T10:00:00.000Z"}};
  for (const char* yes :
       {"tag=ablation", "tag=ablation and val/edit_f1>0.8", "val/edit_f1 >= 0.81", "tag!=other",
        "not tag=other", "model.plugin=keep_cut or missing=1",
        "not (model.plugin = pointer_network or tag=none)", "model.d_model==128",
        "model.d_model=1.28e2", "on=true", "on!=false", "started>2026-11-20 and started<2026-12",
        "model.plugin=\"keep_cut\"", "'model.plugin'='keep_cut'", "tag=x or tag=y or tag=pointer",
        "tag=pointer or tag=x and tag=y", "val/edit_f1 != many", "not not on=true"}) {
    INFO(yes);
    CHECK(matches(yes, run));
  }
  for (const char* no :
       {"tag=ABLATION", "val/edit_f1>0.81", "missing=1", "missing!=1", "tag!=pointer",
        "(tag=pointer or tag=x) and tag=y", "on=1", "val/edit_f1=many", "model.plugin>z"}) {
    INFO(no);
    CHECK_FALSE(matches(no, run));
  }
  CHECK(Where::parse("a=1 and (b=2 or a=3)").keys() == std::vector<std::string>{"a", "b"});
}

TEST_CASE("a condition that cannot be read shows where") {
  std::string deep(10'000, '(');
  std::string nots;
  for (int i = 0; i < 10'000; ++i) nots += "not ";
  const std::vector<std::pair<std::string, int>> bad{{"", 1},
                                                     {"tag", 4},
                                                     {"tag=", 5},
                                                     {"tag~x", 4},
                                                     {"tag=x tag=y", 7},
                                                     {"(tag=x", 7},
                                                     {"tag=x)", 6},
                                                     {"tag='x", 5},
                                                     {"= x", 1},
                                                     {"and", 4},
                                                     {"tag=x and", 10},
                                                     {"tag=x or or", 12},
                                                     {"tag==", 6},
                                                     {"tag=(x)", 5},
                                                     {deep, 102},
                                                     {nots + "a=1", 405}};
  for (const auto& [text, column] : bad) {
    INFO(text.substr(0, 50));
    try {
      Where::parse(text);
      FAIL("accepted");
    } catch (const UsageError& e) {
      CHECK(e.diagnostics().front().id == "E610");
      CHECK(e.diagnostics().front().place->column == column);
    }
  }
}

TEST_CASE("a caret under --where counts characters") {
  try {
    Where::parse("tag=\u00dcben_\u00fc and tag~x");
    FAIL("accepted");
  } catch (const UsageError& e) {
    CHECK(e.diagnostics().front().place->column == 19);
  }
}

TEST_CASE("runs are filtered, sorted and cut") {
  TempFolder t;
  make(t.path, {"a", "aaaaaaaa", "2026-11-20T10:00:00.000Z", "finished", "x", 0.7, 64});
  make(t.path, {"b", "bbbbbbbb", "2026-11-21T12:00:00.000Z", "failed", "y", 0.9, 128});
  make(t.path, {"c", "cccccccc", "2026-11-21T11:00:00.000Z", "finished", "x", 0.8, 256});
  fs::create_directories(t.path / "2026-11-22_d_dddddddd");  // killed before its manifest
  fs::create_directories(t.path / "2026-11-23_e_eeeeeeee");
  put(t.path / "2026-11-23_e_eeeeeeee/manifest.json", "{\"schema\"");
  CHECK(ids(t.path, {}) == "edbca");
  CHECK(ids(t.path, {.where = "", .sort = "", .keys = {}, .last = 2}) == "ed");
  CHECK(ids(t.path, {.where = "tag=x", .sort = "", .keys = {}, .last = 0}) == "ca");
  CHECK(
      ids(t.path,
          {.where = "val/edit_f1>0.75 and model.d_model<200", .sort = "", .keys = {}, .last = 0}) ==
      "b");
  CHECK(ids(t.path, {.where = "val/edit_f1.last=0.1 and status=finished",
                     .sort = "",
                     .keys = {},
                     .last = 1}) == "c");
  CHECK(ids(t.path, {.where = "", .sort = "val/edit_f1", .keys = {}, .last = 0}) == "bcaed");
  CHECK(ids(t.path, {.where = "", .sort = "model.d_model:asc", .keys = {}, .last = 0}) == "abced");
  CHECK(ids(t.path, {.where = "status=damaged", .sort = "", .keys = {}, .last = 0}) == "e");
  CHECK(ids(t.path, {.where = "status=killed", .sort = "", .keys = {}, .last = 0}) == "d");
  CHECK(ids(t.path, {.where = "step=100", .sort = "", .keys = {}, .last = 0}) == "bca");
  CHECK(ids(t.path / "absent", {}).empty());
}

TEST_CASE("a misspelt key is an error with the one meant") {
  TempFolder t;
  make(t.path, {"a", "aaaaaaaa", "2026-11-20T10:00:00.000Z", "finished", "x", 0.7, 64});
  const std::vector<std::pair<std::string, std::string>> typos{
      {"val/edit_f2", "val/edit_f1"}, {"model.dmodel", "model.d_model"}, {"statsu", "status"}};
  for (const auto& [typo, meant] : typos) {
    for (const RunQuery& query : {RunQuery{.where = typo + "=1", .sort = "", .keys = {}, .last = 0},
                                  RunQuery{.where = "", .sort = typo, .keys = {}, .last = 0},
                                  RunQuery{.where = "", .sort = "", .keys = {typo}, .last = 0}}) {
      try {
        query_runs(t.path, query);
        FAIL("accepted");
      } catch (const UsageError& e) {
        CHECK(e.diagnostics().front().help.find("`" + meant + "`") != std::string::npos);
      }
    }
  }
}

TEST_CASE("a run is killed only when nobody holds its lock") {
  TempFolder t;
  make(t.path, {"a", "aaaaaaaa", "2026-11-20T10:00:00.000Z", "running", "x", 0.7, 64});
  const RunFolder run = RunFolder::open(t.path / "2026-11-20_a_aaaaaaaa");
  CHECK(RunRow(run).status() == "killed");
  const RunLock lock = run.lock("run");
  CHECK(RunRow(run).status() == "running");
}

TEST_CASE("an object is sliced without being parsed") {
  const auto slices =
      slice_json_object(R"( {"a": 1, "b" : [1,{"x":"]}\""}], "c":"q, }", "d":{}} )");
  REQUIRE(slices);
  REQUIRE(slices->size() == 4);
  CHECK((*slices)[0].second == "1");
  CHECK((*slices)[1].second == R"([1,{"x":"]}\""}])");
  CHECK((*slices)[2].second == R"("q, }")");
  CHECK((*slices)[3].first == "d");
  CHECK(slice_json_object("{}")->empty());
  const std::string whole = R"({"a":[1,"\""],"b":{"c":2}})";
  for (std::size_t n = 0; n < whole.size(); ++n) CHECK_FALSE(slice_json_object(whole.substr(0, n)));
  for (const char* bad : {"", "[]", "1", "{a:1}", "{\"a\"1}", "{\"a\":}", "{\"a\":1}}", "{,}"}) {
    CHECK_FALSE(slice_json_object(bad));
  }
}

TEST_CASE("a thousand runs are listed in less than 0.3 s", "[.bench]") {
  TempFolder t;
  // Manifests of the true size: those of this process, with its libraries.
  HashCache hashes(t.path / "cache.jsonl");
  ManifestStart start;
  start.config_hash = std::string(64, 'a');
  start.env = describe_environment({}, hashes);
  // A training run has LibTorch's libraries, a dozen plugins and some outputs too.
  Array& libs = start.env["libs"].as_array();
  while (libs.size() < 80) {
    libs.push_back(Array{"libsomething.so.1", "sha256:" + std::string(64, 'b')});
  }
  for (int i = 0; i < 12; ++i) {
    start.plugins.push_back({"model", "pointer_network", "1.2.0", "81c0ffee12ab",
                             std::string(64, 'c'), executable_path(), "", true});
  }
  const RunFolder first = RunFolder::create(t.path / "first", "x");
  const std::string text = [&] {
    Manifest::start(first, start);
    return get(first.manifest());
  }();
  const fs::path runs = t.path / "runs";
  for (int i = 0; i < 1000; ++i) {
    std::string id = "aaaa";
    for (int k = 0, n = i; k < 4; ++k, n /= 26) id += static_cast<char>('a' + n % 26);
    const fs::path folder = runs / ("2026-11-" + std::to_string(10 + i % 20) + "_x_" + id);
    fs::create_directories(folder);
    put(folder / "manifest.json", text);
  }
  double best = 1e9;
  for (int attempt = 0; attempt < 5; ++attempt) {
    const auto begin = std::chrono::steady_clock::now();
    CHECK(query_runs(runs, {}).size() == 1000);
    best = std::min(
        best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  WARN("1000 runs, manifests of " << text.size() << " bytes: " << best << " s");
#if defined(NDEBUG) && !defined(__SANITIZE_ADDRESS__)
  CHECK(best < 0.3);
#endif
}

namespace {

/// A run that a manifest of an earlier attempt describes, as `resume` leaves it: the summary is
/// old, the last attempt open.
RunFolder make_resumed(const fs::path& runs, const std::string& status) {
  const fs::path folder = runs / "2026-11-20_sp-ace-_aaaaaaaa";
  fs::create_directories(folder);
  put(folder / "config.resolved.toml", "[train]\nmetric = \"val/edit_f1\"\ngoal = \"max\"\n");
  put(folder / "manifest.json",
      R"({"schema":"retake.manifest/1","run_id":"aaaaaaaa","status":")" + status +
          R"(","started":"2026-11-20T10:00:00.000Z","config_hash":"ab","seed":7,
"attempts":[{"from_step":0,"to_step":100,"end":"SIGINT"},{"from_step":100,"to_step":null,"end":null}],
"summary":{"val/edit_f1":{"best":0.5,"step":50,"last":0.4}},
"x-experiment":{"name":"sp ace \u00fc","metric":"val/edit_f1"}})");
  put(folder / "metrics.jsonl",
      "{\"step\":50,\"t\":1,\"val/edit_f1\":0.5,\"val/loss\":3}\n"
      "{\"step\":100,\"t\":2,\"val/edit_f1\":0.4,\"val/loss\":2}\n"
      "{\"step\":150,\"t\":3,\"val/edit_f1\":0.7,\"val/loss\":1}\n"
      "{\"step\":200,\"t\":4,\"val/edit_f1\":0.6,\"val/loss\":1.5}\n");
  return RunFolder::open(folder);
}

}  // namespace

TEST_CASE("a run that is not sealed is judged by what it has reached") {
  TempFolder t;
  const std::string status = GENERATE("running", "aborted", "crashed");
  const RunFolder run = make_resumed(t.path, status);
  put(run.progress(), R"({"step":210,"total":1000,"loss":1})");
  {
    const RunRow row(run);
    CHECK(row.get("step") == Value(210));
    CHECK(row.get("val/edit_f1") == Value(0.7));
    CHECK(row.get("val/edit_f1.step") == Value(150));
    CHECK(row.get("val/edit_f1.last") == Value(0.6));
    CHECK(row.get("val/loss") == Value(1.5));
    CHECK(row.best_text() == "val/edit_f1 0.7");
    CHECK(ids(t.path, {.where = "val/edit_f1>0.6 and step>200", .sort = "", .keys = {}, .last = 0})
              .size() > 0);
  }
  // metrics.jsonl lags behind; progress.json is newer, the newest checkpoint newer still.
  put(run.progress(), R"({"step":220,"metric":"val/edit_f1","best":0.8,"best_step":215})");
  CHECK(RunRow(run).get("val/edit_f1") == Value(0.8));
  fs::create_directories(run.checkpoints() / "step-000250");
  put(run.checkpoints() / "step-000250/hashes.json",
      R"({"step":250,"best":{"step":250,"metric":"val/edit_f1","value":0.9}})");
  CHECK(RunRow(run).get("step") == Value(250));
  CHECK(RunRow(run).get("val/edit_f1") == Value(0.9));
  CHECK(RunRow(run).get("val/edit_f1.step") == Value(250));
  // Half-written or damaged state is passed over.
  put(run.progress(), "{\"step\":");
  put(run.checkpoints() / "step-000250/hashes.json", "");
  CHECK(RunRow(run).get("step") == Value(250));
  CHECK(RunRow(run).get("val/edit_f1") == Value(0.7));
}

TEST_CASE("a sealed run is as its manifest says, unless a checkpoint is newer") {
  TempFolder t;
  make(t.path, {"a", "aaaaaaaa", "2026-11-20T10:00:00.000Z", "finished", "x", 0.7, 64});
  const RunFolder run = RunFolder::open(t.path / "2026-11-20_a_aaaaaaaa");
  put(run.progress(), R"({"step":90})");
  fs::create_directories(run.checkpoints() / "step-000100");
  CHECK(RunRow(run).get("step") == Value(100));
  CHECK(RunRow(run).get("val/edit_f1") == Value(0.7));
  fs::create_directories(run.checkpoints() / "step-000150");
  put(run.checkpoints() / "step-000150/hashes.json",
      R"({"step":150,"best":{"step":150,"metric":"val/edit_f1","value":0.9}})");
  CHECK(RunRow(run).get("step") == Value(150));
  CHECK(RunRow(run).get("val/edit_f1") == Value(0.9));
}

TEST_CASE("a run has the name that its experiment gave it") {
  TempFolder t;
  const RunFolder run = make_resumed(t.path, "aborted");
  CHECK(run.name() == "sp-ace-");
  CHECK(RunRow(run).get("name") == Value("sp ace \u00fc"));
  make(t.path, {"b", "bbbbbbbb", "2026-11-20T10:00:00.000Z", "finished", "x", 0.7, 64});
  CHECK(RunRow(RunFolder::open(t.path / "2026-11-20_b_bbbbbbbb")).get("name") == Value("b"));
}

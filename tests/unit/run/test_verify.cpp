#include <filesystem>

#include "catch.hpp"
#include "core/hash.hpp"
#include "run/archive.hpp"
#include "run/checkpoint.hpp"
#include "run/environment.hpp"
#include "run/json_lines.hpp"
#include "run/verify.hpp"
#include "temp_folder.hpp"

using namespace retake;
using namespace retake::run;
namespace fs = std::filesystem;

namespace {

std::string index_line(const fs::path& root, const std::string& name) {
  Table t;
  t["path"] = name;
  t["bytes"] = static_cast<std::int64_t>(fs::file_size(root / name));
  t["sha256"] = sha256_file(root / name);
  return to_json(Value(t)) + "\n";
}

/// A sealed run with a metric, a checkpoint, an artifact and two data files.
RunFolder make_run(const fs::path& place) {
  fs::create_directories(place / "data");
  put(place / "data/a.wav", "recording a");
  put(place / "data/b.wav", "recording b");
  const RunFolder run = RunFolder::create(place / "runs", "verified");
  const RunLock lock = run.lock("test");
  HashCache hashes(place / "hashes.jsonl");
  ManifestStart start;
  start.config_hash = std::string(64, 'a');
  start.host_program = describe_host_program({}, hashes);
  start.code["absent"] = "not in a git repository";
  start.env = describe_environment({}, hashes);
  start.determinism["requested"] = true;
  start.determinism["level"] = "exact";
  start.determinism["nondeterministic_ops"] = Array{};
  Manifest manifest = Manifest::start(run, start);
  Table data;
  data["root"] = (place / "data").string();
  data["index"] = "data.index.jsonl";
  data["files"] = 2;
  manifest.set("data", data);
  put(run.path() / "data.index.jsonl",
      index_line(place / "data", "a.wav") + index_line(place / "data", "b.wav"));
  run.write_config("x = 1\n", {}, {"retake", "run"});
  run.write_inputs({{place / "exp.toml", "x = 1\n"}});
  manifest.set("x-inputs", describe_inputs(run));
  {
    JsonLines metrics(run.metrics());
    Table record;
    record["val/edit_f1"] = 0.5;
    metrics.append(10, record);
  }
  const std::vector<float> w{1.0F, 2.0F};
  CheckpointContent content;
  content.step = 10;
  content.retake = Value(Table());
  content.rng = Value(Table());
  content.cursor = Value(Table());
  content.model = {{"w", DType::f32, {2}, std::as_bytes(std::span(w))}};
  CheckpointStore(run.checkpoints()).publish(content, {});
  fs::create_directories(run.artifacts() / "edits");
  put(run.artifacts() / "edits/a.edl.json", "{\"schema\": \"x\"}");
  manifest.seal({.code = ExitCode::ok, .to_step = 10, .signal = 0, .message = {}});
  return run;
}

std::vector<std::string> differences(const RunFolder& run, const std::string& part) {
  for (const VerifyPart& p : verify_run(run, {}, true)) {
    if (p.name == part) return p.differences;
  }
  return {"no such part"};
}

std::size_t all_differences(const RunFolder& run) {
  std::size_t n = 0;
  for (const VerifyPart& p : verify_run(run, {}, true)) n += p.differences.size();
  return n;
}

}  // namespace

TEST_CASE("a run that nobody touched is verified, part by part") {
  TempFolder place;
  const RunFolder run = make_run(place.path);
  CHECK(all_differences(run) == 0);
  for (const VerifyPart& p : verify_run(run, {}, true)) {
    INFO(p.name);
    const bool absent = p.name == "code" || p.name == "binaries";
    CHECK(p.absent.empty() == !absent);
    CHECK((p.compared > 0) == !absent);
  }
  // Another spelling of the same JSON value is the same output.
  put(run.artifacts() / "edits/a.edl.json", "{\n  \"schema\":\"x\"\n}");
  CHECK(all_differences(run) == 0);
}

TEST_CASE("each kind of damage is named with its file") {
  TempFolder place;
  const RunFolder run = make_run(place.path);
  using Words = std::vector<std::string>;
  SECTION("an artifact was edited") {
    put(run.artifacts() / "edits/a.edl.json", "{\"schema\": \"y\"}");
    CHECK(differences(run, "outputs") ==
          Words{"artifacts/edits/a.edl.json: its content is another"});
  }
  SECTION("a log is gone") {
    fs::remove(run.metrics());
    CHECK(differences(run, "outputs") == Words{"metrics.jsonl: is missing"});
  }
  SECTION("one byte of a checkpoint") {
    const fs::path file = *CheckpointStore(run.checkpoints()).latest() / "model.safetensors";
    std::string bytes = get(file);
    bytes.back() = static_cast<char>(bytes.back() ^ 1);
    put(file, bytes);
    const Words found = differences(run, "checkpoints");
    REQUIRE(found.size() == 1);
    CHECK(found[0].find("model.safetensors") != std::string::npos);
  }
  SECTION("data: longer, another content of the same length, gone") {
    put(place.path / "data/a.wav", "recording a!!");
    put(place.path / "data/b.wav", "recording B");
    CHECK(differences(run, "data") ==
          Words{"a.wav: 2 bytes longer", "b.wav: its content is another"});
    fs::remove(place.path / "data/b.wav");
    CHECK(differences(run, "data")[1].find("b.wav: No such file") == 0);
  }
  SECTION("the data index was cut") {
    put(run.path() / "data.index.jsonl", "");
    CHECK(differences(run, "data") ==
          Words{"data.index.jsonl: it lists not the 2 files that the manifest counts"});
    CHECK(differences(run, "inputs") == Words{"data.index.jsonl: its content is another"});
  }
  SECTION("what the run was made from was edited or is gone") {
    put(run.path() / "config.input/exp.toml", "x = 2\n");
    fs::remove(run.path() / "command.txt");
    CHECK(differences(run, "inputs") ==
          Words{"command.txt: is missing", "config.input/exp.toml: its content is another"});
  }
  SECTION("no manifest") {
    fs::remove(run.manifest());
    CHECK_THROWS_AS(verify_run(run, {}, true), DataError);
  }
  SECTION("a manifest without what its schema promises is told, not a crash") {
    put(run.manifest(),
        "{\"schema\":\"retake.manifest/"
        "1\",\"run_id\":\"a\",\"status\":\"finished\",\"started\":\"x\","
        "\"config_hash\":\"y\",\"attempts\":[{}]}");
    CHECK(differences(run, "outputs").size() == 1);
    CHECK(differences(run, "binaries").size() <= 1);
  }
}

TEST_CASE("a slash behind the run's folder changes nothing") {
  TempFolder place;
  const RunFolder run = make_run(place.path);
  CHECK(all_differences(RunFolder::open(run.path().string() + "/")) == 0);
}

TEST_CASE("LATEST and BEST must name checkpoints that are there") {
  TempFolder place;
  const RunFolder run = make_run(place.path);
  CheckpointContent content;
  content.step = 20;
  content.retake = content.rng = content.cursor = Value(Table());
  content.best = BestMark{20, "val/edit_f1", 0.5};
  CheckpointStore(run.checkpoints()).publish(content, {.last = 2, .best = 1});
  const fs::path latest = run.checkpoints() / "LATEST", best = run.checkpoints() / "BEST";
  REQUIRE(differences(run, "checkpoints").empty());
  using Words = std::vector<std::string>;
  SECTION("missing") {
    fs::remove(latest);
    fs::remove(best);
    CHECK(differences(run, "checkpoints") ==
          Words{"checkpoints/LATEST: is missing", "checkpoints/BEST: is missing"});
  }
  SECTION("garbled") {
    put(latest, "step-00\xff\n");
    put(best, "");
    const Words found = differences(run, "checkpoints");
    REQUIRE(found.size() == 2);
    CHECK(found[0].find("checkpoints/LATEST: it names no checkpoint") == 0);
    CHECK(found[1].find("checkpoints/BEST: it names no checkpoint") == 0);
  }
  SECTION("of a checkpoint that is not there") {
    put(best, "step-000015\n");
    CHECK(differences(run, "checkpoints") ==
          Words{"checkpoints/BEST: names step-000015, which is not there"});
    put(run.resolved_config(), "[train.keep]\nbest = 0\n");  // it was not to be kept
    CHECK(differences(run, "checkpoints").empty());
  }
  SECTION("all checkpoints are gone") {
    fs::remove_all(run.checkpoints() / "step-000010");
    fs::remove_all(run.checkpoints() / "step-000020");
    CHECK(differences(run, "checkpoints").size() == 2);
  }
}

TEST_CASE("every file of the code snapshot counts") {
  TempFolder place;
  const RunFolder run = make_run(place.path);
  fs::create_directories(run.code());
  put(run.code() / "diff.patch", "patch");
  put(run.code() / "base-commit.txt", "c0ffee\n");
  put(run.code() / "untracked.tar.zst", "archive");
  Table code;
  code["commit"] = "c0ffee";
  code["diff_sha256"] = sha256_hex("patch");
  code["patch_verified"] = false;  // a submodule was changed; the patch is there nevertheless
  code["untracked_sha256"] = sha256_hex("archive");
  Manifest manifest = Manifest::load(run);
  manifest.set("code", code);
  CHECK(differences(run, "code").empty());
  using Words = std::vector<std::string>;
  SECTION("the archive is another") {
    put(run.code() / "untracked.tar.zst", "archivE");
    CHECK(differences(run, "code") == Words{"code/untracked.tar.zst: its content is another"});
  }
  SECTION("the archive is gone") {
    fs::remove(run.code() / "untracked.tar.zst");
    CHECK(differences(run, "code") == Words{"code/untracked.tar.zst: is missing"});
  }
  SECTION("an archive without zstd") {
    fs::rename(run.code() / "untracked.tar.zst", run.code() / "untracked.tar");
    CHECK(differences(run, "code").empty());
  }
  SECTION("the patch is gone, or was left out") {
    fs::remove(run.code() / "diff.patch");
    CHECK(differences(run, "code") == Words{"code/diff.patch: is missing"});
    code["x-patch_left_out"] = "over 50 MB";
    manifest.set("code", code);
    CHECK(differences(run, "code").empty());
  }
  SECTION("a manifest from before archives were hashed") {
    code["untracked_sha256"] = Value();
    manifest.set("code", code);
    fs::remove(run.code() / "untracked.tar.zst");
    CHECK(differences(run, "code").empty());
  }
}

TEST_CASE("every archived file counts, also those that only the archive's list names") {
  TempFolder place;
  const RunFolder run = make_run(place.path);
  put(place.path / "libhelper.so", "a library of the user's own");
  std::vector<fs::path> files = own_binaries();
  files.push_back(place.path / "libhelper.so");
  archive_binaries(run, files);
  Manifest manifest = Manifest::load(run);
  CHECK(differences(run, "binaries").empty());
  using Words = std::vector<std::string>;
  SECTION("gone") {
    fs::remove(run.bin() / "libhelper.so");
    CHECK(differences(run, "binaries") == Words{"bin/libhelper.so: is missing"});
  }
  SECTION("another") {
    fs::remove(run.bin() / "libhelper.so");
    put(run.bin() / "libhelper.so", "x");
    CHECK(differences(run, "binaries") == Words{"bin/libhelper.so: its content is another"});
  }
  SECTION("all of it, though a plugin is said to be archived") {
    Table plugin;
    plugin["archived"] = true;
    manifest.set("plugins", Array{Value(plugin)});
    fs::remove_all(run.bin());
    CHECK(differences(run, "binaries") == Words{"bin: is missing"});
  }
}

TEST_CASE("a run that was killed is said to be killed") {
  TempFolder place;
  const RunFolder run = make_run(place.path);
  Manifest manifest = Manifest::load(run);
  manifest.begin_attempt(10);
  const auto outputs = [&] { return verify_run(run, {}, true).front().absent; };
  CHECK(outputs() == "the manifest was not sealed: the run was killed");
  const RunLock lock = run.lock("resume");
  CHECK(outputs() == "the manifest was not sealed: the run is running");
}

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <sstream>

#include "catch.hpp"
#include "core/hash.hpp"
#include "core/stop.hpp"
#include "retake/error.hpp"
#include "run/environment.hpp"
#include "run/manifest.hpp"
#include "run/run_context.hpp"
#include "schema_check.hpp"
#include "temp_folder.hpp"

using namespace retake;
using namespace retake::run;
namespace fs = std::filesystem;

namespace {

const std::string kHash(64, 'a');

ManifestStart sample_start(HashCache& hashes) {
  ManifestStart s;
  s.config_hash = kHash;
  s.seed = 7;
  Table abi;
  abi["model"] = "81c0ffee12ab";
  s.host_program = describe_host_program(abi, hashes);
  s.plugins.push_back(
      {"model", "pointer_network", "1.2.0", "81c0ffee12ab", kHash, executable_path(), "", true});
  s.code["absent"] = "not in a git repository";
  s.env = describe_environment({}, hashes);
  s.determinism["requested"] = true;
  s.determinism["level"] = "exact";
  s.determinism["nondeterministic_ops"] = Array{};
  s.experiment["name"] = "x";
  return s;
}

std::vector<std::string> violations(const fs::path& manifest) {
  using Json = nlohmann::json;
  return SchemaCheck::run(
      Json::parse(get(fs::path(RETAKE_SOURCE_DIR) / "docs/manifest.schema.json")),
      Json::parse(get(manifest)));
}

}  // namespace

TEST_CASE("a manifest follows its schema from start to seal") {
  TempFolder t;
  HashCache hashes(t.path / "cache.jsonl");
  const RunFolder run = RunFolder::create(t.path / "runs", "x");
  Manifest m = Manifest::start(run, sample_start(hashes));
  CHECK(violations(run.manifest()) == std::vector<std::string>{});
  CHECK(m.value().at("status").as_string() == "running");

  SeedBook seeds(7);
  seeds.seed("model/init");
  seeds.seed("data/shuffle", 3);
  m.record_seeds(seeds.recorded());
  put(run.metrics(),
      "{\"step\":1,\"t\":0.5,\"val/f1\":0.5,\"loss\":2.0}\n{\"step\":2,\"t\":1.0,\"val/f1\":0.7}\n"
      "{\"step\":3,\"t\":1.5,\"val/f1\":0.6,\"loss\":1.0}\n");
  fs::create_directories(run.artifacts() / "edits");
  put(run.artifacts() / "edits/a.json", "{\"b\": 1, \"a\": 2}");
  put(run.artifacts() / "a.flac", "pcm");
  m.set_goals({{"val/f1", "max"}});
  m.seal({.code = ExitCode::ok, .to_step = 3, .signal = 0, .message = {}},
         [](const fs::path&) { return kHash; });
  CHECK(violations(run.manifest()) == std::vector<std::string>{});

  const Manifest back = Manifest::load(run);
  CHECK(Value(back.value()) == Value(m.value()));
  CHECK(back.value().at("status").as_string() == "finished");
  CHECK(back.value().at("exit_code").as_int() == 0);
  const Value summary = back.value().at("summary");
  CHECK(find_path(summary, "val/f1.best")->as_double() == 0.7);
  CHECK(find_path(summary, "val/f1.step")->as_int() == 2);
  CHECK(find_path(summary, "val/f1.last")->as_double() == 0.6);
  CHECK(find_path(summary, "loss.last")->as_double() == 1.0);
  CHECK(find_path(summary, "loss.best") == nullptr);
  const Table& derived = back.value().at("derived_seeds").as_table();
  CHECK(derived.at("model/init").as_string() ==
        std::to_string(derive_seed(7, {"model/init", std::uint64_t{0}})));
  CHECK(derived.contains("data/shuffle"));
  const Array& outputs = back.value().at("outputs").as_array();
  REQUIRE(outputs.size() == 3);
  CHECK(outputs[0].as_table().at("path").as_string() == "artifacts/a.flac");
  CHECK(outputs[0].as_table().at("sha256_pcm").as_string() == kHash);
  CHECK(outputs[1].as_table().contains("sha256_values"));
}

TEST_CASE("attempts tell how each one ended") {
  TempFolder t;
  HashCache hashes(t.path / "cache.jsonl");
  const RunFolder run = RunFolder::create(t.path / "runs", "x");
  Manifest m = Manifest::start(run, sample_start(hashes));
  m.seal({.code = ExitCode::interrupted, .to_step = 2613, .signal = SIGINT, .message = {}});
  m.begin_attempt(2613);
  CHECK(m.value().at("status").as_string() == "running");
  m = Manifest::load(run);  // killed: nothing was sealed
  m.begin_attempt(2700);
  m.seal({.code = ExitCode::preempted, .to_step = 2800, .signal = SIGUSR1, .message = {}});
  m.begin_attempt(2800);
  m.seal({.code = ExitCode::diverged, .to_step = 2900, .signal = 0, .message = "loss is NaN"});
  CHECK(violations(run.manifest()) == std::vector<std::string>{});
  std::string ends;
  for (const auto& a : m.value().at("attempts").as_array()) {
    ends += std::to_string(a.as_table().at("from_step").as_int()) + "-" +
            std::to_string(a.as_table().at("to_step").as_int()) + " " +
            a.as_table().at("end").as_string() + "; ";
  }
  CHECK(ends ==
        "0-2613 SIGINT; 2613-2700 killed; 2700-2800 SIGUSR1; 2800-2900 diverged: loss is NaN; ");
  CHECK(m.value().at("status").as_string() == "diverged");
  CHECK(m.value().at("exit_code").as_int() == 9);
}

TEST_CASE("the schema refuses what the contract does not know") {
  TempFolder t;
  HashCache hashes(t.path / "cache.jsonl");
  const RunFolder run = RunFolder::create(t.path / "runs", "x");
  Manifest m = Manifest::start(run, sample_start(hashes));
  m.set("x-anything", 1);
  CHECK(violations(run.manifest()).empty());
  m.set("surprise", 1);
  CHECK(violations(run.manifest()).size() == 1);
}

TEST_CASE("a damaged manifest is an error with its name") {
  TempFolder t;
  const RunFolder run = RunFolder::create(t.path, "x");
  CHECK_THROWS_AS(Manifest::load(run), DataError);
  for (const char* bad : {"", "[]", "{}", "{\"schema\":\"retake.manifest/2\",\"attempts\":[{}]}",
                          "{\"schema\":\"retake.manifest/1\",\"attempts\":[]}",
                          "{\"schema\":\"retake.manifest/1\",\"attempts\":[1]}",
                          "{\"schema\":\"retake.manifest/1\",\"attempts\":[{}],\"run_id\":1}"}) {
    put(run.manifest(), bad);
    CHECK_THROWS_AS(Manifest::load(run), DataError);
  }
}

TEST_CASE("a second signal leaves a manifest that says so") {
  TempFolder t;
  HashCache hashes(t.path / "cache.jsonl");
  struct Case {
    int first, second, code;
  };
  for (const Case c : {Case{SIGINT, SIGINT, 130}, Case{SIGINT, SIGTERM, 143}}) {
    const RunFolder run = RunFolder::create(t.path / "runs", "x");
    Manifest m = Manifest::start(run, sample_start(hashes));
    const pid_t child = ::fork();
    if (child == 0) {
      install_stop_signals();
      const Manifest::AbortGuard guard(m);
      ::raise(c.first);
      ::raise(c.second);
      ::_exit(99);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    REQUIRE(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == c.code);
    CHECK(violations(run.manifest()) == std::vector<std::string>{});
    const Manifest after = Manifest::load(run);
    CHECK(after.value().at("status").as_string() == "aborted");
    CHECK(after.value().at("exit_code").as_int() == c.code);
    run.clean();
    for (const auto& e : fs::directory_iterator(run.path())) {
      CHECK(e.path().filename().string().find(".tmp-") == std::string::npos);
    }
  }
}

TEST_CASE("facts of this host are found") {
  TempFolder t;
  HashCache hashes(t.path / "cache.jsonl");
  Table given;
  given["libtorch"] = "2.13.0";
  given["cpu_capability"] = "AVX2";
  given["blas"] = Table();
  given["blas"].as_table()["name"] = "mkl";
  const Table env = describe_environment(given, hashes);
  CHECK(find_path(env.at("blas"), "linked")->as_string() == "static");  // none is mapped here
  CHECK(describe_environment({}, hashes).at("blas").is_null());
  CHECK(env.at("libtorch").as_string() == "2.13.0");
  CHECK(env.at("cpu_capability").as_string() == "AVX2");
  CHECK(env.at("vars").as_table().contains("MKL_CBWR"));
  bool libc = false, retake_library = false;
  for (const auto& lib : env.at("libs").as_array()) {
    libc = libc || lib.as_array()[0].as_string().starts_with("libc.so");
    retake_library = retake_library || lib.as_array()[0].as_string().starts_with("libretake");
    CHECK(lib.as_array()[1].as_string().size() == 7 + 64);
  }
  CHECK(libc);
  CHECK(retake_library);
  CHECK(elf_build_id("/proc/self/exe") == elf_build_id(executable_path()));
  for (const std::string& bad : {std::string(),
                                 std::string("\x7f"
                                             "ELF"),
                                 std::string(64, 'x'), get(executable_path()).substr(0, 64)}) {
    put(t.path / "bad.so", bad);
    if (bad.size() == 64 && bad[0] != 'x') {
      CHECK(elf_build_id(t.path / "bad.so").empty());  // program headers lie beyond the end
    } else {
      CHECK_THROWS_AS(elf_build_id(t.path / "bad.so"), DataError);
    }
  }
}

TEST_CASE("hashes of files are remembered until the file changes") {
  TempFolder t;
  const fs::path file = t.path / "f", cache = t.path / "c/cache.jsonl";
  put(file, "one");
  const std::string one = HashCache(cache).sha256(file);
  const std::string lines = get(cache);
  CHECK(HashCache(cache).sha256(file) == one);
  CHECK(get(cache) == lines);  // nothing was computed again
  put(file, "another");
  const std::string two = HashCache(cache).sha256(file);
  CHECK(two != one);
  put(cache, "torn {\n" + get(cache) + "{\"path\":\"x");
  CHECK(HashCache(cache).sha256(file) == two);
  CHECK_THROWS_AS(HashCache(cache).sha256(t.path / "absent"), DataError);
  CHECK(HashCache("/proc/none/cache").sha256(file) == two);
}

TEST_CASE("a file that was changed and put back in time is hashed again") {
  TempFolder t;
  const fs::path file = t.path / "f", cache = t.path / "cache.jsonl";
  put(file, "whole");
  const auto time = fs::last_write_time(file);
  const std::string whole = HashCache(cache).sha256(file);
  put(file, "holey");  // of the same length, in the same inode
  fs::last_write_time(file, time);
  const std::string damaged = HashCache(cache).sha256(file);
  CHECK(damaged == sha256_hex("holey"));
  put(file, "whole");
  fs::last_write_time(file, time);
  CHECK(HashCache(cache).sha256(file) == whole);
}

TEST_CASE("a line of an older cache, without the time of change, is not trusted") {
  TempFolder t;
  const fs::path file = t.path / "f", cache = t.path / "cache.jsonl";
  put(file, "one");
  HashCache(cache).sha256(file);
  Value line = parse_json(get(cache), "line");
  std::istringstream words(line.as_table().at("stamp").as_string());
  std::string size, modified, changed, inode, more;
  REQUIRE(words >> size >> modified >> changed >> inode);
  REQUIRE_FALSE(words >> more);
  line.as_table()["stamp"] = size + " " + modified + " " + inode;
  line.as_table()["sha256"] = std::string(64, '0');
  put(cache, to_json(line) + "\n");
  CHECK(HashCache(cache).sha256(file) == sha256_hex("one"));
}

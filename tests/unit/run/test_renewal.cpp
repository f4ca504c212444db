#include "run/renewal.hpp"

#include "catch.hpp"
#include "core/files.hpp"
#include "run/json_lines.hpp"
#include "temp_folder.hpp"

using namespace retake;
using namespace retake::run;

namespace {

Table facts(const std::string& host, const std::string& plugin, const std::string& capability) {
  Table all, program, env, entry;
  program["sha256"] = host;
  entry["kind"] = "model";
  entry["name"] = "keep_cut";
  entry["sha256"] = plugin;
  env["cpu_capability"] = capability;
  env["kernel"] = "6.1";
  all["host_program"] = std::move(program);
  all["plugins"] = Array{Value(std::move(entry))};
  all["env"] = std::move(env);
  return all;
}

}  // namespace

TEST_CASE("what changed between two attempts is told, and nothing that cannot matter") {
  const Table then = facts("aa", "bb", "AVX2");
  Table now = then;
  now["env"].as_table()["kernel"] = "6.2";
  CHECK(changed_facts(then, now).empty());
  CHECK(changed_facts(then, facts("ab", "bb", "AVX2")).size() == 1);
  CHECK(changed_facts(then, facts("aa", "bc", "AVX2")) ==
        std::vector<std::string>{"plugin model/keep_cut is another build"});
  CHECK(changed_facts(then, facts("aa", "bb", "NO AVX")) ==
        std::vector<std::string>{"cpu_capability was \"AVX2\" and is \"NO AVX\""});
  Table none = then;
  none["plugins"] = Array{};
  const std::vector<std::string> is_new{"plugin model/keep_cut is new"};
  CHECK(changed_facts(none, now) == is_new);
  // An entry that was edited into something else is one that is not there.
  Table half;
  half["kind"] = "model";
  none["plugins"] = Array{Value(), Value(1), Value(half)};
  CHECK(changed_facts(none, now) == is_new);
}

TEST_CASE("logs that are not as a sealed manifest has them") {
  const TempFolder t;
  const RunFolder run = RunFolder::create(t.path, "x");
  {
    JsonLines lines(run.metrics());
    lines.append(1, 0.5, {{"loss", 1.0}});
    lines.append(2, 1.0, {{"loss", 0.5}});
  }
  Table entry, manifest;
  entry["path"] = "metrics.jsonl";
  entry["sha256_values"] = json_lines_values_hash(run.metrics());
  manifest["outputs"] = Array{Value(entry)};
  CHECK(altered_logs(run, manifest).empty());
  const std::string whole = read_file(run.metrics());
  write_file_atomic(run.metrics(), whole.substr(0, whole.find('\n') + 1));
  CHECK(altered_logs(run, manifest) == std::vector<std::string>{"metrics.jsonl"});
  std::filesystem::remove(run.metrics());
  CHECK(altered_logs(run, manifest) == std::vector<std::string>{"metrics.jsonl"});
  manifest["outputs"] = Array{};
  CHECK(altered_logs(run, manifest).empty());
}

TEST_CASE("how a run is gone on with can be typed as it is") {
  const TempFolder t;
  const RunFolder run = RunFolder::create(t.path / "it's here", "x");
  const std::string command = resume_command(run);
  CHECK(command.starts_with("retake resume '"));
  CHECK(command.find("it'\\''s here") != std::string::npos);
  CHECK(command.ends_with(run.id() + "'"));
}

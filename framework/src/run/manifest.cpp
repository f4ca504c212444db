#include "run/manifest.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <system_error>

#include "core/files.hpp"
#include "core/stop.hpp"
#include "plugin/crash.hpp"
#include "run/environment.hpp"
#include "run/renewal.hpp"

namespace retake::run {

namespace fs = std::filesystem;

namespace {

Value text_or_null(const std::string& text) {
  return text.empty() ? Value() : Value(text);
}

Table new_attempt(std::int64_t from_step) {
  Table attempt;
  attempt["from_step"] = from_step;
  attempt["to_step"] = Value();
  attempt["end"] = Value();
  attempt["started"] = utc_now();
  return attempt;
}

std::string signal_name(int signal) {
  const char* name = ::sigabbrev_np(signal);
  return name != nullptr ? std::string("SIG") + name : "a signal";
}

std::string end_text(const AttemptEnd& end) {
  switch (end.code) {
    case ExitCode::ok:
      return "ok";
    case ExitCode::time_limit:
      return "time limit";
    case ExitCode::interrupted:
    case ExitCode::preempted:
      return signal_name(end.signal);
    case ExitCode::diverged:
      return end.message.empty() ? "diverged" : "diverged: " + end.message;
    default:
      return end.message.empty() ? "error" : "error: " + end.message;
  }
}

[[noreturn]] void invalid(const fs::path& path, const std::string& what) {
  throw DataError(file_diagnostic("E609", path.string(), "not a valid manifest: " + what,
                                  "restore the file from a copy"));
}

}  // namespace

Array describe_plugins(const std::vector<PluginUse>& plugins) {
  HashCache hashes;
  Array out;
  for (const auto& p : plugins) {
    Table entry;
    entry["kind"] = p.kind;
    entry["name"] = p.name;
    entry["version"] = p.version;
    entry["abi"] = p.abi;
    entry["params_schema"] = "sha256:" + p.params_schema;
    entry["path"] = p.path.string();
    entry["sha256"] = hashes.sha256(p.path);
    entry["build_id"] = text_or_null(elf_build_id(p.path));
    entry["git"] = text_or_null(p.git);
    entry["archived"] = p.archived;
    entry["x-flags"] = text_or_null(p.flags);
    out.push_back(std::move(entry));
  }
  return out;
}

bool was_archived(const Table& manifest) {
  const Value* plugins = manifest.find("plugins");
  return plugins != nullptr && plugins->is_array() &&
         std::any_of(plugins->as_array().begin(), plugins->as_array().end(), [](const Value& p) {
           const Value* archived = find_path(p, "archived");
           return archived != nullptr && *archived == Value(true);
         });
}

std::string status_of(ExitCode code) {
  switch (code) {
    case ExitCode::ok:
      return "finished";
    case ExitCode::interrupted:
      return "interrupted";
    case ExitCode::preempted:
      return "preempted";
    case ExitCode::time_limit:
      return "time_limit";
    case ExitCode::diverged:
      return "diverged";
    default:
      return "failed";
  }
}

Manifest Manifest::start(const RunFolder& run, const ManifestStart& start) {
  Table m;
  m["schema"] = "retake.manifest/1";
  m["run_id"] = run.id();
  m["status"] = "running";
  m["started"] = utc_now();
  m["ended"] = Value();
  m["exit_code"] = Value();
  m["attempts"] = Array{new_attempt(0)};
  m["config_hash"] = start.config_hash;
  // A seed beyond what a JSON integer carries is text, like all derived ones.
  m["seed"] = start.seed <= static_cast<std::uint64_t>(INT64_MAX)
                  ? Value(static_cast<std::int64_t>(start.seed))
                  : Value(std::to_string(start.seed));
  m["derived_seeds"] = Table();
  m["host_program"] = start.host_program;
  m["plugins"] = describe_plugins(start.plugins);
  m["code"] = start.code;
  m["data"] = start.data;
  m["env"] = start.env;
  Table distributed;
  distributed["world_size"] = 1;
  distributed["backend"] = Value();
  m["distributed"] = std::move(distributed);
  m["determinism"] = start.determinism;
  m["outputs"] = Array{};
  m["summary"] = Table();
  m["parent"] = start.parent;
  m["sweep"] = start.sweep;
  m["x-experiment"] = start.experiment;
  Manifest manifest(run, std::move(m));
  manifest.write();
  return manifest;
}

Manifest Manifest::load(const RunFolder& run) {
  const fs::path path = run.manifest();
  Value value = parse_json(read_file(path), path.string());
  if (!value.is_table()) invalid(path, "it is not an object");
  const Table& table = value.as_table();
  const Value* schema = table.find("schema");
  if (!schema || *schema != Value("retake.manifest/1")) {
    invalid(path, "its schema is not retake.manifest/1");
  }
  const Value* attempts = table.find("attempts");
  const bool usable = attempts && attempts->is_array() && !attempts->as_array().empty() &&
                      std::all_of(attempts->as_array().begin(), attempts->as_array().end(),
                                  [](const Value& a) { return a.is_table(); });
  if (!usable) invalid(path, "`attempts` is not a list of objects");
  for (const char* key : {"run_id", "status", "started", "config_hash"}) {
    const Value* v = table.find(key);
    if (!v || !v->is_string()) invalid(path, "`" + std::string(key) + "` is missing or no text");
  }
  return Manifest(run, std::move(value.as_table()));
}

void Manifest::write() const {
  write_file_atomic(run_.manifest(), to_json(Value(value_), 1) + "\n");
}

Table& Manifest::last_attempt() {
  return value_["attempts"].as_array().back().as_table();
}

void Manifest::begin_attempt(std::int64_t from_step, const Table& renewed) {
  const auto missing = [&](const char* key) {
    const Value* value = last_attempt().find(key);
    return value == nullptr || value->is_null();
  };
  // Nobody wrote how it ended, so it was killed; what it had saved is what we go on from.
  if (missing("end")) last_attempt()["end"] = "killed";
  if (missing("to_step")) last_attempt()["to_step"] = from_step;
  for (const auto& [key, value] : renewed) {
    last_attempt()["x-" + key] = value_[key];
    value_[key] = value;
  }
  value_["attempts"].as_array().push_back(new_attempt(from_step));
  value_["status"] = "running";
  value_["ended"] = Value();
  value_["exit_code"] = Value();
  value_["outputs"] = Array{};
  write();
}

void Manifest::note_attempt(const std::string& key, Value value) {
  last_attempt()["x-" + key] = std::move(value);
  write();
}

void Manifest::set(std::string_view key, Value value) {
  value_[key] = std::move(value);
  write();
}

void Manifest::record_seeds(const Table& seeds) {
  std::vector<Table::Entry> all;
  Table merged = value_["derived_seeds"].is_table() ? value_["derived_seeds"].as_table() : Table();
  for (const auto& [name, seed] : seeds) merged[name] = seed;
  for (const auto& entry : merged) all.push_back(entry);
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  Table sorted;
  for (auto& [name, seed] : all) sorted[name] = std::move(seed);
  value_["derived_seeds"] = std::move(sorted);
}

void Manifest::seal(const AttemptEnd& end, const PcmHash& pcm_hash) {
  last_attempt()["to_step"] = end.to_step;
  last_attempt()["end"] = end_text(end);
  value_["status"] = status_of(end.code);
  value_["ended"] = utc_now();
  value_["exit_code"] = static_cast<int>(end.code);
  value_["outputs"] = describe_outputs(run_, pcm_hash);
  std::error_code error;
  if (fs::exists(run_.metrics(), error)) {
    value_["summary"] = summarize_metrics(run_.metrics(), goals_);
  }
  write();
}

namespace {

// What the signal handler renames: plain storage, since a handler may touch nothing else.
constexpr int kSignals[] = {SIGINT, SIGTERM, SIGUSR1, SIGHUP};
constexpr int kCrashed = static_cast<int>(std::size(kSignals)), kCases = kCrashed + 1;
char g_prepared[kCases][4096];
char g_target[4096];
char g_log[4096];
char g_latest[4096];  // the mark of the latest checkpoint
char g_resume[4352];  // how to go on

void put_aborted_manifest() {
  const int signal = stop_signal();
  int which = 0;
  while (which + 1 < kCrashed && kSignals[which] != signal) ++which;
  (void)::rename(g_prepared[which], g_target);  // async-signal-safe
  plugin::write_text(2, "\nended at once: nothing since the last checkpoint was saved.  ");
  plugin::write_text(2, g_resume);
}

void write_to_all(int log, const char* text) {
  plugin::write_text(2, text);
  if (log >= 0) plugin::write_text(log, text);
}

/// In the handler of a crash: the manifest, the run's log, and what is safe.
void put_crashed_manifest(const char* text) {
  (void)::rename(g_prepared[kCrashed], g_target);
  const int log = ::open(g_log, O_WRONLY | O_APPEND | O_CLOEXEC);
  if (log >= 0) {
    plugin::write_text(log, "error the run ");
    plugin::write_text(log, text);
    plugin::write_text(log, "\n");
  }
  char mark[64] = {};
  const int latest = ::open(g_latest, O_RDONLY | O_CLOEXEC);
  const ssize_t n = latest >= 0 ? ::read(latest, mark, sizeof mark - 1) : 0;
  if (n > 0) {
    mark[std::strcspn(mark, "\n")] = '\0';
    write_to_all(log, "the checkpoint ");
    write_to_all(log, mark);
    write_to_all(log, " is from before and safe.  ");
  } else {
    write_to_all(log, "no checkpoint was saved yet.  ");
  }
  write_to_all(log, g_resume);
}

}  // namespace

Manifest::AbortGuard::AbortGuard(const Manifest& manifest) {
  struct Case {
    std::string end;
    const char* status;
    Value code;
  };
  std::vector<Case> cases;
  for (const int signal : kSignals) {
    cases.push_back({"a second signal, " + signal_name(signal) + ": ended at once, not saved",
                     "aborted", signal == SIGINT ? 130 : 143});
  }
  cases.push_back(
      {"crashed: log.txt says where", "crashed", static_cast<int>(ExitCode::unexpected)});
  const std::string target = manifest.run_.manifest().string();
  if (target.size() >= sizeof g_target - 32)
    return;  // PATH_MAX: such a path can't be opened either
  for (int i = 0; i < kCases; ++i) {
    Manifest aborted = manifest;
    const Case& c = cases[static_cast<std::size_t>(i)];
    aborted.last_attempt()["end"] = c.end;
    aborted.value_["status"] = c.status;
    aborted.value_["exit_code"] = c.code;
    files_.push_back(manifest.run_.path() / (".manifest.json.tmp-abort" + std::to_string(i)));
    write_file_atomic(files_.back(), to_json(Value(aborted.value_), 1) + "\n");
    std::snprintf(g_prepared[i], sizeof g_prepared[i], "%s", files_.back().c_str());
  }
  std::snprintf(g_target, sizeof g_target, "%s", target.c_str());
  std::snprintf(g_log, sizeof g_log, "%s", manifest.run_.log_file().c_str());
  std::snprintf(g_latest, sizeof g_latest, "%s", (manifest.run_.checkpoints() / "LATEST").c_str());
  std::snprintf(g_resume, sizeof g_resume, "Go on with:  %s\n",
                resume_command(manifest.run_).c_str());
  set_second_signal_hook(put_aborted_manifest);
  plugin::set_crash_hook(put_crashed_manifest);
}

Manifest::AbortGuard::~AbortGuard() {
  set_second_signal_hook(nullptr);
  plugin::set_crash_hook(nullptr);
  for (const auto& file : files_) ::unlink(file.c_str());
}

}  // namespace retake::run

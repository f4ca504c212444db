#include "run/run_find.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <system_error>

#include "core/files.hpp"
#include "core/suggest.hpp"
#include "retake/error.hpp"
#include "retake/log.hpp"
#include "run/checkpoint.hpp"
#include "run/run_row.hpp"

namespace retake::run {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void no_such_run(std::string_view spec, const fs::path& runs_dir,
                              const std::vector<RunFolder>& runs) {
  Diagnostic d;
  d.id = "E601";
  d.message = "no run `" + std::string(spec) + "` in " + runs_dir.string();
  std::vector<Candidate> known;
  for (const auto& run : runs) known.push_back({run.id(), {run.name()}});
  known.push_back({"last", {}});
  const std::string_view bare = spec.substr(0, spec.rfind(':'));
  const bool with_checkpoint =
      bare.size() < spec.size() && std::any_of(runs.begin(), runs.end(), [&](const RunFolder& run) {
        return run.id().starts_with(bare);
      });
  if (with_checkpoint && !bare.empty()) {
    d.message = "`" + std::string(spec) + "` names a checkpoint, where a run is meant";
    d.help = "name the run alone:  " + std::string(bare);
  } else if (runs.empty()) {
    d.facts.push_back("that folder holds no runs");
    d.help = "start one with  retake run EXPERIMENT, or name another folder with --dir";
  } else if (const auto meant = did_you_mean(spec, known)) {
    d.help = "did you mean `" + *meant + "`? (retake runs lists all)";
  } else {
    d.help = "list the runs with  retake runs";
  }
  throw DataError(d);
}

/// The N of `last~N`; nothing when the text is not of that form.
std::optional<std::size_t> parse_last(std::string_view spec) {
  if (spec == "last") return 0;
  if (!spec.starts_with("last~")) return std::nullopt;
  const std::string_view digits = spec.substr(5);
  std::size_t n = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), n);
  if (digits.empty() || error != std::errc() || end != digits.data() + digits.size()) {
    Diagnostic d;
    d.id = "E601";
    d.message = "`" + std::string(spec) + "` names no run";
    d.help = "`last` is the run that started last, `last~1` the one before it";
    throw DataError(d);
  }
  return n;
}

[[noreturn]] void too_few(std::string_view spec, const fs::path& runs_dir,
                          const std::vector<RunFolder>& runs, std::size_t readable) {
  if (runs.empty()) no_such_run(spec, runs_dir, runs);
  Diagnostic d;
  d.id = "E601";
  d.message = "`" + std::string(spec) + "`: " + runs_dir.string() + " holds only " +
              std::to_string(readable) + (readable == 1 ? " run" : " runs") +
              (readable < runs.size() ? " that can be read" : "");
  d.help = "list them with  retake runs";
  throw DataError(d);
}

using Runs = std::vector<RunFolder>::const_iterator;

/// Some runs by the time they started. One whose manifest is damaged is passed over: it must not
/// stand in the way of the others.
std::vector<RunFolder> by_start(Runs begin, Runs end) {
  std::vector<std::pair<std::string, const RunFolder*>> order;
  for (auto it = begin; it != end; ++it) {
    try {
      order.emplace_back(started_at(*it), &*it);
    } catch (const DataError& e) {
      log_info("run " + it->id() + " is passed over: its manifest.json is damaged");
      log_debug(e.what());
    }
  }
  std::stable_sort(order.begin(), order.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<RunFolder> out;
  for (const auto& [unused, run] : order) out.push_back(*run);
  return out;
}

/// Only the days that matter are looked into: names sort by date, manifests tell the rest.
RunFolder nth_last(const std::vector<RunFolder>& runs, std::size_t n, std::string_view spec,
                   const fs::path& runs_dir) {
  std::size_t newer = 0;
  auto end = runs.end();
  while (end != runs.begin()) {
    const auto begin = std::find_if(runs.begin(), end, [&](const RunFolder& run) {
      return run.date() == std::prev(end)->date();
    });
    const std::vector<RunFolder> day = by_start(begin, end);
    if (n < newer + day.size()) return day[day.size() - 1 - (n - newer)];
    newer += day.size();
    end = begin;
  }
  too_few(spec, runs_dir, runs, newer);
}

[[noreturn]] void several_fit(std::string_view spec, const std::vector<const RunFolder*>& fits) {
  Diagnostic d;
  d.id = "E602";
  d.message = "`" + std::string(spec) + "` fits " + std::to_string(fits.size()) + " runs";
  // A copied folder has the id of its original, which no letters tell apart.
  const bool copies = std::all_of(fits.begin(), fits.end(), [&](const RunFolder* run) {
    return run->id() == fits.front()->id();
  });
  for (const auto* run : fits) {
    if (d.facts.size() == 10) break;
    d.facts.push_back(copies ? run->path().string()
                             : run->id() + "  " + run->date() + "  " + run->name());
  }
  d.help = copies ? "they have the same id, as a copied folder does: give the path of one"
                  : "type more letters of the id, or give the path of one";
  throw DataError(d);
}

bool is_folder(const fs::path& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

bool is_checkpoint(const fs::path& path) {
  std::error_code error;
  return fs::exists(path / "hashes.json", error) || fs::exists(path / "retake.json", error);
}

fs::path checkpoint_at(const RunFolder& run, std::int64_t step) {
  const CheckpointStore store(run.checkpoints());
  if (auto found = store.at(step)) return *found;
  Diagnostic d;
  d.id = "E604";
  d.message = "run `" + run.id() + "` has no checkpoint of step " + std::to_string(step);
  std::string kept;
  for (const std::int64_t s : store.steps()) kept += (kept.empty() ? "" : " ") + std::to_string(s);
  d.facts.push_back(kept.empty() ? "it has no checkpoints" : "kept steps: " + kept);
  d.help = "use " + run.id() + ":latest or " + run.id() + ":best";
  throw DataError(d);
}

fs::path checkpoint_of(const RunFolder& run, std::string_view which) {
  const CheckpointStore store(run.checkpoints());
  const auto latest = store.latest();
  if (!latest) {
    Diagnostic d;
    d.id = "E604";
    d.message = "run `" + run.id() + "` has no checkpoint yet";
    const std::string status = RunRow(run).status();
    d.help = status == "running" ? "wait for its first one: it is running"
             : status == "failed"
                 ? "see why it failed in " + run.log_file().string() + ", and begin it anew"
                 : "let it reach its first one:  retake resume " + run.id();
    throw DataError(d);
  }
  if (which == "latest") return *latest;
  if (const auto best = store.best()) return *best;
  if (which == "best") {
    Diagnostic d;
    d.id = "E604";
    d.message = "run `" + run.id() + "` has no best checkpoint: no validation has chosen one";
    d.help = "use " + run.id() + ":latest";
    throw DataError(d);
  }
  log_info("run " + run.id() + " has no best checkpoint yet: the latest is used (" +
           latest->filename().string() + ")");
  return *latest;
}

}  // namespace

std::vector<RunFolder> list_runs(const fs::path& runs_dir) {
  std::vector<std::string> names;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(runs_dir, error)) {
    std::string name = entry.path().filename().string();
    if (parse_run_name(name)) names.push_back(std::move(name));
  }
  std::sort(names.begin(), names.end());
  std::vector<RunFolder> runs;
  runs.reserve(names.size());
  for (const auto& name : names) {
    if (auto run = RunFolder::from_name(runs_dir, name)) runs.push_back(std::move(*run));
  }
  return runs;
}

std::string started_at(const RunFolder& run) {
  std::error_code error;
  if (!fs::exists(run.manifest(), error)) return run.date();
  const Value manifest = parse_json(read_file(run.manifest()), run.manifest().string());
  const Value* started = find_path(manifest, "started");
  return started && started->is_string() ? started->as_string() : run.date();
}

RunFolder find_run(std::string_view spec, const fs::path& runs_dir) {
  if (spec.find('/') != std::string_view::npos || parse_run_name(spec)) {
    if (is_folder(spec)) return RunFolder::open(spec);
    if (is_folder(runs_dir / spec)) return RunFolder::open(runs_dir / spec);
  }
  const std::vector<RunFolder> runs = list_runs(runs_dir);
  if (const auto n = parse_last(spec)) return nth_last(runs, *n, spec, runs_dir);
  std::vector<const RunFolder*> fits;
  for (const auto& run : runs) {
    if (!spec.empty() && run.id().starts_with(spec)) fits.push_back(&run);
  }
  if (fits.size() == 1) return *fits.front();
  if (fits.empty()) {
    if (is_folder(spec)) return RunFolder::open(spec);
    no_such_run(spec, runs_dir, runs);
  }
  several_fit(spec, fits);
}

fs::path find_checkpoint(std::string_view spec, const fs::path& runs_dir) {
  if (is_folder(spec) && is_checkpoint(spec)) return spec;
  const std::size_t colon = spec.rfind(':');
  if (colon == std::string_view::npos || is_folder(spec)) {
    return checkpoint_of(find_run(spec, runs_dir), {});
  }
  const RunFolder run = find_run(spec.substr(0, colon), runs_dir);
  const std::string_view which = spec.substr(colon + 1);
  if (which == "best" || which == "latest") return checkpoint_of(run, which);
  std::int64_t step = 0;
  const auto [end, error] = std::from_chars(which.data(), which.data() + which.size(), step);
  if (!which.empty() && error == std::errc() && end == which.data() + which.size() && step >= 0) {
    return checkpoint_at(run, step);
  }
  Diagnostic d;
  d.id = "E604";
  d.message = "`" + std::string(which) + "` names no checkpoint of run `" + run.id() + "`";
  const auto meant = did_you_mean(which, std::vector<std::string>{"best", "latest"});
  d.help =
      (meant ? "did you mean `" + *meant + "`? " : std::string()) + "it is best, latest or a step";
  throw DataError(d);
}

}  // namespace retake::run

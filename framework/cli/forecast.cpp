#include "forecast.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "disk.hpp"
#include "retake/kinds/dataset.hpp"
#include "run/archive.hpp"
#include "trial.hpp"

namespace retake::cli {
namespace {

namespace fs = std::filesystem;

constexpr int kSteps = 5;
/// Length of recordings where the data is not there yet.
constexpr double kAssumedSeconds = 240.0;
/// Longer recordings are tried at this length; time and memory are linear in it.
constexpr double kLongestSeconds = 600.0;

/// What is known of the data without making or reading it.
struct DataFacts {
  bool known = false;  ///< false: it is generated when the run starts
  std::int64_t pairs = 0;
  std::int64_t val = 0;
  double seconds = 0;      ///< of all raw recordings
  double val_seconds = 0;  ///< of those for validation
  double median_seconds = kAssumedSeconds;
};

/// Listing the pairs of a dataset that generates would make them.
DataFacts data_facts(const config::ResolvedExperiment& e, plugin::Registry& registry,
                     plugin::Arena& arena, Context& context) {
  DataFacts facts;
  Dataset& dataset = registry.create<Dataset>(arena, *e.find(Dataset::kind), context);
  if (dynamic_cast<PairGenerator*>(&dataset) != nullptr) return facts;
  const PairSet set = dataset.pairs(context);
  std::vector<double> lengths;
  for (const Pair& p : set.pairs) {
    facts.seconds += p.raw_seconds;
    if (p.split == "val") facts.val_seconds += p.raw_seconds;
    facts.val += p.split == "val" ? 1 : 0;
    lengths.push_back(p.raw_seconds);
  }
  if (lengths.empty()) return facts;
  std::sort(lengths.begin(), lengths.end());
  facts.known = true;
  facts.pairs = static_cast<std::int64_t>(lengths.size());
  facts.median_seconds = lengths[lengths.size() / 2];
  return facts;
}

double file_bytes(const std::vector<fs::path>& files) {
  double total = 0;
  std::error_code error;
  for (const fs::path& file : files) {
    const auto size = fs::file_size(file, error);
    if (!error) total += static_cast<double>(size);
  }
  return total;
}

/// Host, libraries and plugins, as an archive holds them.
double archive_bytes(const config::ResolvedExperiment& e, const plugin::Registry& registry) {
  std::vector<fs::path> files = run::own_binaries();
  for (const config::ResolvedComponent& c : e.components) {
    if (c.enabled) files.push_back(registry.file_of(c.kind, c.plugin).path);
  }
  std::sort(files.begin(), files.end());
  files.erase(std::unique(files.begin(), files.end()), files.end());
  const auto more = run::helper_libraries(files);
  files.insert(files.end(), more.begin(), more.end());
  return file_bytes(files);
}

double feature_bytes_per_second(const Corpus& corpus) {
  const Song& song = corpus.songs().front();
  double bytes = 0;
  for (const auto& [name, table] : song.features) {
    bytes += static_cast<double>(table.rows() * table.columns()) * sizeof(float);
  }
  return bytes / (static_cast<double>(song.raw.samples) / song.raw.sample_rate);
}

/// A step's line in metrics.jsonl, and its points in TensorBoard.
double log_bytes_per_step(const Metrics& metrics) {
  Table line;
  for (const auto& [name, value] : metrics) line[name] = value;
  const double text = static_cast<double>(to_json(Value(line)).size()) + 40;
  return text + 60.0 * static_cast<double>(metrics.size()) + 40;
}

/// Updates until the end, as far as [train] limits them; nothing when only time does.
std::optional<double> steps_of(const config::ResolvedExperiment& e, const nn::ProbeReport& probe,
                               int tried) {
  if (e.train.max_steps <= 0) return std::nullopt;
  const auto steps = static_cast<double>(e.train.max_steps);
  if (e.train.unit == "step") return steps;
  const auto axis = probe.metrics.find(e.train.unit);
  if (axis == probe.metrics.end() || axis->second <= 0) return std::nullopt;
  return steps * tried / axis->second;
}

struct Forecast {
  std::optional<double> steps;
  double seconds_per_step = 0;
  std::optional<double> seconds;
  double memory = 0;  ///< bytes
  double disk = 0;    ///< bytes, data not counted
  double store = 0;   ///< bytes of features
  double free = 0;    ///< bytes where runs go
};

double peak_memory() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) * 1024.0;
}

Forecast forecast(const config::ResolvedExperiment& e, const plugin::Registry& registry,
                  const DataFacts& facts, const data::ExperimentData& tried,
                  const nn::ProbeReport& probe) {
  Forecast f;
  f.seconds_per_step = probe.step_seconds;
  f.steps = steps_of(e, probe, static_cast<int>(probe.loss_curve.size()));
  f.memory = peak_memory();
  f.free = free_bytes(e.run.dir);
  f.store = feature_bytes_per_second(tried.corpus) * facts.seconds;
  f.disk = checkpoints_bytes(e.train, probe.checkpoint_bytes);
  if (e.run.archive) f.disk += archive_bytes(e, registry);
  if (f.steps) {
    f.disk += *f.steps * log_bytes_per_step(probe.metrics);
    const double tried_seconds = tried.pairs.pairs.front().raw_seconds;
    const double songs = facts.known ? facts.val_seconds / tried_seconds : 1.0;
    const double every = e.train.val_every > 0 ? static_cast<double>(e.train.val_every) : INFINITY;
    const double validations =
        std::max(1.0, std::floor(static_cast<double>(e.train.max_steps) / every));
    f.seconds = *f.steps * probe.step_seconds + validations * songs * probe.validation_seconds;
  }
  if (const double limit = e.train.max_time_seconds(); limit > 0) {
    f.seconds = f.seconds ? std::min(*f.seconds, limit) : limit;
  }
  return f;
}

Table to_value(const Forecast& f, const DataFacts& facts) {
  Table t;
  t["steps"] = f.steps ? Value(*f.steps) : Value();
  t["seconds_per_step"] = f.seconds_per_step;
  t["seconds"] = f.seconds ? Value(*f.seconds) : Value();
  t["memory_bytes"] = f.memory;
  t["disk_bytes"] = f.disk;
  t["store_bytes"] = facts.known ? Value(f.store) : Value();
  t["free_bytes"] = f.free;
  t["pairs"] = facts.known ? Value(facts.pairs) : Value();
  return t;
}

std::string text_of(const Forecast& f, const DataFacts& facts, double tried_seconds) {
  std::string text;
  text += facts.known ? "data    " + std::to_string(facts.pairs) + " pairs, " +
                            run::format_duration(facts.seconds) + " of raw\n"
                      : "data    is generated when the run starts: not counted below\n";
  text += "time    " +
          (f.seconds ? "about " + run::format_duration(*f.seconds)
                     : std::string("no limit in [train]")) +
          " (" + run::format_number(f.seconds_per_step) + " s a step, tried on recordings of " +
          run::format_duration(tried_seconds) + ")\n";
  text += "memory  about " + format_bytes(f.memory) + "\n";
  text += "disk    about " + format_bytes(f.disk) + " for the run";
  if (facts.known) text += ", " + format_bytes(f.store) + " for features";
  return text + ", " + format_bytes(f.free) + " free\n";
}

}  // namespace

int forecast_run(const Arguments& a, const config::ResolvedExperiment& experiment,
                 plugin::Registry& registry) {
  Trial trial(a, experiment, registry);
  const DataFacts facts = data_facts(experiment, registry, trial.arena(), trial.context());
  const double length = std::min(facts.median_seconds, kLongestSeconds);
  trial.use_noise(length);
  const nn::ProbeReport probe =
      trial.probe({.steps = kSteps, .same_batch = false, .validate = true, .max_seconds = 60});
  const Forecast f = forecast(experiment, registry, facts, trial.data(), probe);
  Table result;
  result["build"] = to_value(probe);
  result["forecast"] = to_value(f, facts);
  print_result(a, result, [&] { return probe_text(probe) + text_of(f, facts, length); });
  if (const auto warning = disk_warning(f.disk + f.store, f.free)) {
    print_diagnostics(a.globals, {*warning});
  }
  return 0;
}

}  // namespace retake::cli

#include "experiment_probes.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <optional>
#include <set>

#include "config/experiment.hpp"
#include "config/wiring.hpp"
#include "core/files.hpp"
#include "core/temp_folder.hpp"
#include "plugin/child.hpp"
#include "plugin/registry.hpp"
#include "run/json_lines.hpp"
#include "run/run_find.hpp"
#include "table_text.hpp"

namespace retake::cli {
namespace {

namespace fs = std::filesystem;
using plugin::expect;
using plugin::ProbeResult;
using plugin::Verdict;

constexpr int kSteps = 4;

config::ResolvedExperiment resolve(const ExperimentProbe& probe, const plugin::Registry& registry) {
  config::LoadOptions load;
  load.config_path = {probe.config_path.begin(), probe.config_path.end()};
  load.training = config::LoadOptions::Training::required;
  return config::resolve_experiment(probe.experiment, registry, load);
}

/// A process that ends with status 0 need not have come to the end of its work: exit() in a plugin
/// looks the same. The run's own account tells.
void require_complete(const fs::path& runs, int steps, const std::string& what) {
  const std::vector<run::RunFolder> all = run::list_runs(runs);
  std::string status = "not begun";
  std::int64_t reached = 0;
  if (!all.empty()) {
    const Value manifest = parse_json(read_file(all.front().manifest()), "manifest.json");
    status = manifest.as_table().at("status").as_string();
    const Value& last = manifest.as_table().at("attempts").as_array().back();
    const Value* step = last.as_table().find("to_step");
    if (step != nullptr && step->is_int()) reached = step->as_int();
  }
  if (status == "finished" && reached == steps) return;
  const bool ended = status == "finished";
  throw plugin::ProbeFailure(
      what + (ended ? " ended at step " + std::to_string(reached) + " of " + std::to_string(steps)
                    : " ended with status 0 and is not complete: the run is " + status),
      "a component must not end the process: it throws a retake::Error where it cannot go on");
}

/// A metric that is no finite number is written as a word.
void require_finite(const run::RunFolder& run) {
  run::read_json_lines(run.metrics(), [&](const Value& record) {
    const Table& line = record.as_table();
    for (const auto& [name, value] : line) {
      expect(value.is_number() && std::isfinite(value.as_double()),
             "`" + name + "` is " + (value.is_string() ? value.as_string() : to_json(value)) +
                 " at step " + to_json(line.at("step")),
             "give a finite number, or leave the metric out where it has no value");
    }
  });
}

class Trainings {
 public:
  Trainings(const ExperimentProbe& probe, const fs::path& bench) : probe_(probe), bench_(bench) {}

  /// Runs `retake WORDS...` to its end; anything but exit 0 is a failure of the probe.
  void retake(std::vector<std::string> words, const std::string& what) const {
    for (const std::string& folder : probe_.plugin_path) {
      words.insert(words.end(), {"--plugin-path", folder});
    }
    for (const std::string& folder : probe_.config_path) {
      words.insert(words.end(), {"--config-path", folder});
    }
    words.insert(words.begin(), "retake");
    const plugin::ChildEnd end = plugin::run_in_child(
        [&](const plugin::SendLine&) {
          ::setenv("RETAKE_STORE", (bench_ / "store").c_str(), 1);
          std::vector<char*> argv;
          for (std::string& word : words) argv.push_back(word.data());
          argv.push_back(nullptr);
          ::execv("/proc/self/exe", argv.data());
          throw std::runtime_error("the program cannot be started again");
        },
        [](const std::string&) {}, probe_.limit);
    expect(end.ok(),
           what + " " + end.text() + (end.last_words.empty() ? "" : ": " + end.last_words),
           "see it with  retake run " + probe_.experiment);
  }

  run::RunFolder train(const std::string& name, int steps) const {
    const fs::path runs = bench_ / name;
    retake({"run", probe_.experiment, "--no-archive", "run.dir=\"" + runs.string() + "\"",
            "train.max_steps=" + std::to_string(steps), "train.val_every=2", "run.trace_every=1",
            "train.max_epochs=0", "train.max_time=\"0\"", "train.early_stop=0"},
           "training");
    require_complete(runs, steps, "training");
    return run::list_runs(runs).front();
  }

  void resume(const run::RunFolder& run, int steps) const {
    retake({"resume", run.path().string(), "--max-steps", std::to_string(steps)}, "resuming");
    require_complete(run.path().parent_path(), steps, "resuming");
  }

 private:
  const ExperimentProbe& probe_;
  fs::path bench_;
};

/// Everything logged, less the time: what two equal runs have in common.
std::string record_of(const run::RunFolder& run) {
  std::string out;
  run::read_json_lines(run.metrics(), [&](const Value& record) {
    Table line = record.as_table();
    line.erase("t");
    out += to_json(Value(std::move(line))) + "\n";
  });
  return out + read_file(run.trace());
}

/// The first line in which two records differ.
std::string difference(const std::string& a, const std::string& b) {
  std::size_t begin = 0;
  for (std::size_t i = 0; i < std::min(a.size(), b.size()) && a[i] == b[i]; ++i) {
    if (a[i] == '\n') begin = i + 1;
  }
  const auto line = [&](const std::string& text) {
    return text.substr(begin, std::min<std::size_t>(160, text.find('\n', begin) - begin));
  };
  return line(a) + "  against  " + line(b);
}

void require_equal(const run::RunFolder& a, const run::RunFolder& b, const std::string& what,
                   const std::string& help) {
  const std::string first = record_of(a), second = record_of(b);
  expect(first == second, what + ": " + difference(first, second), help);
}

void require_declared(const config::ResolvedExperiment& experiment, const run::RunFolder& run) {
  std::vector<MetricInfo> declared = config::engine_metrics();
  for (const config::ResolvedComponent& c : experiment.components) {
    const auto& own = c.info->traits.metrics;
    if (c.enabled) declared.insert(declared.end(), own.begin(), own.end());
  }
  std::set<std::string> unknown;
  run::read_json_lines(run.metrics(), [&](const Value& record) {
    for (const auto& [name, value] : record.as_table()) {
      const bool known =
          name == "step" || name == "t" ||
          std::any_of(declared.begin(), declared.end(), [&, n = name](const MetricInfo& m) {
            return config::matches_metric(m.name, n);
          });
      if (!known) unknown.insert(name);
    }
  });
  expect(unknown.empty(), "declared by no component: " + join({unknown.begin(), unknown.end()}),
         "add them to traits().metrics of the component that gives them");
}

ProbeResult result_of(const std::string& name, const std::function<void()>& body) {
  const auto start = std::chrono::steady_clock::now();
  ProbeResult result{name, Verdict::ok, {}, {}, 0};
  try {
    body();
  } catch (const plugin::ProbeFailure& e) {
    result = {name, Verdict::failed, e.what(), e.help(), 0};
  } catch (const plugin::ProbeSkipped& e) {
    result = {name, Verdict::skipped, e.what(), e.help(), 0};
  }
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return result;
}

}  // namespace

std::vector<std::string> components_from(const ExperimentProbe& probe, const std::string& file) {
  const plugin::Registry registry(probe.plugin_path);
  std::vector<std::string> out;
  std::error_code error;
  for (const config::ResolvedComponent& c : resolve(probe, registry).components) {
    if (c.enabled && fs::equivalent(c.info->file, file, error)) {
      out.push_back(c.kind + "/" + c.plugin);
    }
  }
  if (out.empty()) {
    throw usage_error(probe.experiment + " uses no component of " + file,
                      "name an experiment that wires one of them");
  }
  return out;
}

std::vector<ProbeResult> probe_experiment(const ExperimentProbe& probe) {
  const plugin::Registry registry(probe.plugin_path);
  const config::ResolvedExperiment experiment = resolve(probe, registry);
  const TempFolder bench;  // for the runs and the store
  const Trainings trainings(probe, bench.path());
  std::optional<run::RunFolder> whole;
  const auto after_training = [&](const std::function<void()>& body) {
    return [&, body] {
      if (!whole) throw plugin::ProbeSkipped("it could not be trained");
      body();
    };
  };
  return {result_of("trains " + std::to_string(kSteps) + " steps in the experiment",
                    [&] { whole = trainings.train("whole", kSteps); }),
          result_of("every metric is declared",
                    after_training([&] { require_declared(experiment, *whole); })),
          result_of("every metric is finite", after_training([&] { require_finite(*whole); })),
          result_of("a second training is equal", after_training([&] {
                      require_equal(*whole, trainings.train("again", kSteps),
                                    "two trainings differ",
                                    "seed from Context, and keep nothing outside the object");
                    })),
          result_of("stopped in the middle and resumed, it is equal", after_training([&] {
                      const run::RunFolder half = trainings.train("half", kSteps / 2);
                      trainings.resume(half, kSteps);
                      require_equal(*whole, half, "a resumed training differs",
                                    "save() all that a step depends on, and load() it");
                    }))};
}

}  // namespace retake::cli

// retake run: trains an experiment as a new run.

#include <algorithm>

#include "command.hpp"
#include "forecast.hpp"
#include "overrides.hpp"
#include "plugin/own_checks.hpp"
#include "same_run.hpp"
#include "train_session.hpp"

namespace retake::cli {
namespace {

void options(po::options_description& o) {
  add_override_options(o);
  auto add = o.add_options();
  add("name", po::value<std::string>()->value_name("N"), "the run's name (experiment.name)");
  add("tag", po::value<std::vector<std::string>>()->value_name("T"), "a further tag; repeatable");
  add("max-steps", po::value<std::int64_t>()->value_name("N"), "train.max_steps");
  add("threads", po::value<int>()->value_name("N"), "run.threads");
  add("no-archive", po::bool_switch(), "do not keep host and plugin binaries in the run");
  add("if-new", po::bool_switch(),
      "only if no finished run has the same configuration, binaries and data");
  add("dry-run", po::bool_switch(),
      "build everything, try a few steps on noise, and forecast time, memory and disk");
  add("profile", po::bool_switch(), "write a Chrome trace of where the time goes (profile.json)");
}

/// Options that stand for overrides, as if they had been typed as such. They win over those.
void add_options_as_overrides(const Arguments& a, config::LoadOptions& load) {
  for (const TypedOption& option : a.typed) {
    const auto add = [&](const std::string& assignment, const Value& value) {
      load.overrides.push_back({assignment + to_json(value), value_index(a, option), false});
    };
    if (option.name == "name") add("experiment.name=", option.value);
    if (option.name == "tag") add("experiment.tags+=", Array{Value(option.value)});
    if (option.name == "max-steps") {
      add("train.max_steps=", a.options["max-steps"].as<std::int64_t>());
    }
    if (option.name == "threads") add("run.threads=", a.options["threads"].as<int>());
  }
}

int say_done(const Arguments& a, const run::RunFolder& done) {
  Table t;
  t["run"] = done.id();
  t["dir"] = done.path().string();
  t["status"] = "finished";
  t["existing"] = true;
  print_result(a, t, [&] {
    return "run " + done.id() + " in " + done.path().string() +
           " has the same configuration, binaries and data: nothing to do\n";
  });
  return 0;
}

int run(const Arguments& a) {
  plugin::Registry registry(a.globals.plugin_path);
  config::LoadOptions load = read_load_options(a);
  load.training = config::LoadOptions::Training::required;
  add_options_as_overrides(a, load);
  SessionStart start;
  start.arguments = &a;
  start.experiment = config::resolve_experiment(experiment_argument(a), registry, load);
  note_sweep(start.experiment);
  note_shadowed(start.experiment, registry);
  print_diagnostics(a.globals, start.experiment.notes);
  plugin::run_own_checks(start.experiment, registry);
  if (a.options["if-new"].as<bool>()) {
    if (const auto done = find_same_run(a, start.experiment, registry)) return say_done(a, *done);
  }
  if (a.options["dry-run"].as<bool>()) return forecast_run(a, start.experiment, registry);
  start.registry = &registry;
  start.command_line = a.argv;
  start.archive = start.experiment.run.archive && !a.options["no-archive"].as<bool>();
  start.profile = a.options["profile"].as<bool>();
  return train_session(std::move(start));
}

const RegisterCommand registered(
    {.name = "run",
     .synopsis = "EXP [OVERRIDES] [--set-file F] [--name N] [--tag T] [--if-new] [--dry-run] "
                 "[--max-steps N] [--threads N] [--profile] [--no-archive]",
     .summary = "Train an experiment as a new run",
     .examples = {"retake run experiments/pointer/demo.toml",
                  "retake run experiments/pointer/demo.toml optimizer.lr=1e-4 --tag ablation",
                  "retake run experiments/pointer/demo.toml --dry-run"},
     .options = options,
     .run = run,
     .details =
         "Ctrl-C, SIGTERM and SIGUSR1 finish the step, save a checkpoint and end with 130 or "
         "75; a second\nsignal ends at once. `retake resume` goes on, bit for bit on a CPU.\n"
         "A run that gives no sign of life for RETAKE_STALL_S seconds (60) says in whose code it "
         "is; "
         "one that\nwas to end, and does not within that time, is ended."});

}  // namespace
}  // namespace retake::cli

// retake check: everything that can be said of an experiment without running foreign code.

#include <set>

#include "command.hpp"
#include "config/experiment.hpp"
#include "core/diagnostics.hpp"
#include "overrides.hpp"
#include "plugin/own_checks.hpp"
#include "plugin/registry.hpp"
#include "table_text.hpp"
#include "trial.hpp"

namespace retake::cli {
namespace {

Value as_value(const config::ResolvedExperiment& e, const std::string& hash) {
  Table out;
  out["ok"] = true;
  out["file"] = e.file;
  out["name"] = e.experiment.name;
  out["config_hash"] = hash;
  Array components;
  for (const auto& c : e.components) {
    Table t;
    t["table"] = c.table;
    t["kind"] = c.kind;
    t["plugin"] = c.plugin;
    t["version"] = c.info->version;
    t["enabled"] = c.enabled;
    components.emplace_back(std::move(t));
  }
  out["components"] = std::move(components);
  Array notes;
  for (const Diagnostic& note : e.notes) notes.push_back(to_value(note));
  out["notes"] = std::move(notes);
  return out;
}

/// Length of the recordings of noise that --build tries an experiment on.
constexpr double kNoiseSeconds = 60.0;

void options(po::options_description& o) {
  add_override_options(o);
  o.add_options()("build", po::bool_switch(),
                  "also load the plugins, build everything, and try one step on noise");
}

/// Loads every plugin, builds the model and tries one step and one validation on noise.
nn::ProbeReport build(const Arguments& a, const config::ResolvedExperiment& e,
                      plugin::Registry& registry) {
  plugin::run_own_checks(e, registry);
  Trial trial(a, e, registry);
  trial.use_noise(kNoiseSeconds);
  return trial.probe({.steps = 2, .same_batch = false, .validate = true, .max_seconds = 0});
}

int run(const Arguments& arguments) {
  const std::string file = experiment_argument(arguments);
  const bool with_build = arguments.options["build"].as<bool>();
  plugin::Registry registry(arguments.globals.plugin_path);
  config::LoadOptions load = read_load_options(arguments);
  load.training = with_build ? config::LoadOptions::Training::required
                             : config::LoadOptions::Training::with_trainer;
  auto e = config::resolve_experiment(file, registry, load);
  note_sweep(e);
  note_shadowed(e, registry);
  print_diagnostics(arguments.globals, e.notes);
  const std::string hash = config::config_hash(e);
  std::optional<nn::ProbeReport> built;
  if (with_build) built = build(arguments, e, registry);
  Value result = as_value(e, hash);
  if (built) result.as_table()["build"] = to_value(*built);
  print_result(arguments, result, [&] {
    std::set<std::string> plugins;
    std::size_t disabled = 0;
    for (const auto& c : e.components) {
      plugins.insert(c.info->file);
      disabled += c.enabled ? 0 : 1;
    }
    std::string text = "ok  " + e.experiment.name + "   config " + hash.substr(0, 8) + "   " +
                       counted(e.components.size(), "component");
    if (disabled > 0) text += " (" + std::to_string(disabled) + " disabled)";
    text += " of " + counted(plugins.size(), "plugin") + "\n";
    if (e.find("trainer") == nullptr) {
      text += "a part of an experiment: it has no [trainer], so retake run cannot train it\n";
    }
    return built ? text + probe_text(*built) : text;
  });
  return 0;
}

const RegisterCommand registered(
    {.name = "check",
     .synopsis = "EXP [OVERRIDES] [--build]",
     .summary = "Check an experiment: every error at once, nothing is run",
     .examples = {"retake check experiments/pointer/demo.toml",
                  "retake check experiments/pointer/demo.toml model.width=96 --build"},
     .options = options,
     .run = run,
     .details =
         "Overrides are path=value, path+=[...] and --unset PATH. Exit code 3 when the "
         "experiment is\ninvalid, 4 when only plugins are missing. The config hash shown "
         "names data by path; a run's\nnames it by content. What components find wrong themselves "
         "(shapes, formats, combinations)\nshows with --build only. --build reads no data: it "
         "builds the experiment "
         "on a minute of noise, so that\nwrong shapes show within seconds."});

}  // namespace
}  // namespace retake::cli

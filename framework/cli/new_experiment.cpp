// retake new experiment, retake new sweep: files to go on from.

#include <algorithm>

#include "config/experiment.hpp"
#include "config/path.hpp"
#include "core/files.hpp"
#include "core/program.hpp"
#include "new_files.hpp"
#include "plugin/registry.hpp"

namespace retake::cli {
namespace {

namespace fs = std::filesystem;

config::LoadOptions load_options(const Arguments& a) {
  config::LoadOptions options;
  for (const std::string& folder : a.globals.config_path) options.config_path.emplace_back(folder);
  return options;
}

/// Writes a new file; E020 when there is one.
void write_new(const fs::path& file, const std::string& text) {
  refuse_existing(file);
  write_file_atomic(file, text);
}

// ---- experiment ----

std::string child_text(const std::string& name, const std::string& base, const fs::path& file) {
  return "# What differs from the experiment below; everything else is inherited.\n"
         "extends = [" +
         config::quoted_string(path_beside(base, file)) +
         "]\n\n[experiment]\nname  = " + config::quoted_string(name) +
         "\nnotes = \"\"\ntags  = []\n\n"
         "# Further tables change what they name, for example:\n"
         "# [optimizer]\n# lr = 1e-4\n";
}

int run_experiment(const Arguments& a) {
  const std::string name = new_name(a);
  const fs::path file = output_folder(a) / (name + ".toml");
  std::string text;
  if (a.options.contains("from")) {
    const std::string base = a.options["from"].as<std::string>();
    config::merge_experiment(base, load_options(a));  // refuses what cannot be inherited from
    text = child_text(name, base, file);
  } else {
    const fs::path source = resource_folder("templates") / "experiment.toml";
    text = fill(read_file(source), {{"experiment_name", name}});
  }
  write_new(file, text);
  print_made(a, {file}, {{"retake", "check", file.string()}, {"retake", "run", file.string()}});
  return 0;
}

// ---- sweep ----

/// A parameter that a sweep may search, with a range of a decade to each side.
struct Searched {
  std::string path;
  double low = 0.0;
  double high = 0.0;
};

std::vector<Searched> searched(const config::ResolvedComponent& c) {
  std::vector<Searched> out;
  for (const FieldInfo& f : c.info->schema.fields) {
    const Value* value = c.params.find(f.name);
    if (f.type != FieldType::floating || !f.log_scale || f.is_list || !f.affects_results ||
        f.deprecated || value == nullptr || value->as_double() <= 0.0) {
      continue;
    }
    const double low = value->as_double() / 10.0, high = value->as_double() * 10.0;
    out.push_back({config::child_path(c.table, f.name), std::max(low, f.min.value_or(low)),
                   std::min(high, f.max.value_or(high))});
  }
  return out;
}

/// What schemas call searchable on a logarithmic scale, the optimizer's first: the usual question.
std::vector<Searched> searched(const config::ResolvedExperiment& experiment) {
  std::vector<Searched> first, rest;
  for (const config::ResolvedComponent& c : experiment.components) {
    if (!c.enabled) continue;
    std::vector<Searched>& list = c.kind == "optimizer" ? first : rest;
    for (Searched& s : searched(c)) list.push_back(std::move(s));
  }
  first.insert(first.end(), rest.begin(), rest.end());
  return first;
}

/// The first is searched; the others are proposed in comments. Three seeds where there is none.
std::string params_text(const std::vector<Searched>& all) {
  if (all.empty()) return "\"experiment.seed\" = [0, 1, 2]\n";
  std::string text;
  for (const Searched& s : all) {
    text += (text.empty() ? "" : "# ") + config::quoted_string(s.path) + " = { log = [" +
            format_double(s.low) + ", " + format_double(s.high) + "] }\n";
  }
  return text;
}

int run_sweep(const Arguments& a) {
  const std::string name = new_name(a);
  if (!a.options.contains("from")) {
    throw usage_error("--from EXP is needed: the experiment that the sweep varies",
                      "retake new sweep " + name + " --from experiments/pointer/demo.toml");
  }
  const std::string base = a.options["from"].as<std::string>();
  const plugin::Registry registry(a.globals.plugin_path);
  const auto experiment = config::resolve_experiment(base, registry, load_options(a));
  const fs::path file = output_folder(a) / (name + ".sweep.toml");
  const std::string text = fill(read_file(resource_folder("templates") / "sweep.toml"),
                                {{"sweep_extends", config::quoted_string(path_beside(base, file))},
                                 {"sweep_name", config::quoted_string(name)},
                                 {"sweep_metric", config::quoted_string(experiment.train.metric)},
                                 {"sweep_goal", config::quoted_string(experiment.train.goal)},
                                 {"sweep_params\n", params_text(searched(experiment))}});
  write_new(file, text);
  print_made(a, {file}, {{"retake", "sweep", file.string(), "--dry-run"}});
  return 0;
}

// ---- registration ----

void options(po::options_description& o) {
  o.add_options()("from", po::value<std::string>()->value_name("EXP"),
                  "the experiment it inherits from");
  output_option(o);
}

const RegisterCommand experiment(
    {.name = "new experiment",
     .synopsis = "NAME [--from EXP] [-o DIR]",
     .summary = "Start an experiment file: a small one that runs, or a child of another",
     .examples = {"retake new experiment my_first",
                  "retake new experiment wider --from experiments/pointer/demo.toml"},
     .options = options,
     .run = run_experiment});

const RegisterCommand sweep(
    {.name = "new sweep",
     .synopsis = "NAME --from EXP [-o DIR]",
     .summary = "Start a sweep over an experiment: NAME.sweep.toml",
     .examples = {"retake new sweep rates --from experiments/pointer/demo.toml",
                  "retake new sweep rates --from my_first.toml -o sweeps --json"},
     .options = options,
     .run = run_sweep,
     .details = "The file searches the first parameter that its plugin declares to be searched "
                "logarithmically, as\na rule the learning rate, and proposes the others in "
                "comments."});

}  // namespace
}  // namespace retake::cli

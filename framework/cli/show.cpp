// retake show: an experiment after inheritance and overrides, or with everything resolved.

#include <stdexcept>

#include "command.hpp"
#include "config/experiment.hpp"
#include "config/path.hpp"
#include "core/suggest.hpp"
#include "overrides.hpp"
#include "plugin/registry.hpp"
#include "show_diff.hpp"

namespace retake::cli {
namespace {

void options(po::options_description& o) {
  add_override_options(o);
  o.add_options()("resolved", "with every default, checked; itself a valid experiment")(
      "only", po::value<std::string>()->value_name("TABLE"),
      "one table: model, loss.stop, train, ...")(
      "diff", po::value<std::string>()->value_name("OTHER"),
      "what differs from another experiment or a run (id, path, last), all resolved")(
      "dir", po::value<std::string>()->value_name("DIR"),
      "where the run of --diff is sought; run.dir of EXP by default")(
      "format", po::value<std::string>()->value_name("F")->default_value("toml"), "toml or json");
}

/// The part named by --only, or all.
const Value& part_of(const Value& tree, const std::string& only) {
  if (only.empty()) return tree;
  const Value* part = nullptr;
  try {
    part = config::find_value(tree.as_table(), config::parse_path(only));
  } catch (const std::invalid_argument& e) {
    throw usage_error("--only " + only + ": " + e.what(), "name a table, for example  model");
  }
  if (part != nullptr && part->is_table()) return *part;
  std::vector<std::string> tables;
  std::string list;
  for (const auto& [key, value] : tree.as_table()) {
    if (!value.is_table()) continue;
    tables.push_back(key);
    for (const auto& [name, inner] : value.as_table()) {
      if (inner.is_table()) tables.push_back(config::child_path(key, name));
    }
  }
  for (const std::string& table : tables) list += (list.empty() ? "" : ", ") + table;
  const auto guess = did_you_mean(only, tables);
  throw usage_error("the experiment has no table [" + only + "]" +
                        (guess ? ": did you mean `" + *guess + "`?" : ""),
                    "tables are " + list);
}

int diff(const Arguments& arguments, const std::string& file, const config::LoadOptions& load,
         const std::string& only) {
  const plugin::Registry registry(arguments.globals.plugin_path);
  const auto e = config::resolve_experiment(file, registry, load);
  if (!only.empty()) part_of(e.tree, only);
  print_diagnostics(arguments.globals, e.notes);
  const auto& given = arguments.options;
  const std::string runs = given.count("dir") > 0 ? given["dir"].as<std::string>() : e.run.dir;
  show_difference(arguments, e, given["diff"].as<std::string>(), runs, only, registry);
  return 0;
}

int run(const Arguments& arguments) {
  const std::string file = experiment_argument(arguments);
  const std::string format = arguments.options["format"].as<std::string>();
  if (format != "toml" && format != "json") {
    throw usage_error("--format must be toml or json, got `" + format + "`", "--format json");
  }
  const std::string only =
      arguments.options.count("only") > 0 ? arguments.options["only"].as<std::string>() : "";
  const config::LoadOptions load = read_load_options(arguments);
  Value tree;
  std::string toml;
  std::vector<Diagnostic> notes;
  if (arguments.options.count("diff") > 0) return diff(arguments, file, load, only);
  if (arguments.options.count("resolved") > 0) {
    const plugin::Registry registry(arguments.globals.plugin_path);
    const auto e = config::resolve_experiment(file, registry, load);
    tree = config::resolved_value(e);
    notes = e.notes;
    part_of(tree, only);
    toml = config::resolved_toml(e, only);
  } else {
    const auto merged = config::merge_experiment(file, load);
    tree = merged.tree;
    notes = merged.notes;
    part_of(tree, only);
    toml = config::merged_toml(merged, only);
  }
  print_diagnostics(arguments.globals, notes);
  if (arguments.globals.json || format == "json") {
    print_text(to_json(part_of(tree, only), arguments.globals.json ? -1 : 2) + "\n");
  } else {
    print_text(toml);
  }
  return 0;
}

const RegisterCommand registered(
    {.name = "show",
     .synopsis = "EXP [OVERRIDES] [--resolved] [--only TABLE] [--diff OTHER|RUN] [--dir DIR] "
                 "[--format toml|json]",
     .summary = "Show an experiment after inheritance and overrides",
     .examples = {"retake show experiments/pointer/demo.toml --resolved",
                  "retake show experiments/pointer/demo.toml --resolved --only model",
                  "retake show experiments/pointer/demo.toml model.d_model=64 --format json",
                  "retake show experiments/pointer/demo.toml --diff last"},
     .options = options,
     .run = run,
     .details = "Without --resolved: what the files and overrides say, merged, nothing checked "
                "against plugins. --diff resolves both sides and shows each value that differs "
                "with the place it was\nwritten at; overrides belong to EXP, runs are looked for "
                "in its run.dir or --dir. Exit code 0, whether they\ndiffer or not."});

}  // namespace
}  // namespace retake::cli

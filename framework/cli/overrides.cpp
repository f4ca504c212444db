#include "overrides.hpp"

#include <algorithm>
#include <filesystem>

namespace retake::cli {
namespace {

/// Whether a word begins like `key=`, `key.key[0]+=`: keys, not a path of folders.
bool is_assignment(const std::string& word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string::npos || equals == 0) return false;
  const std::string key = word.substr(0, equals);
  const char first = key.front();
  const bool starts = (first >= 'a' && first <= 'z') || (first >= 'A' && first <= 'Z') ||
                      first == '_' || first == '"';
  return starts && key.find('/') == std::string::npos && !std::filesystem::exists(word);
}

}  // namespace

void add_override_options(po::options_description& options) {
  options.add_options()("set-file", po::value<std::vector<std::string>>()->value_name("FILE"),
                        "a TOML file merged over the experiment, before path=value")(
      "unset", po::value<std::vector<std::string>>()->value_name("PATH"),
      "forget what the files say of PATH");
}

int value_index(const Arguments& arguments, const TypedOption& option) {
  // "--unset PATH" are two words, "--unset=PATH" is one.
  const auto index = static_cast<std::size_t>(option.argv_index);
  const bool two = index < arguments.argv.size() && arguments.argv[index] == "--" + option.name;
  return option.argv_index + (two ? 1 : 0);
}

config::LoadOptions read_load_options(const Arguments& arguments, std::size_t first) {
  config::LoadOptions options;
  for (const std::string& folder : arguments.globals.config_path) {
    options.config_path.emplace_back(folder);
  }
  for (std::size_t i = first; i < arguments.positional.size(); ++i) {
    options.overrides.push_back({arguments.positional[i], arguments.argv_index[i]});
  }
  for (const TypedOption& option : arguments.typed) {
    if (option.name == "set-file") options.set_files.emplace_back(option.value);
    if (option.name != "unset") continue;
    options.overrides.push_back({option.value, value_index(arguments, option), true});
  }
  std::stable_sort(options.overrides.begin(), options.overrides.end(),
                   [](const auto& a, const auto& b) { return a.argv_index < b.argv_index; });
  return options;
}

void note_sweep(config::ResolvedExperiment& experiment) {
  if (experiment.sweep.is_null()) return;
  Diagnostic d;
  d.severity = Severity::note;
  d.message = "[sweep] is no part of this one experiment: it is neither checked nor used here";
  experiment.notes.push_back(std::move(d));
}

void note_shadowed(config::ResolvedExperiment& experiment, const plugin::Registry& registry) {
  for (const Diagnostic& d : registry.notes()) {
    const bool used =
        std::any_of(experiment.components.begin(), experiment.components.end(),
                    [&](const config::ResolvedComponent& c) {
                      return d.message.starts_with("`" + c.kind + "/" + c.plugin + "` of ");
                    });
    if (used) experiment.notes.push_back(d);
  }
}

std::string experiment_argument(const Arguments& arguments) {
  if (arguments.positional.empty()) {
    throw usage_error("no experiment given", "name a TOML file, for example under experiments/");
  }
  return arguments.positional.front();
}

SplitPositionals split_positionals(const Arguments& arguments) {
  SplitPositionals out;
  for (std::size_t i = 0; i < arguments.positional.size(); ++i) {
    const std::string& word = arguments.positional[i];
    if (is_assignment(word)) {
      out.assignments.push_back({word, arguments.argv_index[i]});
    } else {
      out.plain.push_back(word);
    }
  }
  return out;
}

}  // namespace retake::cli

// `retake plugins check`: does a plugin do what its kinds promise?

#include <algorithm>
#include <filesystem>
#include <map>

#include "command.hpp"
#include "config/catalog.hpp"
#include "config/experiment.hpp"
#include "core/suggest.hpp"
#include "experiment_probes.hpp"
#include "nn_door.hpp"
#include "overrides.hpp"
#include "plugin/probe_run.hpp"
#include "table_text.hpp"

namespace retake::cli {
namespace {

namespace fs = std::filesystem;
using plugin::PluginFile;
using plugin::ProbeResult;
using plugin::Verdict;

constexpr double kTrainingLimits = 10;  // in limits of a probe

/// The components of one file, so that parameters are checked against it and no other.
class OneFile final : public config::Catalog {
 public:
  explicit OneFile(const PluginFile& file) : file_(file) {}
  std::vector<std::string> kinds() const override { return file_.stamp.kinds(); }
  const ComponentInfo* find(std::string_view kind, std::string_view name) const override {
    for (const ComponentInfo& c : file_.components) {
      if (c.kind == kind && c.name == name) return &c;
    }
    return nullptr;
  }
  std::vector<std::string> names(std::string_view kind) const override {
    std::vector<std::string> out;
    for (const ComponentInfo& c : file_.components) {
      if (c.kind == kind) out.push_back(c.name);
    }
    return out;
  }
  std::vector<std::string> looked_in() const override { return {file_.path.string()}; }
  std::vector<std::string> load_problems() const override { return {}; }

 private:
  const PluginFile& file_;
};

std::string first_key(const std::string& assignment) {
  return assignment.substr(0, assignment.find_first_of(".[+="));
}

bool has_parameter(const ComponentInfo& info, const std::string& key) {
  return std::any_of(info.schema.fields.begin(), info.schema.fields.end(),
                     [&](const FieldInfo& f) { return f.name == key; });
}

/// Parameters go to every component that has them; one that none has is a mistake.
void require_known(const PluginFile& file, const std::vector<config::OverrideText>& assignments) {
  for (const config::OverrideText& a : assignments) {
    const std::string key = first_key(a.text);
    std::vector<std::string> known;
    bool found = false;
    for (const ComponentInfo& c : file.components) {
      for (const FieldInfo& f : c.schema.fields) known.push_back(f.name);
      found = found || has_parameter(c, key);
    }
    if (found) continue;
    const auto nearest = did_you_mean(key, known);
    throw usage_error(
        "no component of " + file.path.filename().string() + " has a parameter `" + key + "`",
        nearest ? "did you mean `" + *nearest + "`?"
                : "see them with  retake plugins params KIND/NAME");
  }
}

/// The probes work in a folder of their own, where files named from here must be found too.
void find_from_anywhere(Value& value) {
  if (value.is_array()) {
    for (Value& item : value.as_array()) find_from_anywhere(item);
  }
  if (!value.is_string() || value.as_string().empty()) return;
  std::error_code error;
  if (fs::exists(value.as_string(), error)) value = fs::absolute(value.as_string()).string();
}

plugin::ProbeRun probe_run(const PluginFile& file, std::size_t component,
                           const std::vector<config::OverrideText>& assignments, double limit) {
  const ComponentInfo& info = file.components[component];
  plugin::ProbeRun run;
  run.file = &file;
  run.component = component;
  run.limit = std::chrono::duration<double>(limit);
  if (file.stamp.torch()) {
    // One thread: on a busy machine the threads of small kernels wait for each other for ever.
    run.prepare = [] { open_nn_room().configure(1, true); };
  }
  std::vector<config::OverrideText> own;
  for (const config::OverrideText& a : assignments) {
    if (has_parameter(info, first_key(a.text))) own.push_back(a);
  }
  for (const FieldInfo& field : info.schema.fields) {
    const bool given = std::any_of(own.begin(), own.end(), [&](const config::OverrideText& a) {
      return first_key(a.text) == field.name;
    });
    if (field.required && !given) run.missing.push_back(field.name);
  }
  if (run.missing.empty()) {
    run.params = config::resolve_component(info.kind, info.name, own, OneFile(file)).params;
    for (const config::OverrideText& a : own) {
      find_from_anywhere(run.params[first_key(a.text)]);
    }
  }
  return run;
}

/// kind/name and what was found; the experiment's findings stand by themselves.
using Section = std::pair<std::string, std::vector<ProbeResult>>;

std::size_t count(const std::vector<Section>& sections, Verdict verdict) {
  std::size_t n = 0;
  for (const Section& section : sections) {
    for (const ProbeResult& r : section.second) n += r.verdict == verdict ? 1 : 0;
  }
  return n;
}

Value as_value(const PluginFile& file, const std::vector<Section>& sections) {
  Array components;
  for (const auto& [name, results] : sections) {
    Array probes;
    for (const ProbeResult& r : results) {
      Table t;
      t["probe"] = r.probe;
      t["verdict"] = plugin::to_string(r.verdict);
      t["why"] = r.why;
      t["help"] = r.help;
      t["seconds"] = r.seconds;
      probes.emplace_back(std::move(t));
    }
    Table t;
    t["name"] = name;
    t["probes"] = std::move(probes);
    components.emplace_back(std::move(t));
  }
  Table out;
  out["file"] = file.path.string();
  for (const Verdict v : {Verdict::ok, Verdict::failed, Verdict::skipped}) {
    out[plugin::to_string(v)] = static_cast<std::int64_t>(count(sections, v));
  }
  out["components"] = std::move(components);
  return out;
}

std::string as_text(const PluginFile& file, const std::vector<Section>& sections) {
  std::string out;
  for (const auto& [name, results] : sections) {
    out += name + "   " + file.stamp.version + "   (" + file.path.filename().string() + ")\n";
    std::vector<std::vector<std::string>> rows;
    for (const ProbeResult& r : results) {
      const std::string help =
          r.verdict == Verdict::skipped && !r.help.empty() ? ": " + r.help : "";
      rows.push_back({std::string(plugin::to_string(r.verdict)), r.probe, r.why + help});
    }
    out += columns({"", "probe", "why"}, rows) + "\n";
  }
  return out + std::to_string(count(sections, Verdict::ok)) + " ok, " +
         std::to_string(count(sections, Verdict::failed)) + " failed, " +
         std::to_string(count(sections, Verdict::skipped)) + " skipped\n";
}

/// Throws E235 for every probe that failed.
void require_none_failed(const PluginFile& file, const std::vector<Section>& sections) {
  std::vector<Diagnostic> all;
  for (const auto& [name, results] : sections) {
    for (const ProbeResult& r : results) {
      if (r.verdict != Verdict::failed) continue;
      all.push_back(file_diagnostic("E235", file.path.string(),
                                    name + ": " + r.why + ", in the probe `" + r.probe + "`",
                                    r.help));
    }
  }
  if (!all.empty()) throw PluginError(std::move(all));
}

int run(const Arguments& a) {
  const SplitPositionals words = split_positionals(a);
  if (words.plain.size() != 1) {
    throw usage_error("one plugin's file is needed", "retake plugins check build/plugins/libx.so");
  }
  const double limit = a.options["timeout"].as<double>();
  if (!(limit > 0)) throw usage_error("--timeout is above 0", "--timeout 60");
  const PluginFile file = plugin::read_plugin_file(fs::absolute(words.plain.front()));
  require_known(file, words.assignments);
  ExperimentProbe experiment;
  std::vector<std::string> wired;
  if (a.options.contains("experiment")) {
    experiment.experiment = a.options["experiment"].as<std::string>();
    experiment.plugin_path = a.globals.plugin_path;
    experiment.plugin_path.insert(experiment.plugin_path.begin(),
                                  fs::absolute(file.path).parent_path().string());
    experiment.config_path = a.globals.config_path;
    experiment.limit = std::chrono::duration<double>(kTrainingLimits * limit);
    wired = components_from(experiment, file.path.string());
  }
  std::vector<plugin::ProbeRun> runs;
  for (std::size_t i = 0; i < file.components.size(); ++i) {
    runs.push_back(probe_run(file, i, words.assignments, limit));
  }
  std::vector<Section> sections;
  for (const plugin::ProbeRun& run : runs) {
    const ComponentInfo& info = file.components[run.component];
    sections.emplace_back(info.kind + "/" + info.name, plugin::run_probes(run));
  }
  if (!wired.empty()) sections.emplace_back(join(wired), probe_experiment(experiment));
  print_result(a, as_value(file, sections), [&] { return as_text(file, sections); });
  require_none_failed(file, sections);
  return 0;
}

const RegisterCommand registered(
    {.name = "plugins check",
     .synopsis = "FILE [key=value ...] [--experiment EXP] [--timeout S]",
     .summary = "Check that a plugin does what its kinds promise",
     .examples = {"retake plugins check build/plugins/liblog_mel.so n_mels=64",
                  "retake plugins check build/plugins/libpolicy_gradient.so --experiment "
                  "experiments/smoke/policy.toml"},
     .options =
         [](po::options_description& o) {
           auto add = o.add_options();
           add("experiment", po::value<std::string>()->value_name("EXP"),
               "also train this experiment, which uses the plugin, a few steps: twice, and "
               "resumed");
           add("timeout", po::value<double>()->default_value(60)->value_name("S"),
               "seconds that one probe may take; a training may take ten times as long");
         },
     .run = run,
     .details = "Every component is asked in processes of its own, so that crashes and endless "
                "loops are caught\nand named. key=value are parameters, for each component that "
                "has them. Exit code 4 when a probe\nfailed."});

}  // namespace
}  // namespace retake::cli

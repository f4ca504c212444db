#include "same_run.hpp"

#include <algorithm>
#include <set>

#include "core/files.hpp"
#include "core/stop.hpp"
#include "data/experiment_data.hpp"
#include "nn_door.hpp"
#include "retake/kinds/dataset.hpp"
#include "retake/log.hpp"
#include "run/archive.hpp"
#include "run/hash_cache.hpp"
#include "run/progress.hpp"
#include "run/run_context.hpp"
#include "run/run_find.hpp"

namespace retake::cli {
namespace {

/// Hashes of the program, its own libraries and every plugin file that the experiment uses.
using Binaries = std::set<std::string>;

Binaries binaries_of(const config::ResolvedExperiment& experiment,
                     const plugin::Registry& registry) {
  open_nn_room();  // a run has it, so its library counts
  run::HashCache hashes;
  Binaries out;
  for (const auto& file : run::own_binaries()) out.insert(hashes.sha256(file));
  for (const config::ResolvedComponent& c : experiment.components) {
    if (c.enabled) out.insert(hashes.sha256(registry.file_of(c.kind, c.plugin).path));
  }
  return out;
}

/// The same from a manifest: host_program, those of env.libs that are ours, plugins.
Binaries recorded(const Table& manifest) {
  Binaries out{manifest.at("host_program").as_table().at("sha256").as_string()};
  for (const Value& p : manifest.at("plugins").as_array()) {
    out.insert(p.as_table().at("sha256").as_string());
  }
  const std::string prefix = "sha256:";
  for (const Value& lib : manifest.at("env").as_table().at("libs").as_array()) {
    const Array& pair = lib.as_array();  // name and hash
    if (!pair.at(0).as_string().starts_with("libretake") || pair.at(1).is_null()) continue;
    out.insert(pair.at(1).as_string().substr(prefix.size()));
  }
  return out;
}

/// The configuration's hash with the data by content.
std::string hash_with_data(const Arguments& a, const config::ResolvedExperiment& experiment,
                           plugin::Registry& registry) {
  const config::ResolvedComponent* dataset = experiment.find(Dataset::kind);
  if (dataset == nullptr) return config::config_hash(experiment);
  run::ProgressLine line(run::ProgressLine::mode_of(stderr, a.globals.quiet, a.globals.json));
  run::RunContext context({.seed = static_cast<std::uint64_t>(experiment.experiment.seed),
                           .threads = run::resolve_threads(experiment.run.threads),
                           .device = "cpu",
                           .run_dir = {},
                           .progress = [&](std::string_view what, double done, double total) {
                             line.update({std::string(what), done, total, "", ""});
                           }});
  plugin::Arena arena;
  data::ExperimentData data;
  data.pairs = registry.create<Dataset>(arena, *dataset, context).pairs(context);
  if (stop_requested()) throw stopped("stopped while the data was listed");
  data.files = data::data_account(data.pairs, data::data_index(data.pairs));
  return config::config_hash(experiment, data.identity());
}

bool is_same(const run::RunFolder& folder, const std::string& hash, const Binaries& binaries) {
  try {
    const Value root = parse_json(read_file(folder.manifest()), folder.manifest().string());
    const Table& manifest = root.as_table();
    return manifest.at("status") == Value("finished") &&
           manifest.at("config_hash") == Value(hash) && recorded(manifest) == binaries;
  } catch (const std::exception& e) {
    log_debug("run " + folder.id() + " is passed over: " + e.what());
    return false;
  }
}

}  // namespace

std::optional<run::RunFolder> find_same_run(const Arguments& arguments,
                                            const config::ResolvedExperiment& experiment,
                                            plugin::Registry& registry) {
  install_stop_signals();
  const std::string hash = hash_with_data(arguments, experiment, registry);
  const Binaries binaries = binaries_of(experiment, registry);
  std::vector<run::RunFolder> runs = run::list_runs(experiment.run.dir);
  std::reverse(runs.begin(), runs.end());
  for (const run::RunFolder& folder : runs) {
    if (is_same(folder, hash, binaries)) return folder;
  }
  return std::nullopt;
}

}  // namespace retake::cli

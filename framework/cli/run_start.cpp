#include "run_start.hpp"

#include <algorithm>

#include "core/hash.hpp"
#include "plugin/stamp.hpp"
#include "run/archive.hpp"
#include "run/code_snapshot.hpp"
#include "run/environment.hpp"
#include "run/run_find.hpp"

namespace retake::cli {
namespace {

Table host_abis(const SessionStart& s) {
  Table abis;
  for (const config::ResolvedComponent& c : s.experiment.components) {
    if (c.enabled) abis[c.kind] = plugin::host_abi(c.kind);
  }
  return abis;
}

}  // namespace

std::vector<run::PluginUse> plugin_uses(const SessionStart& s) {
  std::vector<run::PluginUse> uses;
  for (const config::ResolvedComponent& c : s.experiment.components) {
    if (!c.enabled) continue;
    run::PluginUse use;
    use.kind = c.kind;
    use.name = c.plugin;
    use.version = c.info->version;
    use.abi = plugin::abi(s.registry->file_of(c.kind, c.plugin).stamp, c.kind);
    use.params_schema = sha256_hex(to_canonical_json(to_value(c.info->schema)));
    use.path = s.registry->file_of(c.kind, c.plugin).path;
    plugin::BuildFacts facts = plugin::read_build_facts(use.path);
    use.git = std::move(facts.commit);
    use.flags = std::move(facts.flags);
    use.archived = s.archive;
    uses.push_back(std::move(use));
  }
  return uses;
}

void archive(const run::RunFolder& folder, const SessionStart& s) {
  std::vector<std::filesystem::path> files = run::own_binaries();
  for (const run::PluginUse& use : plugin_uses(s)) {
    if (std::find(files.begin(), files.end(), use.path) == files.end()) files.push_back(use.path);
  }
  const auto more = run::helper_libraries(files);
  files.insert(files.end(), more.begin(), more.end());
  run::archive_binaries(folder, files);
}

Value parent_of(const SessionStart& s) {
  const std::string& from = s.experiment.train.init_from;
  if (from.empty()) return {};
  Table parent;
  parent["init_from"] = from;
  parent["checkpoint"] =
      std::filesystem::absolute(run::find_checkpoint(from, s.experiment.run.dir)).string();
  return parent;
}

Table present_facts(const SessionStart& s, nn::Room& room) {
  run::HashCache hashes;
  Table facts;
  facts["host_program"] = run::describe_host_program(host_abis(s), hashes);
  facts["plugins"] = run::describe_plugins(plugin_uses(s));
  facts["env"] = run::describe_environment(room.environment(), hashes);
  return facts;
}

run::Manifest start_manifest(const run::RunFolder& folder, const SessionStart& s, nn::Room& room,
                             const Value& parent) {
  run::HashCache hashes;
  run::ManifestStart m;
  m.config_hash = config::config_hash(s.experiment);
  m.seed = static_cast<std::uint64_t>(s.experiment.experiment.seed);
  m.host_program = run::describe_host_program(host_abis(s), hashes);
  m.plugins = plugin_uses(s);
  m.code = run::snapshot_code(folder, std::filesystem::current_path());
  m.env = run::describe_environment(room.environment(), hashes);
  m.determinism["requested"] = s.experiment.run.deterministic;
  m.determinism["level"] = s.experiment.run.deterministic ? "exact" : "none";
  Array loose;
  for (const config::ResolvedComponent& c : s.experiment.components) {
    if (c.enabled && !c.info->traits.deterministic) loose.emplace_back(c.kind + "/" + c.plugin);
  }
  m.determinism["nondeterministic_ops"] = std::move(loose);
  m.parent = parent;
  m.experiment["name"] = s.experiment.experiment.name;
  m.experiment["metric"] = s.experiment.train.metric;
  m.experiment["notes"] = s.experiment.experiment.notes;
  Array tags;
  for (const std::string& tag : s.experiment.experiment.tags) tags.emplace_back(tag);
  m.experiment["tags"] = std::move(tags);
  m.experiment["environment"] = s.experiment.environment;
  return run::Manifest::start(folder, m);
}

run::RunFolder make_folder(SessionStart& s) {
  const run::RunFolder folder =
      run::RunFolder::create(s.experiment.run.dir, s.experiment.experiment.name);
  config::substitute_run(s.experiment, {folder.id(), folder.path().string(), folder.name()});
  folder.write_config(config::resolved_toml(s.experiment), s.experiment.overrides, s.command_line);
  std::vector<run::InputFile> inputs;
  for (const auto& [path, text] : s.experiment.files) inputs.push_back({path, text});
  folder.write_inputs(inputs);
  return folder;
}

std::vector<std::pair<std::string, std::string>> metric_goals(const SessionStart& s) {
  std::vector<std::pair<std::string, std::string>> goals;
  for (const config::ResolvedComponent& c : s.experiment.components) {
    for (const MetricInfo& m : c.info->traits.metrics) {
      if (!m.goal.empty()) goals.emplace_back(m.name, m.goal);
    }
  }
  goals.emplace_back(s.experiment.train.metric, s.experiment.train.goal);
  return goals;
}

}  // namespace retake::cli

#pragma once
// An experiment: files, bases and overrides in, everything resolved and checked out.
//
//   config::LoadOptions options;
//   options.overrides = ...;                       // cli/overrides.hpp reads them from a command
//   line auto e = config::resolve_experiment("experiments/pointer/small.toml", registry, options);
//   e.train.max_steps;  e.find("model")->params;  config::config_hash(e);

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "config/catalog.hpp"
#include "config/document.hpp"
#include "config/host_tables.hpp"
#include "config/migrate.hpp"
#include "retake/error.hpp"
#include "retake/value.hpp"

namespace retake::config {

/// One override as typed: "optimizer.lr=1e-4", "dataset.roots+=[\"more\"]", or a path to unset.
struct OverrideText {
  std::string text;
  int argv_index = 0;
  bool unset = false;
  std::string prefix{};  ///< table that the path is inside of: set by resolve_component
};

struct LoadOptions {
  std::vector<std::filesystem::path> config_path;  ///< where bases are sought after the file's own
  std::vector<std::filesystem::path> set_files;    ///< merged after the file, in order
  std::vector<OverrideText> overrides;             ///< merged last, in order
  /// Value of an environment variable; the process's own by default.
  std::function<std::optional<std::string>(const std::string&)> environment;
  /// Whether what a training needs must be there, as far as declarations tell (training_faults):
  /// no; in experiments that have a trainer; in all.
  enum class Training { unchecked, with_trainer, required } training = Training::unchecked;
  /// When not empty: components of other kinds are left out where their plugin is not installed.
  std::vector<std::string> needed_kinds;
};

/// One component table. `enabled = false` ones are listed too: skip them when building.
struct ResolvedComponent {
  std::string kind;    ///< "loss"
  std::string name;    ///< "stop" of [loss.stop]; empty for a single [model]
  std::string table;   ///< "loss.stop", "model"
  std::string plugin;  ///< component name: "stop_bce"
  Table params;        ///< complete, validated; what Registration::create takes
  double weight = 1.0;
  bool enabled = true;
  const ComponentInfo* info = nullptr;  ///< lives as long as the catalog
};

struct ResolvedExperiment {
  std::string file;  ///< as given
  Value tree;        ///< every table with every key, in the order host tables, components, watch
  OriginMap origins;
  std::vector<Dropped> dropped;  ///< what files gave and later ones took away
  ExperimentTable experiment;
  TrainTable train;
  RunTable run;
  std::vector<WatchRule> watch;
  std::vector<ResolvedComponent> components;
  std::vector<Renaming> renamed;  ///< parameters written under old names
  std::vector<Diagnostic> notes;  ///< warnings and notes (W12, ...)
  /// Environment values used by interpolation; null where the default in the text was used.
  Table environment;
  /// Every file read: the experiment, its bases, --set-file ones; as shown -> text as written.
  std::vector<std::pair<std::string, std::string>> files;
  std::vector<std::string> overrides;  ///< as typed, unset ones as "--unset PATH"
  Value sweep;                         ///< [sweep] as written; null when there is none
  /// Values that hold `${run:...}`: path -> text before substitution.
  std::map<std::string, std::string> run_texts;

  /// The enabled component of that kind (and name, where given); null when there is none.
  const ResolvedComponent* find(std::string_view kind, std::string_view name = {}) const;
  /// The enabled components of a kind, in the order written.
  std::vector<const ResolvedComponent*> all(std::string_view kind) const;
};

/// Throws with every finding of the pass at once (most certain first): PluginError (exit 4) when
/// missing plugins are all that is wrong, else ConfigError (exit 3).
ResolvedExperiment resolve_experiment(const std::filesystem::path& file, const Catalog& catalog,
                                      const LoadOptions& options = {});

/// As above from a text, for resolved configurations kept inside checkpoints: `extends` is an
/// error.
ResolvedExperiment resolve_experiment_text(const std::string& toml, const std::string& name,
                                           const Catalog& catalog, const LoadOptions& options = {});

/// What files and overrides say, merged, before any default, interpolation or check.
struct MergedExperiment {
  std::string file;  ///< as given
  Value tree;
  OriginMap origins;
  std::vector<Diagnostic> notes;
};
/// Throws ConfigError for what cannot be read or merged.
MergedExperiment merge_experiment(const std::filesystem::path& file,
                                  const LoadOptions& options = {});

/// One component from the command line (`retake features -x log_mel hop_length=256`): defaults
/// filled, everything checked, same errors.
ResolvedComponent resolve_component(const std::string& kind, const std::string& plugin,
                                    const std::vector<OverrideText>& params,
                                    const Catalog& catalog);

/// What `${run:id}`, `${run:dir}` and `${run:name}` become.
struct RunNames {
  std::string id;
  std::string dir;
  std::string name;
};
/// Puts the run's names in. Identity (config_hash) and the resolved file keep the text.
void substitute_run(ResolvedExperiment& experiment, const RunNames& names);

/// Stands in for a value in the identity: data by content instead of by path. Called for every
/// parameter that names files or folders (FieldInfo::is_path); nullopt keeps the value itself.
using Identity = std::function<std::optional<Value>(const std::string& path, const Value& value)>;

/// What the hash is taken of: only keys that affect results; disabled components, names, notes,
/// tags, version requirements, [watch] and the run's folders are left out.
Value identity_of(const ResolvedExperiment& experiment, const Identity& replace = {});
/// SHA-256 (hex) of the canonical JSON of `identity_of`.
std::string config_hash(const ResolvedExperiment& experiment, const Identity& replace = {});

/// The tree as the resolved file holds it: `${run:...}` as text, other `${` escaped.
Value resolved_value(const ResolvedExperiment& experiment);

/// The resolved experiment as TOML: a valid experiment without `extends` that gives the same
/// config_hash. Each key has its unit and origin as a comment. `only`: one table ("model",
/// "loss.stop"), everything when empty; std::invalid_argument when there is no such table.
std::string resolved_toml(const ResolvedExperiment& experiment, const std::string& only = {});
/// The merged experiment as TOML, origins as comments.
std::string merged_toml(const MergedExperiment& experiment, const std::string& only = {});

}  // namespace retake::config

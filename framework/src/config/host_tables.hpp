#pragma once
// The host's own tables of an experiment, described like any plugin's parameters.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "retake/component.hpp"
#include "retake/schema.hpp"

namespace retake::config {

/// [experiment]
struct ExperimentTable {
  std::string name;  ///< the file's stem when not given
  std::string notes;
  std::vector<std::string> tags;
  std::int64_t seed = 0;  ///< >= 0; every other seed derives from it by name
  static void describe(Schema<ExperimentTable>& s);
};

/// `train.keep`: how many checkpoints stay.
struct KeepTable {
  int last = 1;
  int best = 1;
  static void describe(Schema<KeepTable>& s);
};

/// [train]
struct TrainTable {
  int batch = 4;
  int accumulate = 1;
  double clip_norm = 1.0;          ///< 0: off
  std::string precision = "auto";  ///< fp32, bf16, auto
  std::int64_t max_steps = 20000;  ///< 0: no limit
  double max_epochs = 0;           ///< 0: no limit
  std::string max_time = "0";      ///< "2h30m"; "0": no limit
  std::string unit = "step";       ///< of max_steps and val_every: step, env_steps
  std::int64_t val_every = 500;    ///< 0: at the end only
  std::string metric = "val/edit_f1";
  std::string goal = "max";
  int early_stop = 0;  ///< validations without improvement; 0: off
  double ema = 0.0;    ///< decay in [0, 1); 0: off
  KeepTable keep;
  std::string init_from;
  static void describe(Schema<TrainTable>& s);

  /// `max_time` in seconds, 0 for no limit. Validated before.
  double max_time_seconds() const;
};

/// [run]
struct RunTable {
  std::string device = "auto";  ///< auto, cpu, cuda, cuda:N
  int threads = 2;              ///< 0: all cores
  bool deterministic = true;
  std::string dir = "runs";
  bool archive = true;
  std::int64_t trace_every = 100;  ///< steps; 0: no trace
  static void describe(Schema<RunTable>& s);
};

/// One entry of [watch]: an override of the trainer's own table of metrics to watch.
struct WatchRule {
  std::string metric;
  std::optional<double> min;
  std::optional<double> max;
  std::string message;
};

/// Seconds of "90", "90s", "2h30m", "1d12h", "500ms"; nullopt when it is no duration. A bare
/// number counts seconds.
std::optional<double> parse_duration(const std::string& text);

/// auto, cpu, cuda or cuda:N.
bool is_device(const std::string& text);
/// Whether an experiment of this name can have a folder.
bool is_folder_name(const std::string& name);

/// Metrics that the training engine itself gives in every run.
const std::vector<MetricInfo>& engine_metrics();

/// The host tables that are schemas of ours: "experiment", "train", "run". Null for other names.
const SchemaInfo* host_schema(const std::string& table);
/// One entry of [watch]: min, max, message.
const SchemaInfo& watch_schema();
/// The host's own keys in component tables of a kind, as fields: plugin, version, and on weighted
/// kinds weight and enabled.
std::vector<FieldInfo> component_host_keys(const std::string& kind);
/// Every table name of the host: extends merge experiment train run watch sweep.
const std::vector<std::string>& host_table_names();
/// Keys of the host inside component tables; a plugin schema must not declare them.
const std::vector<std::string>& reserved_component_keys();
/// Whether components of this kind have `weight` and `enabled`: losses, rewards, augmentations.
bool is_weighted_kind(const std::string& kind);

}  // namespace retake::config

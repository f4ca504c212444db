#include "config/host_tables.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>

namespace retake::config {

void ExperimentTable::describe(Schema<ExperimentTable>& s) {
  s.field(&ExperimentTable::name, "name", "names the run's folder; the file's stem by default")
      .affects_results(false)
      .synonyms({"title", "id"});
  s.field(&ExperimentTable::notes, "notes", "free text")
      .affects_results(false)
      .synonyms({"description", "comment"});
  s.field(&ExperimentTable::tags, "tags", "words to find the run by").affects_results(false);
  s.field(&ExperimentTable::seed, "seed", "the only seed; all others derive from it by name")
      .min(0)
      .synonyms({"random_seed", "random_state"});
}

void KeepTable::describe(Schema<KeepTable>& s) {
  s.field(&KeepTable::last, "last", "newest checkpoints kept")
      .range(1, 1000000)
      .affects_results(false);
  s.field(&KeepTable::best, "best", "best checkpoints kept")
      .range(0, 1000000)
      .affects_results(false);
}

void TrainTable::describe(Schema<TrainTable>& s) {
  s.field(&TrainTable::batch, "batch", "examples in one batch")
      .range(1, 1000000)
      .synonyms({"batch_size", "bs"});
  s.field(&TrainTable::accumulate, "accumulate", "batches summed into one update")
      .range(1, 1000000)
      .synonyms({"gradient_accumulation", "grad_accum", "accumulate_grad_batches"});
  s.field(&TrainTable::clip_norm, "clip_norm", "largest norm of the gradient; 0: not clipped")
      .min(0)
      .synonyms({"max_grad_norm", "grad_clip", "gradient_clip"});
  s.field(&TrainTable::precision, "precision", "number format of the forward pass")
      .one_of({"auto", "fp32", "bf16"})
      .synonyms({"dtype", "amp", "mixed_precision"});
  s.field(&TrainTable::max_steps, "max_steps", "updates until the end; 0: no limit")
      .min(0)
      .unit("train.unit")
      .synonyms({"steps", "total_steps", "num_steps"});
  s.field(&TrainTable::max_epochs, "max_epochs", "passes over the data; 0: no limit")
      .min(0)
      .unit("epochs")
      .synonyms({"epochs", "num_epochs"});
  s.field(&TrainTable::max_time, "max_time",
          "time limit (\"2h30m\"; \"0\": none): checkpoint, exit 124")
      .synonyms({"time_limit"});
  s.field(&TrainTable::unit, "unit", "what max_steps and val_every count")
      .one_of({"step", "env_steps"});
  s.field(&TrainTable::val_every, "val_every", "steps between validations; 0: at the end only")
      .min(0)
      .unit("train.unit")
      .synonyms({"eval_every", "validate_every", "val_interval", "eval_interval"});
  s.field(&TrainTable::metric, "metric", "decides which checkpoint is best").synonyms({"monitor"});
  s.field(&TrainTable::goal, "goal", "whether more or less of the metric is better")
      .one_of({"max", "min"})
      .synonyms({"mode"});
  s.field(&TrainTable::early_stop, "early_stop", "validations without improvement; 0: off")
      .range(0, 1000000)
      .synonyms({"patience"});
  s.field(&TrainTable::ema, "ema",
          "decay of averaged weights used for validation and export; 0: off")
      .range(0, 1)
      .open_max();
  s.field(&TrainTable::keep, "keep", "checkpoints that stay")
      .affects_results(false)
      .synonyms({"save_top_k", "checkpoints"});
  s.field(&TrainTable::init_from, "init_from", "\"RUN:best\" or a checkpoint folder: warm start")
      .synonyms({"pretrained", "init", "init_checkpoint"});
}

double TrainTable::max_time_seconds() const {
  return parse_duration(max_time).value_or(0.0);
}

void RunTable::describe(Schema<RunTable>& s) {
  s.field(&RunTable::device, "device", "auto, cpu, cuda or cuda:N")
      .synonyms({"gpu", "accelerator"});
  s.field(&RunTable::threads, "threads", "threads of one process; 0: all cores")
      .range(0, 4096)
      .synonyms({"num_threads", "workers"});
  s.field(&RunTable::deterministic, "deterministic", "the same bits when run again");
  s.field(&RunTable::dir, "dir", "where run folders are made")
      .affects_results(false)
      .synonyms({"output_dir", "directory", "folder", "logdir"});
  s.field(&RunTable::archive, "archive", "host, libraries and plugins go into the run")
      .affects_results(false);
  s.field(&RunTable::trace_every, "trace_every", "steps between trace lines; 0: none")
      .min(0)
      .unit("steps")
      .affects_results(false);
}

bool is_device(const std::string& text) {
  const bool numbered = text.starts_with("cuda:") && text.size() > 5 && text.size() < 9 &&
                        text.find_first_not_of("0123456789", 5) == std::string::npos;
  return numbered || text == "auto" || text == "cpu" || text == "cuda";
}

bool is_folder_name(const std::string& name) {
  constexpr std::size_t kLongest = 128;  // bytes; date and id stand beside it
  const bool bad = std::any_of(name.begin(), name.end(), [](char c) {
    return c == '/' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  return !bad && name != "." && name != ".." && name.size() <= kLongest;
}

std::optional<double> parse_duration(const std::string& text) {
  static const std::map<std::string, double> units = {{"", 1.0},     {"ms", 1e-3},  {"s", 1.0},
                                                      {"m", 60.0},   {"min", 60.0}, {"h", 3600.0},
                                                      {"d", 86400.0}};
  double total = 0.0;
  const char* at = text.data();
  const char* end = at + text.size();
  while (at != end) {
    double number = 0.0;
    const auto [stop, error] = std::from_chars(at, end, number, std::chars_format::fixed);
    if (error != std::errc() || !(number >= 0.0) || !std::isfinite(number)) return std::nullopt;
    const char* unit_end = std::find_if(stop, end, [](char c) { return c < 'a' || c > 'z'; });
    const auto unit = units.find(std::string(stop, unit_end));
    // Without a unit only a whole text of digits is clear.
    if (unit == units.end() || (unit->first.empty() && (at != text.data() || unit_end != end))) {
      return std::nullopt;
    }
    total += number * unit->second;
    at = unit_end;
  }
  if (text.empty()) return std::nullopt;
  return total;
}

const std::vector<MetricInfo>& engine_metrics() {
  static const std::vector<MetricInfo> metrics = [] {
    std::vector<MetricInfo> out;
    const auto add = [&](const char* name, const char* doc, const char* goal) {
      MetricInfo m;
      m.name = name;
      m.doc = doc;
      m.goal = goal;
      out.push_back(std::move(m));
    };
    add("train/loss", "weighted sum of the loss terms", "min");
    out.back().trend = "falling";
    out.back().target = "falls";
    out.back().problem = "nothing is learnt: look at the learning rate (retake lr-find)";
    add("train/*_loss", "one loss term, before its weight", "min");
    add("grad_norm", "norm of the gradient before clipping", "");
    out.back().target = "below 10";
    out.back().max = 100.0;
    out.back().problem = "exploding gradients";
    add("lr", "learning rate", "");
    add("lr/*", "learning rate of one optimiser", "");
    return out;
  }();
  return metrics;
}

const SchemaInfo* host_schema(const std::string& table) {
  static const std::map<std::string, SchemaInfo> schemas = {
      {"experiment", Schema<ExperimentTable>::make().info()},
      {"train", Schema<TrainTable>::make().info()},
      {"run", Schema<RunTable>::make().info()}};
  const auto it = schemas.find(table);
  return it == schemas.end() ? nullptr : &it->second;
}

const SchemaInfo& watch_schema() {
  static const SchemaInfo schema = [] {
    const auto field = [](const char* name, FieldType type, const char* doc) {
      FieldInfo f;
      f.name = name;
      f.type = type;
      f.doc = doc;
      return f;
    };
    SchemaInfo s;
    s.fields = {field("max", FieldType::floating, "a larger value is warned of"),
                field("min", FieldType::floating, "a smaller value is warned of"),
                field("message", FieldType::string, "what the warning says")};
    return s;
  }();
  return schema;
}

std::vector<FieldInfo> component_host_keys(const std::string& kind) {
  const auto field = [](const char* name, FieldType type, Value value, const char* doc) {
    FieldInfo f;
    f.name = name;
    f.type = type;
    f.default_value = std::move(value);
    f.doc = doc;
    return f;
  };
  std::vector<FieldInfo> out = {
      field("plugin", FieldType::string, Value(), "chooses the component"),
      field("version", FieldType::string, Value(), "versions of the plugin that will do")};
  if (is_weighted_kind(kind)) {
    out.push_back(field("weight", FieldType::floating, 1.0, "factor in the sum"));
    out.push_back(field("enabled", FieldType::boolean, true, "false leaves the component out"));
  }
  return out;
}

const std::vector<std::string>& host_table_names() {
  static const std::vector<std::string> names = {"extends", "merge", "experiment", "train",
                                                 "run",     "watch", "sweep"};
  return names;
}

const std::vector<std::string>& reserved_component_keys() {
  static const std::vector<std::string> keys = {"plugin", "version", "weight", "enabled"};
  return keys;
}

bool is_weighted_kind(const std::string& kind) {
  return kind == "loss" || kind == "reward" || kind == "augmentation";
}

}  // namespace retake::config

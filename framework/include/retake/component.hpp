#pragma once
// What every component of every kind has in common, and how it describes itself as data.

#include <string>
#include <vector>

#include "retake/schema.hpp"

namespace retake {

/// Base of all kinds. `const` methods are thread-safe, others are called from one thread at a time.
class Component {
 public:
  Component() = default;
  Component(const Component&) = delete;
  Component& operator=(const Component&) = delete;
  virtual ~Component();

  /// Which of its parameters it has read so far; filled by the registrar that made it.
  const ParamReads& param_reads() const { return param_reads_; }
  void count_reads(ParamReads reads) { param_reads_ = std::move(reads); }

 private:
  ParamReads param_reads_;
};

/// One named input or output. `shape` is a symbolic list such as "B, S, n_mels": expressions over
/// the component's own parameters and the shared symbols B (batch), S (raw frames), T (output
/// frames), N (beats), W (window).
struct PortInfo {
  std::string name;
  std::string dtype;  ///< f32, i64, bool, c64
  std::string shape;
  std::string doc;
  bool optional = false;
  bool is_list = false;
};

/// A metric a component emits. `name` may hold `*`: "actions/type_*". `target` and `problem` are
/// the words a user reads when watching it; `max`/`min` trip a warning; `trend` is what a healthy
/// run shows, judged by `retake doctor RUN`.
struct MetricInfo {
  std::string name;
  std::string doc;
  std::string goal;  ///< "max", "min" or empty
  std::string target;
  std::string problem;
  std::optional<double> min;
  std::optional<double> max;
  std::string trend{};  ///< "falling", "rising" or empty
};

/// Traits of a component, declared as data by `static Traits traits()`.
struct Traits {
  bool deterministic = true;
  bool needs_gpu = false;
  std::vector<std::string> needs;  ///< kinds that an experiment must have beside this component
  std::vector<PortInfo> inputs;
  std::vector<PortInfo> outputs;
  std::vector<MetricInfo> metrics;
};

/// Everything known about a component without loading it.
struct ComponentInfo {
  std::string kind;
  std::string name;
  std::string doc;
  std::string plugin;   ///< name of the plugin that holds it
  std::string version;  ///< of that plugin
  std::string file;     ///< shared library; empty for built-in tests
  SchemaInfo schema;
  Traits traits;
};

Value to_value(const ComponentInfo& info);
ComponentInfo component_from_value(const Value& value, const std::string& origin);

}  // namespace retake

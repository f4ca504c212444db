#pragma once
// What the config room must know about installed components. The plugin registry implements it, so
// that config needs nothing of the plugin room; tests implement it with made-up components.

#include <string>
#include <string_view>
#include <vector>

#include "retake/component.hpp"
#include "retake/error.hpp"

namespace retake::config {

/// A read-only view of every installed component. Const methods are thread-safe. The answers stay
/// the same, and pointers stay valid, as long as the catalog lives.
class Catalog {
 public:
  Catalog() = default;
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;
  virtual ~Catalog();

  /// Every kind that may name a table: those this host has a header for, installed plugins or not,
  /// and those that installed plugins bring. Sorted, without repeats.
  virtual std::vector<std::string> kinds() const = 0;
  /// Null when there is none.
  virtual const ComponentInfo* find(std::string_view kind, std::string_view name) const = 0;
  /// The component names of a kind, sorted; empty when there are none.
  virtual std::vector<std::string> names(std::string_view kind) const = 0;
  /// One entry for each place that was searched, as a user reads it:
  /// "./build/plugins (6 libraries)", "$RETAKE_PLUGIN_PATH (not set)".
  virtual std::vector<std::string> looked_in() const = 0;
  /// One entry for each library that could not be used, with its cause:
  /// "libmy_model.so: built for ABI 77fe01b2c3d4, host has 81c0ffee12ab".
  virtual std::vector<std::string> load_problems() const = 0;
};

/// E201: the catalog has no such component; with did-you-mean, what there is, and where was looked.
Diagnostic unknown_plugin(const Catalog& catalog, const std::string& kind,
                          const std::string& plugin);

}  // namespace retake::config

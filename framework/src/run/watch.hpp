#pragma once
// Metrics that are watched: a value beyond its limits is said once, until it is back within.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "config/host_tables.hpp"
#include "retake/component.hpp"

namespace retake::run {

/// Not thread-safe.
class Watch {
 public:
  /// `declared`: what components say of their metrics; `overrides` ([watch] of an experiment)
  /// replace the limits and words of metrics of the same name one by one.
  Watch(const std::vector<MetricInfo>& declared, const std::vector<config::WatchRule>& overrides);

  /// "grad_norm is 123 at step 40, above 100: exploding gradients" when the value has just left
  /// its limits; NaN is beyond all of them.
  std::optional<std::string> observe(const std::string& metric, double value, std::int64_t step);

 private:
  struct Seen {
    std::string metric;
    std::optional<config::WatchRule> rule;  ///< the one that applies
    bool tripped = false;
  };
  /// One per metric, so that each of those that a pattern names trips by itself.
  Seen& seen(const std::string& metric);

  std::vector<config::WatchRule> rules_;
  std::vector<Seen> seen_;
};

}  // namespace retake::run

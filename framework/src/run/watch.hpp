#pragma once
// Metrics that are watched: a value beyond its limits is said once, until it is back within. A
// declared limit on the side to which a metric is to grow (goal "max" and a least value) is where
// it should arrive: it counts once it was reached, and at the end of the run.

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
  Watch(Watch&&) = default;
  Watch& operator=(Watch&&) = default;

  /// "grad_norm is 123 at step 40, above 100: exploding gradients" when the value has just left
  /// its limits; NaN is beyond all of them.
  std::optional<std::string> observe(const std::string& metric, double value, std::int64_t step);
  /// The run has ended by itself: what never arrived where it should, in the same words.
  std::vector<std::string> never_reached() const;

  struct Rule : config::WatchRule {
    bool aims_at_min = false;
    bool aims_at_max = false;
  };
  /// The rule for a metric; null when nobody watches it.
  const Rule* rule_for(const std::string& metric) const;

 private:
  struct Seen {
    std::string metric;
    const Rule* rule = nullptr;  ///< the one that applies
    bool tripped = false;
    bool reached = false;  ///< it was within its limits once
    std::string newest{};  ///< what there is to say of its newest value; empty: all is well
  };
  /// One per metric, so that each of those that a pattern names trips by itself.
  Seen& seen(const std::string& metric);

  std::vector<Rule> rules_;
  std::vector<Seen> seen_;
};

}  // namespace retake::run

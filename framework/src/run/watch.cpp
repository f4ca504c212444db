#include "run/watch.hpp"

#include <algorithm>
#include <cmath>

#include "config/wiring.hpp"
#include "run/progress.hpp"

namespace retake::run {

Watch::Watch(const std::vector<MetricInfo>& declared,
             const std::vector<config::WatchRule>& overrides) {
  for (const MetricInfo& m : declared) {
    const auto own = std::find_if(overrides.begin(), overrides.end(),
                                  [&](const config::WatchRule& o) { return o.metric == m.name; });
    Rule rule{{m.name, m.min, m.max, m.problem}, m.goal == "max", m.goal == "min"};
    if (own != overrides.end()) {
      // A limit that the user sets counts from the first step.
      if (own->min) rule.min = own->min, rule.aims_at_min = false;
      if (own->max) rule.max = own->max, rule.aims_at_max = false;
      if (!own->message.empty()) rule.message = own->message;
    }
    if (rule.min || rule.max) rules_.push_back(std::move(rule));
  }
  // An override whose name is none of those declared is about one of those that a pattern names,
  // and is meant more precisely than the pattern.
  for (const config::WatchRule& o : overrides) {
    const bool known = std::any_of(declared.begin(), declared.end(),
                                   [&](const MetricInfo& m) { return m.name == o.metric; });
    if (!known && (o.min || o.max)) rules_.insert(rules_.begin(), Rule{o, false, false});
  }
}

const Watch::Rule* Watch::rule_for(const std::string& metric) const {
  const auto rule = std::find_if(rules_.begin(), rules_.end(), [&](const Rule& r) {
    return config::matches_metric(r.metric, metric);
  });
  return rule == rules_.end() ? nullptr : &*rule;
}

Watch::Seen& Watch::seen(const std::string& metric) {
  const auto at = std::find_if(seen_.begin(), seen_.end(),
                               [&](const Seen& entry) { return entry.metric == metric; });
  if (at != seen_.end()) return *at;
  seen_.push_back({metric, rule_for(metric)});
  return seen_.back();
}

std::optional<std::string> Watch::observe(const std::string& metric, double value,
                                          std::int64_t step) {
  Seen& entry = seen(metric);
  if (entry.rule == nullptr) return std::nullopt;
  const Rule& r = *entry.rule;
  const bool above = r.max && !(value <= *r.max);
  const bool below = r.min && !(value >= *r.min);
  const bool beyond = above || below;
  entry.newest.clear();
  if (beyond) {
    entry.newest = metric + " is " + format_number(value) + " at step " + std::to_string(step) +
                   (above ? ", above " : ", below ") + format_number(above ? *r.max : *r.min);
    if (!r.message.empty()) entry.newest += ": " + r.message;
  }
  const bool on_its_way = !entry.reached && std::isfinite(value) &&
                          ((above && r.aims_at_max) || (below && r.aims_at_min));
  entry.reached = entry.reached || !beyond;
  const bool fresh = beyond && !on_its_way && !entry.tripped;
  entry.tripped = beyond && !on_its_way;
  if (!fresh) return std::nullopt;
  return entry.newest;
}

std::vector<std::string> Watch::never_reached() const {
  std::vector<std::string> out;
  for (const Seen& entry : seen_) {
    if (!entry.newest.empty() && !entry.tripped) out.push_back(entry.newest);
  }
  return out;
}

}  // namespace retake::run

#include "run/watch.hpp"

#include <algorithm>

#include "config/wiring.hpp"
#include "run/progress.hpp"

namespace retake::run {

Watch::Watch(const std::vector<MetricInfo>& declared,
             const std::vector<config::WatchRule>& overrides) {
  for (const MetricInfo& m : declared) {
    const auto own = std::find_if(overrides.begin(), overrides.end(),
                                  [&](const config::WatchRule& o) { return o.metric == m.name; });
    config::WatchRule rule{m.name, m.min, m.max, m.problem};
    if (own != overrides.end()) {
      if (own->min) rule.min = own->min;
      if (own->max) rule.max = own->max;
      if (!own->message.empty()) rule.message = own->message;
    }
    if (rule.min || rule.max) rules_.push_back(std::move(rule));
  }
  // An override whose name is none of those declared is about one of those that a pattern names,
  // and is meant more precisely than the pattern.
  for (const config::WatchRule& o : overrides) {
    const bool known = std::any_of(declared.begin(), declared.end(),
                                   [&](const MetricInfo& m) { return m.name == o.metric; });
    if (!known && (o.min || o.max)) rules_.insert(rules_.begin(), o);
  }
}

Watch::Seen& Watch::seen(const std::string& metric) {
  const auto at = std::find_if(seen_.begin(), seen_.end(),
                               [&](const Seen& entry) { return entry.metric == metric; });
  if (at != seen_.end()) return *at;
  const auto rule = std::find_if(rules_.begin(), rules_.end(), [&](const config::WatchRule& r) {
    return config::matches_metric(r.metric, metric);
  });
  seen_.push_back({metric, rule == rules_.end() ? std::nullopt : std::optional(*rule), false});
  return seen_.back();
}

std::optional<std::string> Watch::observe(const std::string& metric, double value,
                                          std::int64_t step) {
  Seen& entry = seen(metric);
  if (!entry.rule) return std::nullopt;
  const config::WatchRule& r = *entry.rule;
  const bool above = r.max && !(value <= *r.max);
  const bool below = r.min && !(value >= *r.min);
  const bool fresh = (above || below) && !entry.tripped;
  entry.tripped = above || below;
  if (!fresh) return std::nullopt;
  std::string text = metric + " is " + format_number(value) + " at step " + std::to_string(step) +
                     (above ? ", above " : ", below ") + format_number(above ? *r.max : *r.min);
  if (!r.message.empty()) text += ": " + r.message;
  return text;
}

}  // namespace retake::run

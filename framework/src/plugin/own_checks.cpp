#include "plugin/own_checks.hpp"

namespace retake::plugin {

Diagnostic own_check_diagnostic(const Problems::Item& item, const std::string& path) {
  Diagnostic d;
  d.id = "E110";
  d.message = "`" + path + "." + item.key + "`: " + item.message;
  d.help = item.help;
  return d;
}

void run_own_checks(const config::ResolvedExperiment& experiment, Registry& registry) {
  std::vector<Diagnostic> all;
  for (const config::ResolvedComponent& c : experiment.components) {
    if (!c.enabled) continue;
    const Problems problems = registry.check(c.kind, c.plugin, c.params);
    for (const Problems::Item& item : problems.items()) {
      Diagnostic d = own_check_diagnostic(item, c.table);
      const config::Origin* origin =
          config::nearest_origin(experiment.origins, c.table + "." + item.key);
      if (origin != nullptr) d.place = config::value_place(*origin);
      all.push_back(std::move(d));
    }
  }
  if (!all.empty()) throw ConfigError(std::move(all));
}

}  // namespace retake::plugin

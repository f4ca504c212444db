#include "plugin/unread.hpp"

#include <algorithm>

#include "config/path.hpp"

namespace retake::plugin {

std::vector<Diagnostic> unread_values(const config::ResolvedExperiment& experiment,
                                      const Arena& arena, std::int64_t steps) {
  std::vector<Diagnostic> out;
  for (const Arena::Unread& unread : arena.unread()) {
    const auto c =
        std::find_if(experiment.components.begin(), experiment.components.end(),
                     [&](const config::ResolvedComponent& r) { return r.table == unread.table; });
    if (c == experiment.components.end()) continue;
    const FieldInfo* field = c->info->schema.find(unread.param);
    const Value* value = c->params.find(unread.param);
    // A resolved file writes every key, so that having been written says nothing.
    if (field == nullptr || value == nullptr || *value == field->default_value) continue;
    const std::string path = config::child_path(c->table, unread.param);
    Diagnostic d;
    d.severity = Severity::warning;
    d.id = "W26";
    d.message = "parameter `" + path + "` was set but `" + c->plugin + "` never read it in " +
                std::to_string(steps) + " steps";
    if (const config::Origin* origin = config::origin_of(experiment.origins, path)) {
      d.place = config::key_place(*origin);
    }
    d.help =
        "it has no effect on this run: leave it away, or change what it depends on;  retake "
        "plugins params " +
        c->kind + "/" + c->plugin;
    out.push_back(std::move(d));
  }
  return out;
}

}  // namespace retake::plugin

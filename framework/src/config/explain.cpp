#include "config/explain.hpp"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <stdexcept>

#include "config/path.hpp"
#include "core/suggest.hpp"

namespace retake::config {
namespace {

const FieldInfo* find_field(const std::vector<FieldInfo>& fields, const std::string& name) {
  const auto it = std::find_if(fields.begin(), fields.end(),
                               [&](const FieldInfo& f) { return f.name == name; });
  return it == fields.end() ? nullptr : &*it;
}

/// The field that the steps from `at` on lead to.
std::optional<FieldInfo> walk(const std::vector<FieldInfo>& fields, const Path& path,
                              std::size_t at) {
  const std::vector<FieldInfo>* level = &fields;
  const FieldInfo* field = nullptr;
  for (; at < path.size(); ++at) {
    if (path[at].index) continue;
    field = find_field(*level, path[at].key);
    if (field == nullptr) return std::nullopt;
    level = &field->fields;
  }
  return field != nullptr ? std::optional<FieldInfo>(*field) : std::nullopt;
}

void collect_paths(const Table& table, const std::string& path, std::vector<std::string>& out) {
  for (const auto& [key, value] : table) {
    const std::string at = child_path(path, key);
    out.push_back(at);
    if (value.is_table()) collect_paths(value.as_table(), at, out);
  }
}

void collect_values(const Table& table, const std::string& path,
                    std::vector<std::pair<std::string, Value>>& out) {
  for (const auto& [key, value] : table) {
    const std::string at = child_path(path, key);
    if (value.is_table()) {
      collect_values(value.as_table(), at, out);
    } else {
      out.emplace_back(at, value);
    }
  }
}

/// The new path where the asked one uses a name of an older version.
std::optional<std::string> renamed(const ResolvedExperiment& e, const Path& path) {
  const std::string text = to_string(path);
  const ResolvedComponent* c = component_at(e, text);
  if (c == nullptr) return std::nullopt;
  const std::size_t at = c->name.empty() ? 1 : 2;
  if (at >= path.size()) return std::nullopt;
  std::string now;
  for (const MigrationInfo& m : c->info->schema.migrations) {
    if (m.old_name == path[at].key) now = m.new_name;
  }
  const FieldInfo* old = c->info->schema.find(path[at].key);
  if (old != nullptr && now.empty()) now = old->renamed_to;
  if (now.empty()) return std::nullopt;
  Path moved = path;
  moved[at].key = now;
  return to_string(moved);
}

[[noreturn]] void unknown_path(const ResolvedExperiment& e, const std::string& path) {
  std::vector<Candidate> known;
  for (const std::string& at : tree_paths(e.tree.as_table())) {
    Candidate candidate{at, {}};
    if (const auto field = field_at(e, at)) {
      const std::size_t cut = at.rfind('.');
      for (const std::string& synonym : field->synonyms) {
        candidate.synonyms.push_back(synonym);
        if (cut != std::string::npos) {
          candidate.synonyms.push_back(at.substr(0, cut + 1) + synonym);
        }
      }
    }
    known.push_back(std::move(candidate));
  }
  std::set<std::string> tables;
  for (const Candidate& leaf : known) {
    for (std::size_t dot = leaf.name.find('.'); dot != std::string::npos;
         dot = leaf.name.find('.', dot + 1)) {
      tables.insert(leaf.name.substr(0, dot));
    }
  }
  for (const std::string& table : tables) known.push_back({table, {}});
  Diagnostic d;
  d.id = "E114";
  d.message = "the experiment has no key `" + path + "`";
  if (const auto guess = did_you_mean(path, known)) {
    d.message += ": did you mean `" + *guess + "`?";
  }
  d.help = "`retake show EXP --resolved` shows every key";
  throw UsageError(std::move(d));
}

bool is_at_or_below(const std::string& path, const std::string& parent) {
  return path == parent || path.starts_with(parent + ".");
}

/// Newest first.
std::vector<Dropped> dropped_at(const ResolvedExperiment& e, const std::string& path) {
  std::vector<Dropped> out;
  std::copy_if(e.dropped.rbegin(), e.dropped.rend(), std::back_inserter(out),
               [&](const Dropped& d) { return is_at_or_below(d.path, path); });
  return out;
}

}  // namespace

const ResolvedComponent* component_at(const ResolvedExperiment& e, const std::string& path) {
  for (const ResolvedComponent& c : e.components) {
    if (path == c.table || path.starts_with(c.table + ".")) return &c;
  }
  return nullptr;
}

std::optional<FieldInfo> field_at(const ResolvedExperiment& e, const std::string& text) {
  const Path path = parse_path(text);
  if (const ResolvedComponent* c = component_at(e, text)) {
    const std::size_t at = c->name.empty() ? 1 : 2;
    if (auto own = walk(c->info->schema.fields, path, at)) return own;
    return walk(component_host_keys(c->kind), path, at);
  }
  if (path.front().key == "watch") return walk(watch_schema().fields, path, 2);
  const SchemaInfo* schema = host_schema(path.front().key);
  return schema != nullptr ? walk(schema->fields, path, 1) : std::nullopt;
}

std::vector<std::string> tree_paths(const Table& tree) {
  std::vector<std::string> out;
  collect_paths(tree, "", out);
  return out;
}

Explanation explain(const ResolvedExperiment& e, const std::string& text) {
  Path path;
  try {
    path = parse_path(text);
  } catch (const std::invalid_argument&) {
    unknown_path(e, text);
  }
  Explanation out;
  out.path = to_string(path);
  const Value* value = find_value(e.tree.as_table(), path);
  if (value == nullptr) {
    const auto now = renamed(e, path);
    if (now) value = find_value(e.tree.as_table(), parse_path(*now));
    if (value == nullptr) unknown_path(e, out.path);
    out.renamed_from = std::move(out.path);
    out.path = *now;
  }
  out.value = *value;
  out.field = field_at(e, out.path);
  out.component = component_at(e, out.path);
  if (const auto it = e.origins.find(out.path); it != e.origins.end()) {
    out.writings.assign(it->second.rbegin(), it->second.rend());
  }
  out.dropped = dropped_at(e, out.path);
  if (value->is_table()) {
    std::vector<std::pair<std::string, Value>> inner;
    collect_values(value->as_table(), out.path, inner);
    for (auto& [at, unused] : inner) out.children.push_back(std::move(at));
  }
  if (!out.writings.empty() && out.writings.front().written.is_string()) {
    const std::string& written = out.writings.front().written.as_string();
    if (written.find("${") != std::string::npos) out.interpolated = written;
  }
  return out;
}

std::vector<Difference> differences(const Table& left, const Table& right) {
  std::vector<std::pair<std::string, Value>> ours, theirs;
  collect_values(left, "", ours);
  collect_values(right, "", theirs);
  std::map<std::string, const Value*> other;
  for (const auto& [path, value] : theirs) other[path] = &value;
  std::vector<Difference> out;
  for (const auto& [path, value] : ours) {
    const auto it = other.find(path);
    if (it == other.end()) {
      out.push_back({path, value, std::nullopt});
      continue;
    }
    if (!(value == *it->second)) out.push_back({path, value, *it->second});
    other.erase(it);
  }
  for (const auto& [path, value] : theirs) {
    if (other.contains(path)) out.push_back({path, std::nullopt, value});
  }
  return out;
}

}  // namespace retake::config

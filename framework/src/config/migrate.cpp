#include "config/migrate.hpp"

#include "config/host_tables.hpp"
#include "config/path.hpp"

namespace retake::config {
namespace {

void move_origins(OriginMap& origins, const std::string& from, const std::string& to) {
  OriginMap moved;
  copy_origins(origins, from, moved, to);
  erase_origins(origins, from);
  copy_origins(moved, to, origins, to);
}

class Renamer {
 public:
  Renamer(Document& document, Findings& findings) : document_(document), findings_(findings) {}

  void table(Table& t, const SchemaInfo& schema, const std::string& path) {
    for (const MigrationInfo& m : schema.migrations) {
      if (schema.find(m.old_name) != nullptr) continue;  // the name has a meaning of its own again
      rename(t, path, m.old_name, m.new_name, Severity::note, "W14",
             "`" + m.old_name + "` is now called `" + m.new_name + "`");
    }
    for (const FieldInfo& f : schema.fields) {
      if (!f.deprecated || !t.contains(f.name)) continue;
      if (!f.renamed_to.empty()) {
        rename(t, path, f.name, f.renamed_to, Severity::warning, "W13",
               "`" + f.name + "` is deprecated: use `" + f.renamed_to + "`");
      } else {
        note(child_path(path, f.name), Severity::warning, "W13", "`" + f.name + "` is deprecated",
             "");
      }
    }
  }

  std::vector<Renaming> take() { return std::move(done_); }

 private:
  Diagnostic said(const std::string& path, Severity severity, const char* id,
                  const std::string& message, const std::string& help) const {
    Diagnostic d;
    d.severity = severity;
    d.id = id;
    d.message = message;
    if (const Origin* origin = nearest_origin(document_.origins, path)) {
      d.place = key_place(*origin);
    }
    d.help = help;
    return d;
  }

  void note(const std::string& path, Severity severity, const char* id, const std::string& message,
            const std::string& help) {
    Diagnostic d = said(path, severity, id, message, help);
    for (const Diagnostic& earlier : findings_.notes()) {
      const bool same_place =
          earlier.place && d.place && describe(*earlier.place) == describe(*d.place);
      if (same_place && earlier.message == message) return;  // said by an earlier call
    }
    findings_.note(std::move(d));
  }

  int layer_of(const std::string& path) const {
    const Origin* origin = origin_of(document_.origins, path);
    return origin != nullptr ? origin->layer : 0;
  }

  void rename(Table& t, const std::string& path, const std::string& from, const std::string& to,
              Severity severity, const char* id, const std::string& message) {
    const Value* old_value = t.find(from);
    if (old_value == nullptr) return;
    const std::string from_path = child_path(path, from);
    const std::string to_path = child_path(path, to);
    const int old_layer = layer_of(from_path), new_layer = layer_of(to_path);
    if (t.contains(to) && old_layer == new_layer) {
      findings_.add(Certainty::value,
                    said(from_path, Severity::error, "E115",
                         "`" + to + "` is also given under its old name `" + from + "`",
                         "delete `" + from + "`"));
      t.erase(from);
      return;
    }
    note(from_path, severity, id, message,
         "rename it in the file:  retake migrate EXP  shows where");
    if (const auto it = document_.origins.find(from_path); it != document_.origins.end()) {
      done_.push_back({from_path, to_path, it->second});
    }
    if (!t.contains(to) || old_layer > new_layer) {
      Value kept = *old_value;  // the table may move its entries when it grows
      t[to] = std::move(kept);
      move_origins(document_.origins, from_path, to_path);
    } else {
      erase_origins(document_.origins, from_path);
    }
    t.erase(from);
    if (auto grown = document_.append_to_default.extract(from_path)) {
      grown.key() = to_path;
      document_.append_to_default.insert(std::move(grown));
    }
  }

  Document& document_;
  Findings& findings_;
  std::vector<Renaming> done_;
};

const ComponentInfo* component_of(const Catalog& catalog, const std::string& kind,
                                  const Table& table) {
  const Value* plugin = table.find("plugin");
  return plugin != nullptr && plugin->is_string() ? catalog.find(kind, plugin->as_string())
                                                  : nullptr;
}

}  // namespace

std::vector<Renaming> rename_old(Document& document, const Catalog& catalog, Findings& findings) {
  Renamer renamer(document, findings);
  const auto component = [&](const std::string& kind, Value& value, const std::string& path) {
    if (!value.is_table()) return false;
    const ComponentInfo* info = component_of(catalog, kind, value.as_table());
    if (info != nullptr) renamer.table(value.as_table(), info->schema, path);
    return info != nullptr;
  };
  for (const std::string& kind : catalog.kinds()) {
    Value* value = document.tree.find(kind);
    if (value == nullptr || component(kind, *value, kind) || !value->is_table()) continue;
    for (auto& [name, inner] : value->as_table()) component(kind, inner, child_path(kind, name));
  }
  for (const std::string& name : host_table_names()) {
    const SchemaInfo* schema = host_schema(name);
    Value* value = document.tree.find(name);
    if (schema != nullptr && value != nullptr && value->is_table()) {
      renamer.table(value->as_table(), *schema, name);
    }
  }
  return renamer.take();
}

}  // namespace retake::config

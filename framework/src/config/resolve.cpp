// From layers to a resolved experiment: every table against its owner, then the wiring.

#include <algorithm>
#include <cstdlib>
#include <optional>

#include "config/experiment.hpp"
#include "config/interpolate.hpp"
#include "config/layers.hpp"
#include "config/merge.hpp"
#include "config/migrate.hpp"
#include "config/path.hpp"
#include "config/validate.hpp"
#include "config/version.hpp"
#include "config/wiring.hpp"
#include "config/write.hpp"
#include "core/join.hpp"
#include "core/suggest.hpp"

namespace retake::config {
namespace {

std::optional<std::string> process_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value != nullptr ? std::optional<std::string>(value) : std::nullopt;
}

bool contains(const std::vector<std::string>& items, std::string_view item) {
  return std::find(items.begin(), items.end(), item) != items.end();
}

class Resolver {
 public:
  Resolver(Layers layers, const Catalog& catalog, const LoadOptions& options, Findings& findings)
      : document_(std::move(layers.document)),
        catalog_(catalog),
        options_(options),
        findings_(findings),
        kinds_(catalog.kinds()) {
    out_.files = std::move(layers.files);
  }

  ResolvedExperiment run(const std::string& file) {
    out_.file = file;
    const EnvironmentOf environment =
        options_.environment ? options_.environment : EnvironmentOf(process_environment);
    apply_renames();
    Interpolated done = interpolate(
        document_, [&](const std::string& path) { return default_of(path); }, environment,
        findings_);
    apply_renames();  // of tables whose plugin was an interpolation
    failed_ = std::move(done.failed);
    out_.environment = std::move(done.environment);
    Validator validator(document_, failed_, findings_, elsewhere(), file);
    validator_ = &validator;
    check_roots();
    read_host_tables();
    read_components();
    read_watch();
    check_wiring();
    for (const OverrideText& text : options_.overrides) {
      out_.overrides.push_back((text.unset ? "--unset " : "") + text.text);
    }
    for (const char* path : {"experiment.name", "run.dir"}) {
      if (!done.run_texts.contains(path)) continue;
      add(Certainty::value, "E123", "`" + std::string(path) + "` is made of what it names itself",
          value_at(path), {},
          "the run's id, dir and name are known only when this is: write it out");
    }
    if (const Value* sweep = document_.tree.find("sweep")) out_.sweep = *sweep;
    findings_.raise(out_.files.empty() ? file : out_.files.front().first);
    assemble(std::move(done.run_texts));
    return std::move(out_);
  }

  /// Only one table, of which nothing else is known.
  ResolvedComponent run_single() {
    apply_renames();
    Validator validator(document_, failed_, findings_);
    validator_ = &validator;
    read_components();
    findings_.raise("");
    return std::move(out_.components.front());
  }

 private:
  void apply_renames() {
    for (Renaming& r : rename_old(document_, catalog_, findings_)) {
      document_.renamed[r.from] = r.to;
      out_.renamed.push_back(std::move(r));
    }
  }

  // ---- defaults, for interpolation

  /// The plugin text of a component table, as written.
  const ComponentInfo* component_at(const std::string& kind, const Table& table) const {
    const Value* plugin = table.find("plugin");
    if (plugin == nullptr || !plugin->is_string()) return nullptr;
    return catalog_.find(kind, plugin->as_string());
  }

  std::optional<Value> default_of(const std::string& text) const {
    const Path path = parse_path(text);
    const std::string& root = path.front().key;
    std::size_t at = 1;
    const SchemaInfo* schema = host_schema(root);
    if (schema == nullptr && contains(kinds_, root)) {
      const Value* table = document_.tree.find(root);
      if (table == nullptr || !table->is_table()) return std::nullopt;
      const ComponentInfo* info = component_at(root, table->as_table());
      if (info == nullptr && path.size() > 1) {
        const Value* named = table->as_table().find(path[at++].key);
        if (named == nullptr || !named->is_table()) return std::nullopt;
        info = component_at(root, named->as_table());
      }
      if (info != nullptr) schema = &info->schema;
    }
    if (schema == nullptr || at >= path.size()) return std::nullopt;
    const FieldInfo* field = schema->find(path[at].key);
    for (++at; field != nullptr && at < path.size(); ++at) {
      const auto& inner = field->fields;
      const auto it = std::find_if(inner.begin(), inner.end(), [&](const FieldInfo& f) {
        return !path[at].index && f.name == path[at].key;
      });
      field = it == inner.end() ? nullptr : &*it;
    }
    if (field == nullptr || field->type == FieldType::group || field->default_value.is_null()) {
      return std::nullopt;
    }
    return field->default_value;
  }

  /// Where keys belong that are typed into the wrong table: those of the host's tables and of the
  /// components at hand.
  Elsewhere elsewhere() const {
    Elsewhere out;
    const auto add_fields = [&](const SchemaInfo& schema, const std::string& path) {
      for (const FieldInfo& f : schema.fields) {
        if (f.deprecated) continue;
        out.try_emplace(f.name, child_path(path, f.name));
        for (const std::string& word : f.synonyms) out.try_emplace(word, child_path(path, f.name));
      }
    };
    for (const char* table : {"experiment", "train", "run"}) add_fields(*host_schema(table), table);
    for (const auto& [kind, value] : document_.tree) {
      if (!contains(kinds_, kind) || !value.is_table()) continue;
      if (const auto* info = component_at(kind, value.as_table())) add_fields(info->schema, kind);
      for (const auto& [name, inner] : value.as_table()) {
        const auto* info = inner.is_table() ? component_at(kind, inner.as_table()) : nullptr;
        if (info != nullptr) add_fields(info->schema, child_path(kind, name));
      }
    }
    return out;
  }

  // ---- places

  Place key_at(const std::string& path) const {
    const Origin* origin = nearest_origin(document_.origins, path);
    return origin != nullptr ? key_place(*origin) : Place{};
  }
  Place value_at(const std::string& path) const {
    const Origin* origin = nearest_origin(document_.origins, path);
    return origin != nullptr ? value_place(*origin) : Place{};
  }
  void add(Certainty certainty, const char* id, std::string message, Place place,
           std::string caret = {}, std::string help = {}, std::vector<std::string> facts = {}) {
    Diagnostic d;
    d.id = id;
    d.message = std::move(message);
    if (!place.file.empty()) d.place = std::move(place);
    d.caret = std::move(caret);
    d.help = std::move(help);
    d.facts = std::move(facts);
    findings_.add(certainty, std::move(d));
  }

  // ---- tables

  void check_roots() {
    for (const auto& [key, value] : document_.tree) {
      const bool known = contains(kinds_, key) || contains(host_table_names(), key);
      if (!known) {
        unknown_table(key, value);
      } else if (!value.is_table()) {
        bad_tables_ = true;
        add(Certainty::value, "E105",
            "`" + key + "` must be a table, got " + std::string(type_name(value.type())),
            value_at(key), {},
            value.is_array() && contains(kinds_, key) ? "name each:  [" + key + ".NAME]"
                                                      : "write  [" + key + "]");
      }
    }
  }

  void unknown_table(const std::string& key, const Value& value) {
    std::vector<std::string> names = kinds_;
    names.insert(names.end(), host_table_names().begin(), host_table_names().end());
    std::string caret;
    if (const auto guess = did_you_mean(key, names)) caret = "did you mean `" + *guess + "`?";
    const Elsewhere keys = elsewhere();
    if (const auto it = keys.find(key); it != keys.end() && !value.is_table()) {
      caret = "did you mean `" + it->second + "`?";
    }
    for (const std::string& kind : kinds_) {
      if (catalog_.find(kind, key) == nullptr) continue;
      caret = "`" + key + "` is a " + kind + " plugin: write [" + kind + "] with plugin = \"" +
              key + "\"";
    }
    add(Certainty::value, "E102",
        value.is_table() ? "unknown table [" + quoted_key(key) + "]"
                         : "`" + quoted_key(key) + "` stands outside of any table",
        key_at(child_path("", key)), caret, "tables are " + join(names, ", "));
  }

  Table host_table(const std::string& name) {
    const Value* given = document_.tree.find(name);
    const bool usable = given != nullptr && given->is_table();
    const TableWords words = {"[" + name + "]", "E103", "unknown key", "in",
                              "keys are " + join(field_names(*host_schema(name)), ", ")};
    return validator_->check(*host_schema(name), usable ? given->as_table() : Table(), name, words);
  }

  static std::vector<std::string> field_names(const SchemaInfo& schema) {
    std::vector<std::string> out;
    for (const FieldInfo& f : schema.fields) out.push_back(f.name);
    return out;
  }

  void read_host_tables() {
    host_["experiment"] = host_table("experiment");
    host_["train"] = host_table("train");
    host_["run"] = host_table("run");
    check_texts();
  }

  /// Texts of the host tables that have a form of their own.
  void check_texts() {
    const auto text = [&](const char* table, const char* key) -> std::string {
      const Value* v = host_[table].as_table().find(key);
      return v != nullptr && v->is_string() ? v->as_string() : std::string();
    };
    const auto usable = [&](const char* table, const char* key) {
      const Value* v = host_[table].as_table().find(key);
      return v != nullptr && v->is_string() && !failed_.contains(child_path(table, key));
    };
    if (usable("train", "max_time") && !parse_duration(text("train", "max_time"))) {
      add(Certainty::value, "E107",
          "`train.max_time` must be a duration, got \"" + text("train", "max_time") + "\"",
          value_at("train.max_time"), {},
          "write  \"2h30m\", \"45m\", \"90s\" or \"0\" for no limit");
    }
    const std::string device = text("run", "device");
    if (auto several =
            several_values("run.device", origin_of(document_.origins, "run.device"), out_.file)) {
      findings_.add(Certainty::value, std::move(*several));
    } else if (usable("run", "device") && !is_device(device)) {
      const auto guess = did_you_mean(
          device, std::vector<Candidate>{{"auto", {}}, {"cpu", {}}, {"cuda", {"gpu", "nvidia"}}});
      add(Certainty::value, "E108",
          "`run.device` must be one of auto, cpu, cuda, cuda:N, got \"" + device + "\"",
          value_at("run.device"), guess ? "did you mean \"" + *guess + "\"?" : "");
    }
    if (usable("experiment", "name")) check_name(text("experiment", "name"));
    if (usable("run", "dir") && text("run", "dir").empty()) {
      add(Certainty::value, "E107", "`run.dir` must name a folder, got an empty text",
          value_at("run.dir"), {}, "write  dir = \"runs\"");
    }
  }

  /// The name, or the file's without one, names the run's folder.
  void check_name(const std::string& given) {
    const std::string name = given.empty() ? file_stem() : given;
    if (is_folder_name(name)) return;
    add(Certainty::value, "E107",
        (given.empty() ? "`experiment.name` is that of the file without one, and names a folder"
                       : "`experiment.name` names a folder") +
            std::string(": it cannot be `.` or `..`, hold `/` or control characters, or have more "
                        "than 128 bytes"),
        given.empty() ? Place{} : value_at("experiment.name"), {},
        given.empty() ? "write  [experiment]  name = \"...\"" : "shorten it or use `_`");
  }

  std::string file_stem() const { return std::filesystem::path(out_.file).stem().string(); }

  void read_components() {
    for (const auto& [kind, value] : document_.tree) {
      if (!contains(kinds_, kind) || !value.is_table()) continue;
      const Table& table = value.as_table();
      if (refuse_lists(kind, table)) continue;
      const bool named = !table.contains("plugin") && !table.empty() &&
                         std::all_of(table.begin(), table.end(),
                                     [](const auto& entry) { return entry.second.is_table(); });
      if (!named) {
        component(kind, "", kind, table);
        continue;
      }
      for (const auto& [name, inner] : table) {
        if (!name.empty()) {
          component(kind, name, child_path(kind, name), inner.as_table());
          continue;
        }
        add(Certainty::value, "E105", "a component of [" + kind + "] has an empty name",
            key_at(child_path(kind, name)), {}, "give it a name:  [" + kind + ".NAME]");
      }
    }
    if (out_.components.empty() && !findings_.any()) {
      add(Certainty::structure, "E106",
          "the experiment wires no component: it has no table of a kind", Place{}, {},
          "add  [model]  and others, or extend a base that has them");
    }
  }

  /// [[loss.stop]], with which a table becomes a list of one.
  bool refuse_lists(const std::string& kind, const Table& table) {
    bool any = false;
    for (const auto& [name, inner] : table) {
      if (!inner.is_array() || inner.as_array().empty()) continue;
      const Value& first = inner.as_array().front();
      if (!first.is_table() || !first.as_table().contains("plugin")) continue;
      const std::string path = child_path(kind, name);
      add(Certainty::value, "E105", "[[" + path + "]] is a list of tables, and a component is one",
          key_at(path), {}, "write  [" + path + "]");
      any = true;
    }
    if (any) plugins_known_ = false;
    return any;
  }

  void component(const std::string& kind, const std::string& name, const std::string& path,
                 const Table& given) {
    const Value* plugin = given.find("plugin");
    const std::string plugin_path = child_path(path, "plugin");
    if (plugin == nullptr) {
      const auto names = catalog_.names(kind);
      add(Certainty::value, "E106", "[" + path + "] has no `plugin`", key_at(path), {},
          names.empty() ? "no " + kind + " plugin is installed: see  retake plugins list"
                        : "add  plugin = \"...\", one of " + join(names, ", "));
      plugins_known_ = false;
      return;
    }
    if (!plugin->is_string() || failed_.contains(plugin_path)) {
      Value copy = *plugin;
      validator_->check_field(component_host_keys(kind).front(), copy, plugin_path, {});
      plugins_known_ = false;
      return;
    }
    const Table own = given.size() > 1 ? without_named(kind, path, given) : given;
    const ComponentInfo* info = catalog_.find(kind, plugin->as_string());
    if (info == nullptr) {
      plugins_known_ = false;
      const auto& needed = options_.needed_kinds;
      if (!needed.empty() && !contains(needed, kind)) return;
      missing_plugin(kind, plugin->as_string(), plugin_path);
      return;
    }
    ResolvedComponent c;
    c.kind = kind;
    c.name = name;
    c.table = path;
    c.plugin = plugin->as_string();
    c.info = info;
    read_host_keys(kind, path, own, c);
    const TableWords words = {
        kind + " plugin `" + c.plugin + "`", "E104", "unknown parameter", "for",
        "see all parameters with  retake plugins params " + kind + "/" + c.plugin};
    c.params = validator_->check(info->schema, own, path, words, component_host_keys(kind));
    out_.components.push_back(std::move(c));
  }

  /// A table with `plugin` is the only one of its kind: the table less named ones, which are E105.
  Table without_named(const std::string& kind, const std::string& path, const Table& given) {
    Table own;
    for (const auto& [key, value] : given) {
      if (path != kind || !value.is_table() || !value.as_table().contains("plugin")) {
        own[key] = value;
        continue;
      }
      add(Certainty::value, "E105",
          "[" + kind + "] has a plugin of its own, so [" + child_path(kind, key) +
              "] cannot stand beside it",
          key_at(child_path(path, key)), {}, "give the first a name too:  [" + kind + ".NAME]");
    }
    return own;
  }

  void read_host_keys(const std::string& kind, const std::string& path, const Table& given,
                      ResolvedComponent& c) {
    for (const FieldInfo& field : component_host_keys(kind)) {
      const Value* value = given.find(field.name);
      if (value == nullptr || field.name == "plugin") continue;
      Value checked = *value;
      if (!validator_->check_field(field, checked, child_path(path, field.name), {})) continue;
      if (field.name == "weight") c.weight = checked.as_double();
      if (field.name == "enabled") c.enabled = checked.as_bool();
      if (field.name == "version") check_version(checked.as_string(), path, *c.info);
    }
  }

  void check_version(const std::string& wanted, const std::string& path,
                     const ComponentInfo& info) {
    const std::string at = child_path(path, "version");
    versions_[path] = wanted;
    if (auto fault = version_fault(info, wanted, at)) {
      fault->place = value_at(at);
      findings_.add(Certainty::value, std::move(*fault));
    }
  }

  void missing_plugin(const std::string& kind, const std::string& plugin, const std::string& path) {
    if (auto several = several_values(path, origin_of(document_.origins, path), out_.file)) {
      findings_.add(Certainty::value, std::move(*several));
      return;
    }
    Diagnostic d = unknown_plugin(catalog_, kind, plugin);
    d.place = value_at(path);
    findings_.add(Certainty::value, std::move(d));
  }

  // ---- wiring

  void check_wiring() {
    // With a plugin missing nobody knows what it would have declared.
    if (!plugins_known_ || failed_.contains("train.metric")) return;
    const Value* metric = host_["train"].as_table().find("metric");
    const Origin* written = origin_of(document_.origins, "train.metric");
    const bool trains = std::any_of(out_.components.begin(), out_.components.end(),
                                    [](const ResolvedComponent& c) { return c.kind == "trainer"; });
    if (trains && metric != nullptr && metric->is_string()) {
      check_metric(metric->as_string(), written, out_.components, findings_);
    }
    using Training = LoadOptions::Training;
    if (options_.training == Training::required ||
        (options_.training == Training::with_trainer && trains)) {
      for (Diagnostic& d : training_faults(out_.components)) {
        if (!bad_tables_) findings_.add(Certainty::wiring, std::move(d));
      }
    }
    for (const WatchRule& rule : out_.watch) {
      check_watched(rule.metric,
                    nearest_origin(document_.origins, child_path("watch", rule.metric)),
                    out_.components, findings_);
    }
  }

  void read_watch() {
    const Value* watch = document_.tree.find("watch");
    if (watch == nullptr || !watch->is_table()) return;
    Table complete;
    for (const auto& [metric, value] : watch->as_table()) {
      const std::string path = child_path("watch", metric);
      if (!value.is_table()) {
        add(Certainty::value, "E105", "`" + path + "` must be a table of limits", value_at(path),
            {}, "write  " + quoted_key(metric) + " = { max = 100, message = \"...\" }");
        continue;
      }
      const TableWords words = {"[" + path + "]", "E103", "unknown key", "in",
                                "keys are min, max, message"};
      const Table checked = validator_->check(watch_schema(), value.as_table(), path, words);
      WatchRule rule{metric, {}, {}, {}};
      Table entry;
      for (const auto& [key, limit_value] : checked) {
        if (limit_value.is_null()) continue;
        entry[key] = limit_value;
        if (key == "min" && limit_value.is_float()) rule.min = limit_value.as_double();
        if (key == "max" && limit_value.is_float()) rule.max = limit_value.as_double();
        if (key == "message" && limit_value.is_string()) rule.message = limit_value.as_string();
      }
      if (rule.min && rule.max && *rule.min > *rule.max) {
        add(Certainty::value, "E107", "`" + path + "` has a min above its max", key_at(path), {},
            "no value would be right: correct one of them");
      }
      complete[metric] = std::move(entry);
      out_.watch.push_back(std::move(rule));
    }
    host_["watch"] = std::move(complete);
  }

  // ---- result

  void assemble(std::map<std::string, std::string> run_texts) {
    Table& experiment = host_["experiment"].as_table();
    if (experiment.at("name").as_string().empty()) {
      experiment["name"] = file_stem();
    }
    out_.experiment = Schema<ExperimentTable>::make().read(experiment);
    out_.train = Schema<TrainTable>::make().read(host_["train"].as_table());
    out_.run = Schema<RunTable>::make().read(host_["run"].as_table());
    Table tree;
    tree["experiment"] = host_["experiment"];
    for (const ResolvedComponent& c : out_.components) {
      Table table;
      table["plugin"] = c.plugin;
      if (const auto it = versions_.find(c.table); it != versions_.end()) {
        table["version"] = it->second;
      }
      if (is_weighted_kind(c.kind)) {
        table["weight"] = c.weight;
        table["enabled"] = c.enabled;
      }
      for (const auto& [key, value] : c.params) table[key] = value;
      if (c.name.empty()) {
        tree[c.kind] = std::move(table);
      } else {
        Value& kind = tree[c.kind];
        if (!kind.is_table()) kind = Table();
        kind.as_table()[c.name] = std::move(table);
      }
    }
    tree["train"] = host_["train"];
    if (host_.contains("watch")) tree["watch"] = host_["watch"];
    tree["run"] = host_["run"];
    out_.tree = std::move(tree);
    out_.run_texts = std::move(run_texts);
    out_.origins = std::move(document_.origins);
    out_.dropped = std::move(document_.dropped);
    out_.notes = findings_.take_notes();
  }

  Document document_;
  const Catalog& catalog_;
  const LoadOptions& options_;
  Findings& findings_;
  std::vector<std::string> kinds_;
  std::set<std::string> failed_;
  Validator* validator_ = nullptr;
  Table host_;
  std::map<std::string, std::string> versions_;
  bool plugins_known_ = true;
  bool bad_tables_ = false;  ///< what a kind's table would have held is not known
  ResolvedExperiment out_;
};

}  // namespace

ResolvedExperiment resolve_experiment(const std::filesystem::path& file, const Catalog& catalog,
                                      const LoadOptions& options) {
  Findings findings;
  Layers layers = load_layers(file, options, findings);
  return Resolver(std::move(layers), catalog, options, findings).run(file.string());
}

ResolvedExperiment resolve_experiment_text(const std::string& toml, const std::string& name,
                                           const Catalog& catalog, const LoadOptions& options) {
  Findings findings;
  Layers layers = load_text(toml, name, options, findings);
  return Resolver(std::move(layers), catalog, options, findings).run(name);
}

MergedExperiment merge_experiment(const std::filesystem::path& file, const LoadOptions& options) {
  Findings findings;
  Layers layers = load_layers(file, options, findings);
  for (const auto& [path, items] : layers.document.append_to_default) {
    if (Value* shown = find_value(layers.document.tree, parse_path(path))) *shown = items;
    Diagnostic d;
    d.severity = Severity::note;
    d.message = "`" + path + "` is shown without its default, to which these values are appended";
    findings.note(std::move(d));
  }
  findings.raise(file.string());
  return {file.string(), std::move(layers.document.tree), std::move(layers.document.origins),
          findings.take_notes()};
}

ResolvedComponent resolve_component(const std::string& kind, const std::string& plugin,
                                    const std::vector<OverrideText>& params,
                                    const Catalog& catalog) {
  Findings findings;
  Layers layers;
  Table table;
  table["plugin"] = plugin;
  layers.document.tree[kind] = std::move(table);
  std::vector<OverrideText> inside = params;
  for (OverrideText& text : inside) text.prefix = kind;
  apply_overrides(layers.document, inside, findings);
  return Resolver(std::move(layers), catalog, {}, findings).run_single();
}

const ResolvedComponent* ResolvedExperiment::find(std::string_view kind,
                                                  std::string_view name) const {
  for (const ResolvedComponent& c : components) {
    if (c.enabled && c.kind == kind && (name.empty() || c.name == name)) return &c;
  }
  return nullptr;
}

std::vector<const ResolvedComponent*> ResolvedExperiment::all(std::string_view kind) const {
  std::vector<const ResolvedComponent*> out;
  for (const ResolvedComponent& c : components) {
    if (c.enabled && c.kind == kind) out.push_back(&c);
  }
  return out;
}

}  // namespace retake::config

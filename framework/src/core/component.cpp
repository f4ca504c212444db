#include "retake/component.hpp"

#include "core/hash.hpp"

namespace retake {

Component::~Component() = default;

const FieldInfo* SchemaInfo::find(std::string_view name) const {
  for (const FieldInfo& field : fields) {
    if (field.name == name) return &field;
  }
  return nullptr;
}

namespace {

constexpr const char* kFieldTypes[] = {"bool", "int", "float", "string", "group"};
constexpr const char* kRules[] = {"odd", "multiple_of", "less_than", "at_most", "requires"};

template <std::size_t N>
std::size_t index_of(const char* const (&names)[N], const std::string& name) {
  for (std::size_t i = 0; i < N; ++i) {
    if (name == names[i]) return i;
  }
  throw std::out_of_range("unknown word `" + name + "`");
}

Array strings(const std::vector<std::string>& items) {
  Array out;
  for (const std::string& item : items) out.emplace_back(item);
  return out;
}

std::vector<std::string> strings(const Value& value) {
  std::vector<std::string> out;
  for (const Value& item : value.as_array()) out.push_back(item.as_string());
  return out;
}

// Only what differs from the neutral value is written: the table is read at every start.
void put(Table& t, const char* key, const std::string& v) {
  if (!v.empty()) t[key] = v;
}
void put(Table& t, const char* key, bool v, bool neutral) {
  if (v != neutral) t[key] = v;
}
void put(Table& t, const char* key, const std::optional<double>& v) {
  if (v) t[key] = *v;
}

std::string text(const Table& t, const char* key) {
  const Value* v = t.find(key);
  return v != nullptr ? v->as_string() : std::string();
}
bool flag(const Table& t, const char* key, bool neutral) {
  const Value* v = t.find(key);
  return v != nullptr ? v->as_bool() : neutral;
}
std::optional<double> number(const Table& t, const char* key) {
  const Value* v = t.find(key);
  return v != nullptr ? std::optional(v->as_double()) : std::nullopt;
}

Array rules_to_value(const std::vector<RuleInfo>& rules) {
  Array out;
  for (const RuleInfo& rule : rules) {
    Table t;
    t["rule"] = kRules[static_cast<std::size_t>(rule.kind)];
    t["field"] = rule.field;
    put(t, "other", rule.other);
    if (!rule.value.is_null()) t["value"] = rule.value;
    out.emplace_back(std::move(t));
  }
  return out;
}

std::vector<RuleInfo> rules_from(const Value& value) {
  std::vector<RuleInfo> out;
  for (const Value& item : value.as_array()) {
    const Table& t = item.as_table();
    RuleInfo rule;
    rule.kind = static_cast<RuleInfo::Kind>(index_of(kRules, t.at("rule").as_string()));
    rule.field = t.at("field").as_string();
    rule.other = text(t, "other");
    if (const Value* v = t.find("value")) rule.value = *v;
    out.push_back(std::move(rule));
  }
  return out;
}

Array fields_to_value(const std::vector<FieldInfo>& fields) {
  Array out;
  for (const FieldInfo& f : fields) {
    Table t;
    t["name"] = f.name;
    t["doc"] = f.doc;
    t["type"] = kFieldTypes[static_cast<std::size_t>(f.type)];
    put(t, "list", f.is_list, false);
    put(t, "unit", f.unit);
    if (!f.default_value.is_null()) t["default"] = f.default_value;
    put(t, "min", f.min);
    put(t, "max", f.max);
    put(t, "min_open", f.min_open, false);
    put(t, "max_open", f.max_open, false);
    if (!f.choices.empty()) t["choices"] = f.choices;
    put(t, "log_scale", f.log_scale, false);
    put(t, "required", f.required, false);
    put(t, "affects_results", f.affects_results, true);
    put(t, "path", f.is_path, false);
    put(t, "deprecated", f.deprecated, false);
    put(t, "renamed_to", f.renamed_to);
    if (!f.synonyms.empty()) t["synonyms"] = strings(f.synonyms);
    if (!f.fields.empty()) t["fields"] = fields_to_value(f.fields);
    if (!f.rules.empty()) t["rules"] = rules_to_value(f.rules);
    out.emplace_back(std::move(t));
  }
  return out;
}

std::vector<FieldInfo> fields_from(const Value& value) {
  std::vector<FieldInfo> out;
  for (const Value& item : value.as_array()) {
    const Table& t = item.as_table();
    FieldInfo f;
    f.name = t.at("name").as_string();
    f.doc = text(t, "doc");
    f.type = static_cast<FieldType>(index_of(kFieldTypes, t.at("type").as_string()));
    f.is_list = flag(t, "list", false);
    f.unit = text(t, "unit");
    if (const Value* v = t.find("default")) f.default_value = *v;
    f.min = number(t, "min");
    f.max = number(t, "max");
    f.min_open = flag(t, "min_open", false);
    f.max_open = flag(t, "max_open", false);
    if (const Value* v = t.find("choices")) f.choices = v->as_array();
    f.log_scale = flag(t, "log_scale", false);
    f.required = flag(t, "required", false);
    f.affects_results = flag(t, "affects_results", true);
    f.is_path = flag(t, "path", false);
    f.deprecated = flag(t, "deprecated", false);
    f.renamed_to = text(t, "renamed_to");
    if (const Value* v = t.find("synonyms")) f.synonyms = strings(*v);
    if (const Value* v = t.find("fields")) f.fields = fields_from(*v);
    if (const Value* v = t.find("rules")) f.rules = rules_from(*v);
    out.push_back(std::move(f));
  }
  return out;
}

SchemaInfo schema_of(const Value& value) {
  const Table& t = value.as_table();
  SchemaInfo schema;
  schema.version = static_cast<int>(t.at("version").as_int());
  schema.fields = fields_from(t.at("fields"));
  if (const Value* v = t.find("rules")) schema.rules = rules_from(*v);
  if (const Value* v = t.find("migrations")) {
    for (const Value& item : v->as_array()) {
      const Table& m = item.as_table();
      schema.migrations.push_back({static_cast<int>(m.at("from_version").as_int()),
                                   m.at("old").as_string(), m.at("new").as_string()});
    }
  }
  return schema;
}

Array ports_to_value(const std::vector<PortInfo>& ports) {
  Array out;
  for (const PortInfo& p : ports) {
    Table t;
    t["name"] = p.name;
    t["dtype"] = p.dtype;
    t["shape"] = p.shape;
    put(t, "doc", p.doc);
    put(t, "optional", p.optional, false);
    put(t, "list", p.is_list, false);
    out.emplace_back(std::move(t));
  }
  return out;
}

std::vector<PortInfo> ports_from(const Table& t, const char* key) {
  std::vector<PortInfo> out;
  const Value* list = t.find(key);
  if (list == nullptr) return out;
  for (const Value& item : list->as_array()) {
    const Table& p = item.as_table();
    out.push_back({p.at("name").as_string(), p.at("dtype").as_string(), p.at("shape").as_string(),
                   text(p, "doc"), flag(p, "optional", false), flag(p, "list", false)});
  }
  return out;
}

Value traits_to_value(const Traits& traits) {
  Table t;
  put(t, "deterministic", traits.deterministic, true);
  put(t, "needs_gpu", traits.needs_gpu, false);
  if (!traits.needs.empty()) t["needs"] = strings(traits.needs);
  if (!traits.inputs.empty()) t["inputs"] = ports_to_value(traits.inputs);
  if (!traits.outputs.empty()) t["outputs"] = ports_to_value(traits.outputs);
  Array metrics;
  for (const MetricInfo& m : traits.metrics) {
    Table entry;
    entry["name"] = m.name;
    put(entry, "doc", m.doc);
    put(entry, "goal", m.goal);
    put(entry, "target", m.target);
    put(entry, "problem", m.problem);
    put(entry, "min", m.min);
    put(entry, "max", m.max);
    put(entry, "trend", m.trend);
    metrics.emplace_back(std::move(entry));
  }
  if (!metrics.empty()) t["metrics"] = std::move(metrics);
  return t;
}

Traits traits_from(const Value& value) {
  const Table& t = value.as_table();
  Traits traits;
  traits.deterministic = flag(t, "deterministic", true);
  traits.needs_gpu = flag(t, "needs_gpu", false);
  if (const Value* v = t.find("needs")) traits.needs = strings(*v);
  traits.inputs = ports_from(t, "inputs");
  traits.outputs = ports_from(t, "outputs");
  if (const Value* list = t.find("metrics")) {
    for (const Value& item : list->as_array()) {
      const Table& m = item.as_table();
      traits.metrics.push_back({m.at("name").as_string(), text(m, "doc"), text(m, "goal"),
                                text(m, "target"), text(m, "problem"), number(m, "min"),
                                number(m, "max"), text(m, "trend")});
    }
  }
  return traits;
}

template <class F>
auto parse(const std::string& origin, const char* what, F&& body) {
  try {
    return body();
  } catch (const std::exception& e) {
    // A wrong type (bad_variant_access) or a missing key: the text is not what our dumper writes.
    throw DataError(file_diagnostic("E404", origin, std::string("is no ") + what + ": " + e.what(),
                                    "rebuild the plugin that it belongs to"));
  }
}

}  // namespace

Value to_value(const SchemaInfo& schema) {
  Table t;
  t["version"] = schema.version;
  t["fields"] = fields_to_value(schema.fields);
  if (!schema.rules.empty()) t["rules"] = rules_to_value(schema.rules);
  if (!schema.migrations.empty()) {
    Array migrations;
    for (const MigrationInfo& m : schema.migrations) {
      Table entry;
      entry["from_version"] = m.from_version;
      entry["old"] = m.old_name;
      entry["new"] = m.new_name;
      migrations.emplace_back(std::move(entry));
    }
    t["migrations"] = std::move(migrations);
  }
  return t;
}

SchemaInfo schema_from_value(const Value& value, const std::string& origin) {
  return parse(origin, "parameter schema", [&] { return schema_of(value); });
}

Value to_value(const ComponentInfo& info) {
  Table t;
  t["kind"] = info.kind;
  t["name"] = info.name;
  t["doc"] = info.doc;
  t["plugin"] = info.plugin;
  t["version"] = info.version;
  t["schema"] = to_value(info.schema);
  t["traits"] = traits_to_value(info.traits);
  return t;
}

ComponentInfo component_from_value(const Value& value, const std::string& origin) {
  return parse(origin, "component table", [&] {
    const Table& t = value.as_table();
    ComponentInfo info;
    info.kind = t.at("kind").as_string();
    info.name = t.at("name").as_string();
    info.doc = t.at("doc").as_string();
    info.plugin = t.at("plugin").as_string();
    info.version = t.at("version").as_string();
    info.schema = schema_of(t.at("schema"));
    info.traits = traits_from(t.at("traits"));
    return info;
  });
}

}  // namespace retake

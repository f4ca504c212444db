#include "config/json_schema.hpp"

#include "config/host_tables.hpp"
#include "config/validate.hpp"

namespace retake::config {
namespace {

// Objects are short to write: pairs of key and value in order.
Value object(std::initializer_list<std::pair<const char*, Value>> entries) {
  Table t;
  for (const auto& [key, value] : entries) t[key] = value;
  return t;
}

Value reference(const std::string& definition) {
  return object({{"$ref", "#/definitions/" + definition}});
}

/// A table of which these keys exist and no others.
Value closed_table(Table properties) {
  return object(
      {{"type", "object"}, {"properties", std::move(properties)}, {"additionalProperties", false}});
}

Value list_of(Value item) {
  return object({{"type", "array"}, {"items", std::move(item)}});
}

Table properties_of(const std::vector<FieldInfo>& fields);

const char* type_word(FieldType type) {
  switch (type) {
    case FieldType::boolean:
      return "boolean";
    case FieldType::integer:
      return "integer";
    case FieldType::floating:
      return "number";
    default:
      return "string";
  }
}

/// One value of the field, less its documentation.
Value item_schema(const FieldInfo& f) {
  if (f.type == FieldType::group) return closed_table(properties_of(f.fields));
  Table t;
  t["type"] = type_word(f.type);
  if (!f.choices.empty()) t["enum"] = Array(f.choices);
  if (f.min) t[f.min_open ? "exclusiveMinimum" : "minimum"] = *f.min;
  if (f.max) t[f.max_open ? "exclusiveMaximum" : "maximum"] = *f.max;
  if (f.type == FieldType::string && f.choices.empty()) return t;
  // "${path.to.key}" takes a value of any type from elsewhere.
  return object({{"anyOf", Array{std::move(t), reference("interpolation")}}});
}

Value field_schema(const FieldInfo& f) {
  Value value = item_schema(f);
  if (f.is_list) value = list_of(std::move(value));
  if (f.is_list && f.type != FieldType::group) {
    value = object({{"anyOf", Array{std::move(value), reference("interpolation")}}});
  }
  Table& t = value.as_table();
  std::string text = f.doc;
  const std::string more = summary(f);
  text += (text.empty() ? "" : "\n\n") + more;
  if (f.deprecated) {
    t["deprecated"] = true;
    text += f.renamed_to.empty() ? "\n\ndeprecated" : "\n\ndeprecated: now `" + f.renamed_to + "`";
  }
  t["description"] = std::move(text);
  if (!f.default_value.is_null()) t["default"] = f.default_value;
  return value;
}

Table properties_of(const std::vector<FieldInfo>& fields) {
  Table out;
  for (const FieldInfo& f : fields) out[f.name] = field_schema(f);
  return out;
}

/// A component table with this plugin; in fragments `plugin` may be a base's.
Value plugin_table(const ComponentInfo& info) {
  Table properties = properties_of(component_host_keys(info.kind));
  properties["plugin"] =
      object({{"const", info.name},
              {"description", info.doc + "\n\n" + info.kind + " plugin, " + info.version}});
  for (const auto& [name, value] : properties_of(info.schema.fields)) properties[name] = value;
  for (const MigrationInfo& m : info.schema.migrations) {
    const FieldInfo* now = info.schema.find(m.new_name);
    if (now == nullptr || properties.contains(m.old_name)) continue;
    FieldInfo old = *now;
    old.deprecated = true;
    old.renamed_to = m.new_name;
    properties[m.old_name] = field_schema(old);
  }
  Value out = closed_table(std::move(properties));
  out.as_table()["title"] = info.name;
  return out;
}

/// [kind] with one plugin, or [kind.NAME] for each of several.
Value kind_table(const std::string& kind) {
  Value named = object({{"type", "object"}, {"additionalProperties", reference(kind)}});
  return object({{"anyOf", Array{reference(kind), std::move(named)}}});
}

Value host_table(const std::string& name) {
  return closed_table(properties_of(host_schema(name)->fields));
}

Value described(Value schema, const char* text) {
  schema.as_table()["description"] = text;
  return schema;
}

Value text_list() {
  return list_of(object({{"type", "string"}}));
}

Value merge_table() {
  Table t;
  t["append"] = described(text_list(), "paths of arrays that grow instead of being replaced");
  t["delete"] = described(text_list(), "paths that are dropped from the bases first");
  t["keep"] = described(text_list(), "paths that stay although the plugin of their table changed");
  return closed_table(std::move(t));
}

/// One entry of [sweep.params]: an array of choices, or how to draw.
Value range_schema() {
  const Value pair = object({{"type", "array"},
                             {"items", object({{"type", "number"}})},
                             {"minItems", 2},
                             {"maxItems", 2}});
  Table t;
  t["log"] = described(pair, "from, to; drawn logarithmically");
  t["uniform"] = described(pair, "from, to");
  t["int"] = described(pair, "from, to, whole numbers");
  t["step"] = object({{"type", "number"}, {"exclusiveMinimum", 0}});
  return object(
      {{"anyOf", Array{object({{"type", "array"}, {"minItems", 1}}), closed_table(std::move(t))}}});
}

Value component_or_open(const Catalog& catalog, const char* kind) {
  if (!catalog.names(kind).empty()) return reference(kind);
  return object({{"type", "object"}});
}

Value sweep_table(const Catalog& catalog) {
  const Value text = object({{"type", "string"}});
  const Value count = object({{"type", "integer"}, {"minimum", 0}});
  const Value open = object({{"type", "object"}});
  Table zip;
  zip["name"] = text;
  zip["keys"] = text_list();
  zip["rows"] = list_of(object({{"type", "array"}}));
  Table when;
  when["if"] = open;
  when["params"] = object({{"type", "object"}, {"additionalProperties", range_schema()}});
  Table t;
  t["name"] = described(text, "names the sweep's folder; a later start with it goes on");
  t["trials"] = described(count, "a total, earlier starts included");
  t["seed"] = count;
  t["metric"] = text;
  t["goal"] = object({{"type", "string"}, {"enum", Array{"max", "min"}}});
  t["replicates"] = described(count, "seeds per point");
  t["retries"] = described(count, "after a crash");
  t["max_failures"] = object({{"type", "number"}, {"minimum", 0}, {"maximum", 1}});
  t["on_failure"] = object({{"type", "string"}, {"enum", Array{"continue", "stop"}}});
  t["batch"] = described(count, "proposals in rounds of so many; 0: free-running");
  t["dir"] = text;
  t["sampler"] = component_or_open(catalog, "sampler");
  t["params"] = object({{"type", "object"}, {"additionalProperties", range_schema()}});
  t["zip"] = list_of(closed_table(std::move(zip)));
  t["when"] = list_of(closed_table(std::move(when)));
  t["exclude"] = list_of(open);
  t["pruner"] = component_or_open(catalog, "pruner");
  t["launcher"] = component_or_open(catalog, "launcher");
  return closed_table(std::move(t));
}

/// The definitions of one kind: its plugins, and the table that fits any of them.
void define_kind(const Catalog& catalog, const std::string& kind, Table& definitions) {
  Array alternatives;
  for (const std::string& name : catalog.names(kind)) {
    const ComponentInfo* info = catalog.find(kind, name);
    if (info == nullptr) continue;
    definitions[kind + "." + name] = plugin_table(*info);
    alternatives.push_back(reference(kind + "." + name));
  }
  // Without any plugin nothing is known of the table, and `retake check` will say so.
  definitions[kind] = alternatives.empty() ? object({{"type", "object"}})
                                           : object({{"anyOf", std::move(alternatives)}});
}

}  // namespace

Value experiment_schema(const Catalog& catalog) {
  Table definitions, properties;
  definitions["interpolation"] =
      object({{"type", "string"},
              {"pattern", "^\\$\\{"},
              {"description", "${path.to.key}: the value of another key"}});
  const Value text = object({{"type", "string"}});
  properties["extends"] = described(object({{"anyOf", Array{text, text_list()}}}),
                                    "bases, left to right; later ones win, this file last");
  properties["experiment"] = host_table("experiment");
  for (const std::string& kind : catalog.kinds()) {
    define_kind(catalog, kind, definitions);
    properties[kind] = kind_table(kind);
  }
  properties["train"] = host_table("train");
  properties["run"] = host_table("run");
  properties["watch"] =
      object({{"type", "object"},
              {"additionalProperties", closed_table(properties_of(watch_schema().fields))}});
  properties["merge"] = merge_table();
  properties["sweep"] = sweep_table(catalog);
  Table out;
  out["$schema"] = "http://json-schema.org/draft-07/schema#";
  out["title"] = "Retake experiment";
  out["type"] = "object";
  out["properties"] = std::move(properties);
  out["additionalProperties"] = false;
  out["definitions"] = std::move(definitions);
  return out;
}

}  // namespace retake::config

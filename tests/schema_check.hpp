#pragma once
// Just enough of JSON Schema for the schemas of this tree and `retake schema`; an unknown keyword
// is an error, so that no part of a schema goes unchecked.

#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

class SchemaCheck {
 public:
  using Json = nlohmann::json;
  /// Every violation, as "path: what".
  static std::vector<std::string> run(const Json& schema, const Json& value) {
    return run(schema, schema, value);
  }

 private:
  explicit SchemaCheck(const Json& root) : root_(root) {}

  static std::vector<std::string> run(const Json& root, const Json& schema, const Json& value) {
    SchemaCheck check(root);
    check.visit(schema, value, "$");
    return check.found_;
  }

  static bool is_type(const Json& v, const std::string& type) {
    if (type == "object") return v.is_object();
    if (type == "array") return v.is_array();
    if (type == "string") return v.is_string();
    if (type == "integer") return v.is_number_integer();
    if (type == "number") return v.is_number();
    if (type == "boolean") return v.is_boolean();
    if (type == "null") return v.is_null();
    throw std::logic_error("unknown type " + type);
  }

  void add(const std::string& path, const std::string& what) {
    found_.push_back(path + ": " + what);
  }

  void visit(const Json& schema, const Json& v, const std::string& path) {
    static const std::set<std::string> known = {"$schema",
                                                "$id",
                                                "title",
                                                "description",
                                                "type",
                                                "properties",
                                                "required",
                                                "patternProperties",
                                                "additionalProperties",
                                                "anyOf",
                                                "enum",
                                                "const",
                                                "pattern",
                                                "items",
                                                "minItems",
                                                "maxItems",
                                                "minimum",
                                                "maximum",
                                                "exclusiveMinimum",
                                                "exclusiveMaximum",
                                                "$ref",
                                                "definitions",
                                                "default",
                                                "deprecated"};
    for (const auto& [key, unused] : schema.items()) {
      if (!known.contains(key)) throw std::logic_error("unknown keyword " + key);
    }
    if (schema.contains("$ref")) {
      const std::string reference = schema["$ref"].get<std::string>().substr(1);  // after '#'
      visit(root_.at(Json::json_pointer(reference)), v, path);
    }
    if (schema.contains("type")) {
      bool any = false;
      const Json& type = schema["type"];
      for (const auto& t : type.is_array() ? type : Json::array({type})) {
        any = any || is_type(v, t.get<std::string>());
      }
      if (!any) return add(path, "is not of type " + type.dump());
    }
    if (schema.contains("const") && v != schema["const"]) add(path, "is not the constant");
    if (schema.contains("enum")) {
      bool any = false;
      for (const auto& e : schema["enum"]) any = any || e == v;
      if (!any) add(path, "is not one of " + schema["enum"].dump());
    }
    if (schema.contains("pattern") && v.is_string() &&
        !std::regex_search(v.get<std::string>(),
                           std::regex(schema["pattern"].get<std::string>()))) {
      add(path, "does not match " + schema["pattern"].dump());
    }
    if (schema.contains("anyOf")) {
      bool any = false;
      std::string tried;
      for (const auto& s : schema["anyOf"]) {
        const auto found = run(root_, s, v);
        any = any || found.empty();
        for (const auto& f : found) tried += f + "; ";
      }
      if (!any) add(path, "fits no alternative (" + tried + ")");
    }
    if (v.is_number()) visit_number(schema, v.get<double>(), path);
    if (v.is_array()) visit_array(schema, v, path);
    if (v.is_object()) visit_object(schema, v, path);
  }

  void visit_number(const Json& schema, double v, const std::string& path) {
    const bool below = schema.contains("minimum") && !(v >= schema["minimum"].get<double>());
    const bool above = schema.contains("maximum") && !(v <= schema["maximum"].get<double>());
    const bool at_min =
        schema.contains("exclusiveMinimum") && !(v > schema["exclusiveMinimum"].get<double>());
    const bool at_max =
        schema.contains("exclusiveMaximum") && !(v < schema["exclusiveMaximum"].get<double>());
    if (below || above || at_min || at_max) add(path, "is out of range");
  }

  void visit_array(const Json& schema, const Json& v, const std::string& path) {
    if (schema.contains("minItems") && v.size() < schema["minItems"]) add(path, "too few");
    if (schema.contains("maxItems") && v.size() > schema["maxItems"]) add(path, "too many");
    if (!schema.contains("items")) return;
    for (std::size_t i = 0; i < v.size(); ++i) {
      visit(schema["items"], v[i], path + "[" + std::to_string(i) + "]");
    }
  }

  void visit_object(const Json& schema, const Json& v, const std::string& path) {
    for (const auto& name : schema.value("required", Json::array())) {
      if (!v.contains(name.get<std::string>())) add(path, "lacks " + name.dump());
    }
    const Json patterns = schema.value("patternProperties", Json::object());
    for (const auto& [key, item] : v.items()) {
      const std::string at = path + "." + key;
      bool matched = false;
      if (schema.contains("properties") && schema["properties"].contains(key)) {
        visit(schema["properties"][key], item, at);
        matched = true;
      }
      for (const auto& [pattern, s] : patterns.items()) {
        if (!std::regex_search(key, std::regex(pattern))) continue;
        visit(s, item, at);
        matched = true;
      }
      if (matched || !schema.contains("additionalProperties")) continue;
      const Json& extra = schema["additionalProperties"];
      if (extra.is_boolean()) {
        if (!extra.get<bool>()) add(at, "is not allowed");
      } else {
        visit(extra, item, at);
      }
    }
  }

  const Json& root_;
  std::vector<std::string> found_;
};

// docs/edl.schema.json accepts what the reader accepts, and refuses what a schema can refuse.

#include <algorithm>

#include "catch.hpp"
#include "core/files.hpp"
#include "edl_support.hpp"
#include "retake/error.hpp"

using namespace retake;
using namespace retake::testing;

namespace {

/// As much of JSON Schema as the EDL's uses.
class JsonSchema {
 public:
  explicit JsonSchema(Value root) : root_(std::move(root)) {}
  bool accepts(const Value& value) const { return accepts(root_, value); }

 private:
  bool accepts(const Value& schema, const Value& v) const {
    for (const auto& [key, rule] : schema.as_table()) {
      if (!keeps(schema, key, rule, v)) return false;
    }
    return true;
  }

  bool keeps(const Value& schema, const std::string& key, const Value& rule, const Value& v) const {
    if (key == "$ref") {
      const std::string name = rule.as_string().substr(std::string("#/$defs/").size());
      return accepts(root_.as_table().at("$defs").as_table().at(name), v);
    }
    if (key == "const") return v == rule;
    if (key == "enum") {
      return std::find(rule.as_array().begin(), rule.as_array().end(), v) != rule.as_array().end();
    }
    if (key == "oneOf") {
      return std::count_if(rule.as_array().begin(), rule.as_array().end(),
                           [&](const Value& one) { return accepts(one, v); }) == 1;
    }
    if (key == "type") return is_type(rule.as_string(), v);
    if (key == "minimum") return !v.is_number() || v.as_double() >= rule.as_double();
    if (key == "maximum") return !v.is_number() || v.as_double() <= rule.as_double();
    if (key == "minLength") return !v.is_string() || !v.as_string().empty();
    if (key == "pattern") return !v.is_string() || v.as_string().size() == 64;
    if (v.is_array()) return keeps_array(schema, key, rule, v.as_array());
    if (v.is_table()) return keeps_object(schema, key, rule, v.as_table());
    return true;
  }

  bool keeps_array(const Value&, const std::string& key, const Value& rule, const Array& v) const {
    const auto size = static_cast<std::int64_t>(v.size());
    if (key == "minItems") return size >= rule.as_int();
    if (key == "maxItems") return size <= rule.as_int();
    if (key == "items") {
      return std::all_of(v.begin(), v.end(), [&](const Value& x) { return accepts(rule, x); });
    }
    if (key == "prefixItems") {
      for (std::size_t i = 0; i < std::min(v.size(), rule.as_array().size()); ++i) {
        if (!accepts(rule.as_array()[i], v[i])) return false;
      }
    }
    return true;
  }

  bool keeps_object(const Value& schema, const std::string& key, const Value& rule,
                    const Table& v) const {
    if (key == "required") {
      return std::all_of(rule.as_array().begin(), rule.as_array().end(),
                         [&](const Value& name) { return v.contains(name.as_string()); });
    }
    if (key == "properties") {
      return std::all_of(v.begin(), v.end(), [&](const auto& entry) {
        const Value* sub = rule.as_table().find(entry.first);
        return sub == nullptr || accepts(*sub, entry.second);
      });
    }
    if (key == "additionalProperties") {
      const Table& known = schema.as_table().at("properties").as_table();
      return std::all_of(v.begin(), v.end(),
                         [&](const auto& entry) { return known.contains(entry.first); });
    }
    return true;
  }

  static bool is_type(const std::string& type, const Value& v) {
    if (type == "object") return v.is_table();
    if (type == "array") return v.is_array();
    if (type == "string") return v.is_string();
    if (type == "boolean") return v.is_bool();
    if (type == "number") return v.is_number();
    return type == "integer" && v.is_int();
  }

  Value root_;
};

JsonSchema the_schema() {
  const std::string path = RETAKE_SOURCE_DIR "/docs/edl.schema.json";
  return JsonSchema(parse_json(read_file(path), path));
}

bool reads(const Value& value) {
  try {
    edl_from_value(value, "x");
    return true;
  } catch (const DataError&) {
    return false;
  }
}

}  // namespace

TEST_CASE("the JSON Schema accepts every EDL that is written") {
  const JsonSchema schema = the_schema();
  Rng rng(derive_seed(14, {"edl/schema"}));
  for (int i = 0; i < 2000; ++i) {
    const Value value = to_value(random_edl(rng, 48000));
    INFO(to_json(value));
    REQUIRE(schema.accepts(value));
  }
}

TEST_CASE("reader and JSON Schema refuse the same damage") {
  const JsonSchema schema = the_schema();
  const std::string head = R"({"schema":"retake.edl/1","sources":[{"path":"a"}],"segments":[)";
  for (const char* segment :
       {R"({"begin":0,"end":9})", R"({"gap":4,"join":{"samples":3}})",
        R"({"begin":0,"end":9,"gain_db":[[0,1.5],[9,-2]],"reverse":true,"op":"SKIP"})",
        R"({"begin":0,"end":9,"effects":[{"plugin":"reverb","size":3}],"confidence":0})"}) {
    const Value value = parse_json(head + segment + "]}", "x");
    INFO(segment);
    CHECK(schema.accepts(value));
    CHECK(reads(value));
  }
  for (const char* segment :
       {R"({"begin":0})", R"({"gap":0})", R"({"gap":4,"end":3})", R"({"begin":-1,"end":9})",
        R"({"begin":0,"end":9,"x":1})", R"({"begin":0,"end":9,"op":"STOP"})",
        R"({"begin":0,"end":9,"gain_db":[[0]]})", R"({"begin":0,"end":9,"gain_db":"NaN"})",
        R"({"begin":0,"end":9,"rate":0})", R"({"begin":0,"end":9,"confidence":2})",
        R"({"begin":0,"end":9,"fade_in":{"samples":-1}})", R"({"begin":0,"end":9,"effects":[{}]})",
        R"({"begin":0,"end":9,"join":{"curve":"cubic"}})", R"({"begin":"0","end":9})", "3"}) {
    const Value value = parse_json(head + segment + "]}", "x");
    INFO(segment);
    CHECK_FALSE(schema.accepts(value));
    CHECK_FALSE(reads(value));
  }
  for (const char* text :
       {R"({"schema":"retake.edl/2","sources":[{"path":"a"}],"segments":[]})",
        R"({"schema":"retake.edl/1","sources":[],"segments":[]})",
        R"({"schema":"retake.edl/1","sources":[{}],"segments":[]})",
        R"({"schema":"retake.edl/1","sources":[{"path":""}],"segments":[]})",
        R"({"schema":"retake.edl/1","sources":[{"path":"a","sha256_pcm":"12"}],"segments":[]})",
        R"({"schema":"retake.edl/1","sources":[{"path":"a","channels":0}],"segments":[]})",
        R"({"schema":"retake.edl/1","sources":[{"path":"a"}]})"}) {
    const Value value = parse_json(text, "x");
    INFO(text);
    CHECK_FALSE(schema.accepts(value));
    CHECK_FALSE(reads(value));
  }
}

// Stamps, ABIs and tables as values.

#include <algorithm>

#include "catch.hpp"
#include "plugin/stamp.hpp"
#include "plugin/table.hpp"
#include "retake/plugin.hpp"

using namespace retake;
using namespace retake::plugin;

namespace {

struct Params {
  float small = 0.1f;  // no double: its default must still be one of the choices
  std::vector<std::string> names = {"a", "b"};
  static void describe(Schema<Params>& s) {
    s.field(&Params::small, "small", "a float").range(0, 1);
    s.field(&Params::names, "names", "a list").one_of({"a", "b", "c"});
  }
};

class Thing final : public Component {
 public:
  static constexpr const char* kind = "model";
  using Params = ::Params;
  static Traits traits() {
    Traits t;
    t.metrics = {{"loss/*", "all of them", "min", "", "", std::nullopt, 3.0}};
    return t;
  }
};

}  // namespace

TEST_CASE("the host's own stamp has no difference to the host") {
  for (const std::string& kind : host_kinds()) {
    for (const bool torch : {false, true}) {
      const Stamp stamp = host_stamp({kind}, torch);
      CHECK(stamp.has_kind(kind));
      CHECK(stamp.torch() == torch);
      CHECK(differences(stamp).empty());
    }
    CHECK(host_abi(kind).size() == 12);
  }
  CHECK(host_abi("no_such_kind").empty());
  const std::vector<std::string> kinds = host_kinds();
  CHECK(std::is_sorted(kinds.begin(), kinds.end()));
  CHECK(host_stamp({"model"}, false).kinds() == std::vector<std::string>{"model"});
}

TEST_CASE("the ABI is that of the lines that matter") {
  Stamp stamp = host_stamp({"model", "reward"}, false);
  const std::string model = abi(stamp, "model");
  CHECK(model != abi(stamp, "reward"));
  CHECK(model.find_first_not_of("0123456789abcdef") == std::string::npos);
  stamp.name = "x";
  stamp.version = "2";
  stamp.lines["headers.reward"] = "other";
  CHECK(abi(stamp, "model") == model);  // neither name, version nor another kind's headers
  for (const std::string key : {"headers.model", "cplusplus", "compiler", "gxx_abi", "cxx11_abi",
                                "glibcxx_debug", "sanitizer", "libtorch"}) {
    Stamp changed = stamp;
    changed.lines[key] = "changed";
    CHECK(abi(changed, "model") != model);
    REQUIRE(differences(changed).size() >= 1);
  }
  Stamp missing = host_stamp({"model"}, false);
  missing.lines.erase("compiler");
  REQUIRE(differences(missing).size() == 1);
  CHECK(differences(missing)[0].key == "compiler");
  CHECK(differences(missing)[0].plugin.empty());
}

TEST_CASE("a table reads back as it was registered") {
  Registrar registrar;
  registrar.add<Thing>("thing", "Says \"this\", ü and\nmore.");
  ComponentInfo info = registrar.staged().front().info;
  info.plugin = "thing_plugin";
  info.version = "0.1.0";
  const std::string text = table_text({info});
  CHECK(text.find('\n') == std::string::npos);
  const std::vector<ComponentInfo> back = parse_table(text, "x.so");
  REQUIRE(back.size() == 1);
  CHECK(to_value(back[0]) == to_value(info));
  CHECK(back[0].file == "x.so");
  Stamp stamp = host_stamp({"model"}, false);
  stamp.version = "0.1.0";
  CHECK_NOTHROW(check_components(back, stamp, "x.so"));
}

TEST_CASE("the first difference of two values has a path") {
  const auto parse = [](const char* text) { return parse_json(text, "test"); };
  const Value a = parse(R"({"a": [1, {"b": 2}], "c": null})");
  CHECK(first_difference(a, a).empty());
  CHECK(first_difference(a, parse(R"({"c": null, "a": [1, {"b": 2}]})")).empty());
  CHECK(first_difference(a, parse(R"({"a": [1, {"b": 3}], "c": null})")) == "a[1].b: 2 / 3");
  CHECK(first_difference(a, parse(R"({"a": [1], "c": null})")) == "a[1]: {\"b\":2} / null");
  CHECK(first_difference(a, parse(R"({"a": [1, {"b": 2}], "c": null, "d": 1})")) == "d: null / 1");
  CHECK(first_difference(a, parse("7")) == "{\"a\":[1,{\"b\":2}],\"c\":null} / 7");
}

TEST_CASE("rules, new names and versions that lead nowhere are refused") {
  const auto messages = [](const SchemaInfo& schema, const std::string& version) {
    ComponentInfo info;
    info.kind = "model";
    info.name = "thing";
    info.schema = schema;
    Stamp stamp;
    stamp.name = "things";
    stamp.version = version;
    std::string all;
    try {
      check_components({info}, stamp, "libthings.so");
    } catch (const PluginError& e) {
      for (const Diagnostic& d : e.diagnostics()) all += d.id + " " + d.message + "\n";
    }
    return all;
  };
  const SchemaInfo sound = Schema<Params>::make().info();
  const auto holds = [](const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
  };
  CHECK_FALSE(holds(messages(sound, "1.0"), "E223"));
  CHECK(holds(messages(sound, "one"), "E223 libthings.so: has the version \"one\""));
  SchemaInfo renamed = sound;
  renamed.migrations = {{1, "old", "older"}, {1, "older", "small"}};
  CHECK_FALSE(holds(messages(renamed, "1.0"), "E228"));
  renamed.migrations = {{1, "old", "gone"}};
  CHECK(holds(messages(renamed, "1.0"), "is renamed to `gone`, which is not declared"));
  SchemaInfo odd = sound;
  odd.rules.push_back({});
  odd.rules.back().kind = RuleInfo::Kind::odd;
  odd.rules.back().field = "small";
  CHECK(holds(messages(odd, "1.0"), "a rule about numbers"));
}

#include <cmath>
#include <limits>

#include "catch.hpp"
#include "core/diagnostics.hpp"
#include "core/suggest.hpp"
#include "retake/component.hpp"
#include "retake/error.hpp"
#include "retake/schema.hpp"
#include "retake/value.hpp"

using namespace retake;

TEST_CASE("JSON goes round", "[value]") {
  const std::string text =
      R"({"b":1,"a":[1.5,true,null,"x\"y"],"t":{"deep":{"k":3e-4}},"big":9007199254740993})";
  const Value v = parse_json(text, "test");
  CHECK(parse_json(to_json(v), "again") == v);
  CHECK(parse_json(to_json(v, 2), "indented") == v);
  CHECK(find_path(v, "t.deep.k")->as_double() == 3e-4);
  CHECK(find_path(v, "t.deep.missing") == nullptr);
  CHECK(find_path(v, "b.c") == nullptr);
  CHECK(to_canonical_json(parse_json(R"({"b":1,"a":2})", "")) == R"({"a":2,"b":1})");
}

TEST_CASE("doubles are written in shortest form", "[value]") {
  CHECK(format_double(3e-4) == "3e-04");
  CHECK(format_double(3.0) == "3.0");
  CHECK(format_double(1e300) == "1e+300");
  CHECK(to_json(Value(std::numeric_limits<double>::quiet_NaN())) == "\"NaN\"");
}

TEST_CASE("hostile JSON is an error, not a crash", "[value][hostile]") {
  for (const std::string& text : {std::string(), std::string("{"), std::string(1000000, '['),
                                  std::string("{\"a\":1,\"a\":2}"), std::string("\xff\xfe"),
                                  std::string("[1,]"), std::string("nul")}) {
    CHECK_THROWS_AS(parse_json(text, "hostile.json"), DataError);
  }
}

namespace {
struct Inner {
  double x = 0.5;
  static void describe(Schema<Inner>& s) { s.field(&Inner::x, "x", "an x").range(0, 1); }
};
struct Params {
  int d_model = 128;
  int n_heads = 4;
  double lr = 3e-4;
  std::string mode = "fast";
  std::vector<int> kernels{3, 5};
  Inner inner;
  std::vector<Inner> many;
  static void describe(Schema<Params>& s) {
    s.field(&Params::d_model, "d_model", "width").range(8, 4096).multiple_of(&Params::n_heads);
    s.field(&Params::n_heads, "n_heads", "heads").min(1);
    s.field(&Params::lr, "lr", "rate")
        .range(0, 1)
        .open_min()
        .log_scale()
        .synonyms({"learning_rate"});
    s.field(&Params::mode, "mode", "how").one_of({"fast", "slow"});
    s.field(&Params::kernels, "kernels", "sizes").unit("frames");
    s.field(&Params::inner, "inner", "a group");
    s.field(&Params::many, "many", "groups");
  }
};
}  // namespace

TEST_CASE("a schema reads what it describes", "[schema]") {
  const auto schema = Schema<Params>::make();
  CHECK(schema.info().find("d_model")->default_value == Value(128));
  REQUIRE(schema.info().rules.size() == 1);
  CHECK(schema.info().rules[0].other == "n_heads");
  const Value v = parse_json(
      R"({"d_model":64,"mode":"slow","kernels":[7],"inner":{"x":0.25},"many":[{"x":1},{}],"lr":1})",
      "test");
  const Params p = schema.read(v.as_table());
  CHECK(p.d_model == 64);
  CHECK(p.n_heads == 4);
  CHECK(p.lr == 1.0);
  CHECK(p.kernels == std::vector<int>{7});
  CHECK(p.inner.x == 0.25);
  REQUIRE(p.many.size() == 2);
  CHECK(p.many[1].x == 0.5);
}

TEST_CASE("component descriptions survive their table", "[schema]") {
  ComponentInfo info;
  info.kind = "model";
  info.name = "m";
  info.schema = Schema<Params>::make().info();
  info.traits.inputs.push_back({"mel", "f32", "B, S, n_mels", "spectrum", false, false});
  MetricInfo metric;
  metric.name = "val/x_*";
  metric.max = 1.0;
  info.traits.metrics.push_back(metric);
  const Value v = to_value(info);
  CHECK(to_value(component_from_value(v, "test")) == v);
  CHECK_THROWS_AS(component_from_value(Value(3), "file.so"), DataError);
  CHECK_THROWS_AS(component_from_value(parse_json("{\"kind\":1}", ""), "file.so"), DataError);
}

TEST_CASE("did-you-mean", "[suggest]") {
  const std::vector<Candidate> keys{{"encoder_layers", {}},    {"decoder_layers", {}},
                                    {"lr", {"learning_rate"}}, {"dropout", {}},
                                    {"d_model", {}},           {"weight_decay", {}}};
  CHECK(did_you_mean("layrs", keys) == "encoder_layers");
  CHECK(did_you_mean("learning_rate", keys) == "lr");
  CHECK(did_you_mean("dmodel", keys) == "d_model");
  CHECK(did_you_mean("drpout", keys) == "dropout");
  CHECK(did_you_mean("decay", keys) == "weight_decay");
  CHECK_FALSE(did_you_mean("zzzzzz", keys));
  CHECK(edit_distance("abcd", "abdc") == 1);
}

TEST_CASE("diagnostics draw a caret under the word", "[diagnostics]") {
  Diagnostic d;
  d.id = "E104";
  d.message = "unknown parameter `layrs`";
  d.place = Place{"a.toml", 12, 1, 5, "layrs = 4", "inherited by b.toml:2"};
  d.caret = "did you mean `encoder_layers`?";
  d.help = "see all";
  CHECK(render(d, false) ==
        "error[E104]: unknown parameter `layrs`\n"
        "  --> a.toml:12:1   (inherited by b.toml:2)\n"
        "   |\n"
        "12 | layrs = 4\n"
        "   | ^^^^^ did you mean `encoder_layers`?\n"
        "help: see all\n");
}

// The JSON Schema of experiments, on the made-up plugins.

#include "config/json_schema.hpp"

#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "config/document.hpp"
#include "fixture.hpp"
#include "schema_check.hpp"

using namespace config_test;

namespace {

const nlohmann::json& schema() {
  static const nlohmann::json one = nlohmann::json::parse(to_json(experiment_schema(catalog())));
  return one;
}

std::vector<std::string> faults(const std::string& toml) {
  const Document document = parse_document(toml, "test");
  return SchemaCheck::run(schema(), nlohmann::json::parse(to_json(document.tree)));
}

bool good(const std::string& toml) {
  return faults(toml).empty();
}

}  // namespace

TEST_CASE("the schema takes experiments and fragments") {
  CHECK(good(kGood));
  CHECK(good(""));
  CHECK(good("extends = \"a.toml\"\n[model]\nd_model = 128\n"));
  CHECK(good("extends = [\"a.toml\"]\n[loss.stop]\nweight = 0\nenabled = false\n"));
  CHECK(good("[optimizer.policy]\nplugin = \"adamw\"\n[optimizer.value]\nplugin = \"adamw\"\n"));
  CHECK(
      good("[editor]\nplugin = \"pointer_decode\"\nmarks = [\"b\"]\n"
           "window = { length = 8 }\nstages = [{ shape = \"hann\" }]\n"));
  CHECK(good("[train]\nbatch = \"${model.n_heads}\"\nkeep = { last = 2 }\n"));
  CHECK(good("[feature_extractor.mel]\nplugin = \"log_mel\"\nhop = 3\n"));
  CHECK(good("[merge]\nkeep = [\"model.d_model\"]\n[watch]\n\"grad_norm\" = { max = 100 }\n"));
  CHECK(
      good("[sweep]\ntrials = 6\n[sweep.params]\n\"optimizer.lr\" = { log = [1e-5, 1e-2] }\n"
           "\"model.d_model\" = [64, 128]\n[[sweep.when]]\nif = { \"model.plugin\" = \"x\" }\n"));
}

TEST_CASE("the schema flags what check would flag") {
  CHECK_FALSE(good("[modle]\nplugin = \"keep_cut\"\n"));
  CHECK_FALSE(good("[model]\nplugin = \"keep_cat\"\n"));
  CHECK_FALSE(good("[model]\nplugin = \"keep_cut\"\nd_model = 64\n"));
  CHECK_FALSE(good("[model]\nlayrs = 4\n"));
  CHECK_FALSE(good("[model]\nkernel = 5\nd_model = 64\n"));
  CHECK_FALSE(good("[model]\nplugin = \"pointer_network\"\nd_model = \"wide\"\n"));
  CHECK_FALSE(good("[model]\nplugin = \"pointer_network\"\nd_model = 4096\n"));
  CHECK_FALSE(good("[model]\nplugin = \"pointer_network\"\nactivation = \"tanh\"\n"));
  CHECK_FALSE(good("[model]\nplugin = \"pointer_network\"\nweight = 2\n"));
  CHECK_FALSE(good("[optimizer]\nplugin = \"adamw\"\nlr = 0\n"));
  CHECK_FALSE(good("[optimizer]\nplugin = \"adamw\"\nbetas = [0.9, 1.5]\n"));
  CHECK_FALSE(good("[editor]\nplugin = \"pointer_decode\"\nwindow = { lenght = 8 }\n"));
  CHECK_FALSE(good("[train]\nbatc = 3\n"));
  CHECK_FALSE(good("[train]\ngoal = \"maximum\"\n"));
  CHECK_FALSE(good("[merge]\napend = []\n"));
  CHECK_FALSE(good("[watch]\n\"grad_norm\" = { maxx = 3 }\n"));
  CHECK_FALSE(good("[sweep]\ntrails = 3\n"));
  CHECK_FALSE(good("[sweep.params]\n\"optimizer.lr\" = { lgo = [1, 2] }\n"));
}

TEST_CASE("hovering shows documentation, unit, range and default") {
  const auto& hop =
      schema()["definitions"]["feature_extractor.log_mel"]["properties"]["hop_length"];
  const std::string text = hop["description"];
  CHECK(text.find("step") != std::string::npos);
  CHECK(text.find("samples") != std::string::npos);
  CHECK(text.find("1..65536") != std::string::npos);
  CHECK(hop["default"] == 256);
  const auto& old = schema()["definitions"]["feature_extractor.log_mel"]["properties"]["hop"];
  CHECK(old["deprecated"] == true);
  CHECK(schema()["definitions"]["model.keep_cut"]["properties"]["plugin"]["const"] == "keep_cut");
}

#include "catch.hpp"
#include "config/wiring.hpp"
#include "fixture.hpp"

using namespace retake;
using namespace retake::config;
using config_test::errors_of_file;
using config_test::Folder;

namespace {

/// An experiment of five tables whose loss and trainer declare what they read.
struct Wired {
  ComponentInfo dataset, features, model, trainer, optimizer, loss;
  std::vector<ResolvedComponent> components;

  Wired() {
    model.traits.outputs = {{"keep", "f32", "B, N", ""}};
    trainer.traits.inputs = {{"keep", "f32", "B, N", ""}};
    trainer.traits.outputs = {{"keep_target", "f32", "B, N", ""}};
    trainer.traits.needs = {"loss"};
    loss.traits.inputs = {{"keep", "f32", "B, N", "logits"},
                          {"keep_target", "f32", "B, N", ""},
                          {"weight", "f32", "B, N", "", true}};
    add("dataset", dataset);
    add("feature_extractor", features);
    add("model", model);
    add("trainer", trainer);
    add("optimizer", optimizer);
    add("loss", loss);
  }
  void add(const std::string& kind, const ComponentInfo& info) {
    ResolvedComponent c;
    c.kind = c.table = kind;
    c.plugin = "some";
    c.info = &info;
    components.push_back(c);
  }
};

}  // namespace

TEST_CASE("what is missing for a training is told from declarations, all at once") {
  Wired w;
  CHECK(training_faults(w.components).empty());
  std::vector<ResolvedComponent> without;
  for (const auto& c : w.components) {
    if (c.kind != "optimizer" && c.kind != "loss") without.push_back(c);
  }
  const auto faults = training_faults(without);
  REQUIRE(faults.size() == 2);
  CHECK(faults[0].id == "E156");
  CHECK(faults[0].message == "the experiment has no [loss]");
  CHECK(faults[1].message == "the experiment has no [optimizer]: it turns gradients into updates");
}

TEST_CASE("a tensor that nothing gives, and a second model, are found before anything is made") {
  Wired w;
  w.model.traits.outputs = {{"logits", "f32", "N", ""}};
  auto faults = training_faults(w.components);
  REQUIRE(faults.size() == 2);
  CHECK(faults[0].id == "E151");
  CHECK(faults[0].message == "[trainer] needs `keep`, which model some does not give");
  CHECK(faults[1].message ==
        "[loss] needs `keep` (logits), which model some and trainer some do not give");
  w.add("model", w.model);
  faults = training_faults(w.components);
  REQUIRE(faults.size() == 1);
  CHECK(faults[0].id == "E155");
  w.components.back().enabled = false;
  CHECK(training_faults(w.components).size() == 2);
}

TEST_CASE("only files that are to be trained must be complete") {
  const Folder folder;
  const auto file = folder.write("part.toml", "[feature_extractor.mel]\nplugin = \"log_mel\"\n");
  LoadOptions options;
  options.training = LoadOptions::Training::with_trainer;
  CHECK(errors_of_file(file, options).empty());
  options.training = LoadOptions::Training::required;
  const auto errors = errors_of_file(file, options);
  REQUIRE(errors.size() == 4);
  for (const auto& e : errors) CHECK(e.id == "E156");
}

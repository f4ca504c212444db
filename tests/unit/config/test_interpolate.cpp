#include <cstdlib>

#include "catch.hpp"
#include "fixture.hpp"

using namespace config_test;

namespace {

ResolvedExperiment with_environment(const std::vector<std::string>& overrides) {
  const Folder folder;
  LoadOptions options = with_overrides(overrides);
  options.environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "DATA") return "/data";
    if (name == "EMPTY") return "";
    if (name == "BAD") return "\xff";
    return std::nullopt;
  };
  return resolve_experiment(folder.write("small.toml", kGood), catalog(), options);
}

std::string error_id(const std::vector<std::string>& overrides) {
  try {
    with_environment(overrides);
  } catch (const Error& e) {
    CHECK(e.diagnostics().size() == 1);
    return e.diagnostics()[0].id;
  }
  return "";
}

std::string notes(const std::string& text) {
  return with_environment({"experiment.notes='" + text + "'"}).experiment.notes;
}

}  // namespace

TEST_CASE("paths take values with their type, and defaults of schemas") {
  CHECK(with_environment({"model.d_model='${train.batch}'", "train.batch=16"})
            .find("model")
            ->params.at("d_model") == Value(16));
  CHECK(
      with_environment({"train.max_steps='${feature_extractor.mel.hop_length}'"}).train.max_steps ==
      256);
  CHECK(with_environment({"train.batch='${editor.window.length}'"}).train.batch == 512);
  CHECK(with_environment({"optimizer.weight_decay='${optimizer.lr}'"})
            .find("optimizer")
            ->params.at("weight_decay") == Value(3e-4));
  CHECK(with_environment({"experiment.tags='${dataset.roots}'"}).experiment.tags ==
        std::vector<std::string>{"pairs"});
  CHECK(notes("${dataset.roots[0]}-${train.batch}-${optimizer.lr}-${model.use_jump}") ==
        "pairs-4-3e-04-true");
  CHECK(notes("${experiment.name} of ${experiment.seed}") == "small of 7");
  CHECK(with_environment({"model.plugin='${env:M:-keep_cut}'"}).find("model")->plugin ==
        "keep_cut");
}

TEST_CASE("chains of references end, whatever the order") {
  const auto e =
      with_environment({"experiment.notes='${run.dir}/x'", "run.dir='${train.init_from}/y'",
                        "train.init_from='${env:DATA}/z'"});
  CHECK(e.experiment.notes == "/data/z/y/x");
  CHECK(e.run.dir == "/data/z/y");
}

TEST_CASE("environment values are used and recorded") {
  const auto e =
      with_environment({"dataset.roots=['${env:DATA}/a', '${env:NONE:-b}', '${env:EMPTY}']"});
  CHECK(e.find("dataset")->params.at("roots") == Value(Array{"/data/a", "b", ""}));
  CHECK(e.environment.at("DATA") == Value("/data"));
  CHECK(e.environment.at("NONE").is_null());
  CHECK(error_id({"run.dir='${env:NONE}'"}) == "E122");
  CHECK(error_id({"run.dir='${env:BAD}'"}) == "E122");
  CHECK(error_id({"run.dir='${env:A B}'"}) == "E120");
}

TEST_CASE("circles and what cannot be read are errors") {
  CHECK(error_id({"run.dir='${experiment.notes}'", "experiment.notes='${run.dir}'"}) == "E123");
  CHECK(error_id({"run.dir='${run.dir}'"}) == "E123");
  CHECK(error_id({"run.dir='${nowhere.x}'"}) == "E121");
  CHECK(error_id({"run.dir='${model.d_modell}'"}) == "E121");
  CHECK(error_id({"run.dir='${model}'"}) == "E124");
  CHECK(error_id({"run.dir='a${dataset.roots}'"}) == "E124");
  CHECK(error_id({"run.dir='${run.dir'"}) == "E120");
  CHECK(error_id({"run.dir='${}'"}) == "E120");
  CHECK(error_id({"run.dir='${now:%Y}'"}) == "E120");
  CHECK(error_id({"run.dir='${run:ids}'"}) == "E120");
  CHECK(error_id({"run.dir='$${x} ${run:id}'"}) == "E120");
  CHECK(error_id({"train.batch='${env:DATA}'"}) == "E107");
}

TEST_CASE("texts that double at each step stop growing") {
  std::vector<std::string> overrides = {"watch.m0.message='0123456789'"};
  for (int i = 1; i < 40; ++i) {
    const std::string before = "${watch.m" + std::to_string(i - 1) + ".message}";
    overrides.push_back("watch.m" + std::to_string(i) + ".message='" + before + before + "'");
  }
  const auto all = errors_of(kGood, overrides);
  REQUIRE_FALSE(all.empty());
  CHECK(all[0].id == "E120");
}

TEST_CASE("a literal is written with two dollars") {
  CHECK(notes("$${x} costs $5 ${train.batch}") == "${x} costs $5 4");
  CHECK(notes("$") == "$");
  CHECK(notes("$x {y}") == "$x {y}");
}

TEST_CASE("the run's names come in later and leave identity alone") {
  auto e =
      with_environment({"train.init_from='${run:dir}/start'", "dataset.roots=['a', '${run:id}']",
                        "experiment.notes='${train.init_from}!'"});
  const std::string before = config_hash(e);
  const std::string toml = resolved_toml(e);
  CHECK(e.train.init_from == "${run:dir}/start");
  substitute_run(e, {"k7q2m4xa", "runs/x_k7q2m4xa", "small"});
  CHECK(e.train.init_from == "runs/x_k7q2m4xa/start");
  CHECK(e.experiment.notes == "runs/x_k7q2m4xa/start!");
  CHECK(e.find("dataset")->params.at("roots") == Value(Array{"a", "k7q2m4xa"}));
  CHECK(config_hash(e) == before);
  CHECK(resolved_toml(e) == toml);
  CHECK(config_hash(resolve_experiment_text(toml, "resolved", catalog())) == before);
}

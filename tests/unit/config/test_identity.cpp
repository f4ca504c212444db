// config_hash and the resolved file.

#include <cmath>
#include <limits>

#include "catch.hpp"
#include "config/path.hpp"
#include "config/write.hpp"
#include "fixture.hpp"
#include "retake/rng.hpp"

using namespace config_test;

TEST_CASE("the hash covers what affects results and nothing else") {
  const std::string base = config_hash(resolve(kGood));
  CHECK(base.size() == 64);
  const auto hash = [](const std::vector<std::string>& overrides) {
    return config_hash(resolve(kGood, overrides));
  };
  for (const char* same : {"experiment.name=other", "experiment.notes=x", "experiment.tags=[\"t\"]",
                           "run.dir=elsewhere", "run.archive=false", "run.trace_every=1",
                           "dataset.workers=9", "model.version=\">=1\"", "watch.grad_norm.max=3",
                           "model.encoder_layers=3", "loss.off.plugin=stop_bce"}) {
    INFO(same);
    std::vector<std::string> overrides = {same};
    if (std::string(same).starts_with("loss.off")) overrides.push_back("loss.off.enabled=false");
    CHECK(hash(overrides) == base);
  }
  for (const char* other :
       {"experiment.seed=8", "run.threads=4", "run.device=cpu", "run.deterministic=false",
        "train.batch=5", "train.max_steps=1", "model.encoder_layers=4", "model.plugin=keep_cut",
        "dataset.roots=[\"other\"]", "loss.stop.weight=0.6", "loss.stop.enabled=false",
        "editor.window.length=256", "editor.stages=[{length=8}]", "optimizer.lr=2e-4"}) {
    INFO(other);
    CHECK(hash({other}) != base);
  }
}

TEST_CASE("the order of tables and keys does not change the hash") {
  const std::string a =
      "[model]\nplugin = \"keep_cut\"\nkernel = 7\nhidden = 3\n[optimizer]\nplugin = "
      "\"adamw\"\n";
  const std::string b =
      "[optimizer]\nplugin = \"adamw\"\n[model]\nhidden = 3\nkernel = 7\nplugin = "
      "\"keep_cut\"\n";
  CHECK(config_hash(resolve(a)) == config_hash(resolve(b)));
}

TEST_CASE("data is hashed by content where its owner says so") {
  const auto by_content = [](const std::string& path, const Value& value) -> std::optional<Value> {
    if (path == "dataset.roots") return Value("91c0d3aa");
    CHECK_FALSE(value.is_null());
    return std::nullopt;
  };
  const auto here = resolve(kGood), there = resolve(kGood, {"dataset.roots=[\"moved\"]"});
  CHECK(config_hash(here) != config_hash(there));
  CHECK(config_hash(here, by_content) == config_hash(there, by_content));
}

TEST_CASE("the resolved file is an experiment with the same hash, and resolves to itself") {
  const auto first =
      resolve(kGood, {"experiment.notes='$${literal} \"quoted\" \\\\ ümlaut'",
                      "editor.stages=[{length=4}, {shape=\"hamming\"}]", "watch.\"val/loss\".max=3",
                      "model.version=\">=1\"", "loss.delta.enabled=false"});
  const std::string toml = resolved_toml(first);
  INFO(toml);
  const auto second = resolve_experiment_text(toml, "resolved.toml", catalog());
  CHECK(second.tree == first.tree);
  CHECK(config_hash(second) == config_hash(first));
  CHECK(second.watch.size() == 1);
  CHECK(second.notes.empty());
  const std::string again = resolved_toml(second);
  const auto third = resolve_experiment_text(again, "resolved.toml", catalog());
  // Only origins differ from the first to the second; from then on nothing does.
  CHECK(resolved_toml(third) == again);
}

TEST_CASE("an experiment without a trainer stays valid when resolved") {
  const auto e = resolve("[model]\nplugin = \"mel_unet\"\n");
  const auto again = resolve_experiment_text(resolved_toml(e), "resolved.toml", catalog());
  CHECK(config_hash(again) == config_hash(e));
}

TEST_CASE("the resolved file tells unit and origin of each key") {
  const Folder folder;
  folder.write("base.toml", kGood);
  const auto file = folder.write(
      "e.toml", "extends = \"base.toml\"\n[feature_extractor.mel]\nhop_length = 512\n");
  const auto e = resolve_experiment(file, catalog(), with_overrides({"train.batch=2"}));
  const std::string toml = resolved_toml(e);
  INFO(toml);
  const std::string dir = folder.path().string() + "/";
  const auto has = [&](const std::string& key, const std::string& comment) {
    const std::size_t at = toml.find("\n" + key);
    REQUIRE(at != std::string::npos);
    const std::string line = toml.substr(at + 1, toml.find('\n', at + 1) - at - 1);
    CHECK(line.ends_with("  # " + comment));
  };
  has("hop_length = 512", "samples; " + dir + "e.toml:3");
  has("sample_rate = 22050", "Hz; default");
  has("d_model = 128", dir + "base.toml:14");
  has("batch = 2", "argv[3]");
  has("length = 512", "samples; default");
  CHECK(toml.find("extends") == std::string::npos);
  const std::string only = resolved_toml(e, "loss.stop");
  CHECK(only.find("[loss.stop]") != std::string::npos);
  CHECK(only.find("[model]") == std::string::npos);
  CHECK_THROWS_AS(resolved_toml(e, "reward"), std::invalid_argument);
}

TEST_CASE("any experiment keeps its hash through its resolved file") {
  Rng rng(20261124);
  const auto number = [&](double low, double high) {
    return format_double(rng.uniform(low, high));
  };
  const auto integer = [&](int low, int high) { return std::to_string(rng.integer(low, high)); };
  const auto text = [&] {
    std::string out;
    static const std::vector<std::string> pieces = {"a", "\"", "\\", "\n", "\t", "#",    "$${x}",
                                                    "é", "=",  "]",  "'",  " ",  "\x01", "日本"};
    for (int i = 0; i < 6; ++i) out += pieces[rng.below(pieces.size())];
    return quoted_string(out);
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<std::string> overrides = {
        "experiment.seed=" + integer(0, 1 << 30),
        "experiment.notes=" + text(),
        "optimizer.lr=" + number(1e-12, 1.0),
        "optimizer.betas=[" + number(0, 1) + "]",
        "optimizer.weight_decay=" + format_double(std::pow(10.0, rng.uniform(-300, 300))),
        "train.batch=" + integer(1, 1000),
        "train.init_from=" + text(),
        "dataset.roots=[" + text() + ", " + text() + "]",
        "loss.stop.weight=" + number(-5, 5),
        "editor.stages=[{length=" + integer(2, 99) + "}]",
        "editor.marks+=" + text(),
        "watch." + text() + ".max=" + number(-1e9, 1e9)};
    if (rng.chance(0.3)) overrides.push_back("loss.delta.enabled=false");
    if (rng.chance(0.3)) overrides.push_back("model.plugin=keep_cut");
    if (rng.chance(0.3)) overrides.push_back("reward_table=1");
    if (overrides.back() == "reward_table=1") overrides.pop_back();
    const auto e = resolve(kGood, overrides);
    const auto again = resolve_experiment_text(resolved_toml(e), "resolved.toml", catalog());
    INFO(resolved_toml(e));
    REQUIRE(again.tree == e.tree);
    REQUIRE(config_hash(again) == config_hash(e));
  }
}

TEST_CASE("values are written so that they read back") {
  const double edge[] = {3e-4,
                         0.1,
                         1.0 / 3.0,
                         5e-324,
                         std::numeric_limits<double>::max(),
                         -0.0,
                         1e22,
                         123456789.0,
                         std::numeric_limits<double>::infinity()};
  for (const double v : edge) {
    Value back;
    REQUIRE(parse_value(inline_toml(Value(v)), back));
    CHECK(back == Value(v));
    CHECK(std::signbit(back.as_double()) == std::signbit(v));
  }
  CHECK(inline_toml(Value(1.0)) == "1.0");
  CHECK(inline_toml(Value(std::int64_t{1})) == "1");
  CHECK_THROWS_AS(inline_toml(Value()), std::invalid_argument);
}

// Walks the plugins of this build: each passes its conformance run.

#include <unistd.h>

#include <cstdlib>
#include <map>

#include "catch.hpp"
#include "plugin/registry.hpp"
#include "retake/value.hpp"
#include "support.hpp"

using namespace retake;
namespace fs = std::filesystem;

namespace {

const std::string kProgram = std::string(RETAKE_BINARY_DIR) + "/bin/retake";

/// A pair set for whatever needs one, made once.
const test::Folder& data() {
  static const test::Folder folder;
  static const bool made = [] {
    ::setenv("RETAKE_STORE", (folder / "store").c_str(), 1);
    const test::Output out = test::run(kProgram + " synth " + (folder / "pairs").string() +
                                       " --pairs 4 --no-oracles minutes=0.5 sample_rate=22050 "
                                       "channels=1 2>&1");
    INFO(out.text);
    REQUIRE(out.code == 0);
    return true;
  }();
  REQUIRE(made);
  return folder;
}

/// What some plugins need to be asked: parameters that are required, or that keep the work small.
std::string words_for(const std::string& plugin) {
  if (plugin == "paired_audio") return "'roots=[\"" + (data() / "pairs").string() + "\"]'";
  if (plugin == "synthetic_edits") return "pairs=2 minutes=0.5";
  if (plugin == "policy_gradient") {
    return "--experiment " RETAKE_SOURCE_DIR "/experiments/smoke/policy.toml";
  }
  if (plugin == "pointer_trainer") {
    const fs::path experiment = data() / "experiment.toml";
    test::write(experiment, "extends = \"" RETAKE_SOURCE_DIR
                            "/experiments/smoke/aligned.toml\"\n[dataset]\nroots = [\"" +
                                (data() / "pairs").string() + "\"]\n");
    return "--experiment " + experiment.string();
  }
  return {};
}

}  // namespace

TEST_CASE("every plugin of this build does what its kinds promise", "[conformance]") {
  const fs::path folder = fs::path(RETAKE_BINARY_DIR) / "plugins";
  const plugin::Registry registry(std::vector<plugin::SearchFolder>{{folder, "build"}});
  for (const Diagnostic& problem : registry.problems()) FAIL_CHECK(problem.message);
  REQUIRE(registry.files().size() >= (RETAKE_HAS_NN ? 15U : 5U));
  for (const plugin::PluginFile& file : registry.files()) {
    const test::Output out =
        test::run(kProgram + " plugins check " + file.path.string() + " " +
                  words_for(file.stamp.name) + " --timeout 120 --json 2>/dev/null");
    INFO(file.path << ": " << out.text);
    CHECK(out.code == 0);
    const Value value = parse_json(out.text, "plugins check");
    CHECK(value.as_table().at("failed") == Value(0));
    for (const Value& component : value.as_table().at("components").as_array()) {
      for (const Value& probe : component.as_table().at("probes").as_array()) {
        // A plugin with a required parameter gets it in words_for.
        CHECK(probe.as_table().at("why").as_string().find("it needs ") == std::string::npos);
      }
    }
  }
}

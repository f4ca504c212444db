// `retake schema` on the plugins of this build; jsonschema and Taplo judge it under label peers.

#include <filesystem>
#include <nlohmann/json.hpp>

#include "catch.hpp"
#include "config/document.hpp"
#include "core/files.hpp"
#include "run_retake.hpp"
#include "schema_check.hpp"

using cli_test::Folder;
using nlohmann::json;
namespace fs = std::filesystem;

namespace {

const auto run = [](const std::vector<std::string>& arguments, const fs::path& folder = ".") {
  return cli_test::retake(arguments, folder);
};

json read_toml(const std::string& text) {
  return json::parse(retake::to_json(retake::config::parse_document(text, "test").tree));
}

}  // namespace

TEST_CASE("every experiment and fragment of the tree fits the schema, planted errors do not") {
  const auto printed = run({"schema", "-o", "-"});
  REQUIRE(printed.code == 0);
  const json schema = json::parse(printed.out);
  CHECK(schema.at("$schema") == "http://json-schema.org/draft-07/schema#");
  std::size_t files = 0;
  for (const char* folder : {"experiments", "configs"}) {
    for (const auto& entry :
         fs::recursive_directory_iterator(fs::path(RETAKE_SOURCE_DIR) / folder)) {
      if (entry.path().extension() != ".toml") continue;
      // Without LibTorch the plugins that most of them name are not there.
      if (RETAKE_HAS_NN == 0 && entry.path().string().find("smoke") == std::string::npos) continue;
      INFO(entry.path());
      const auto faults = SchemaCheck::run(schema, read_toml(retake::read_file(entry.path())));
      for (const auto& fault : faults) UNSCOPED_INFO(fault);
      CHECK(faults.empty());
      ++files;
    }
  }
  CHECK(files >= (RETAKE_HAS_NN != 0 ? 10U : 1U));
  for (const char* planted : {"[feature_extractor.mel]\nplugin = \"log_mel\"\nhop_lenght = 256\n",
                              "[feature_extractor.mel]\nplugin = \"log_mel\"\nn_mels = \"x\"\n",
                              "[feature_extractor.mel]\nplugin = \"log_mell\"\n",
                              "[train]\nbatch = 0\n", "[trian]\nbatch = 1\n"}) {
    INFO(planted);
    CHECK_FALSE(SchemaCheck::run(schema, read_toml(planted)).empty());
  }
}

TEST_CASE("the schema goes to .retake of the project, or where -o says") {
  const Folder folder;
  folder.write(".retake/keep", "");
  folder.write("experiments/deep/e.toml", "");
  const auto r = run({"schema", "--json"}, folder.path() / "experiments/deep");
  INFO(r.err);
  CHECK(r.code == 0);
  CHECK(json::parse(r.out).at("components") > 5);
  CHECK(fs::exists(folder.path() / ".retake/schema.json"));
  CHECK(run({"schema", "-o", "s.json"}, folder.path()).code == 0);
  CHECK(retake::read_file(folder.path() / "s.json") ==
        retake::read_file(folder.path() / ".retake/schema.json"));
  CHECK(run({"schema", "extra"}, folder.path()).code == 2);
}

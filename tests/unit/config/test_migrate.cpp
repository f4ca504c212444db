// Old names of parameters, in bases, files, overrides and references.

#include "catch.hpp"
#include "fixture.hpp"

using namespace config_test;

namespace {

ResolvedExperiment with_base(const std::string& base, const std::string& child,
                             const std::vector<std::string>& overrides = {}) {
  const Folder folder;
  folder.write("base.toml", "[feature_extractor.mel]\nplugin = \"log_mel\"\n" + base);
  const auto file =
      folder.write("e.toml", "extends = \"base.toml\"\n[feature_extractor.mel]\n" + child);
  return resolve_experiment(file, catalog(), with_overrides(overrides));
}

Value hop(const ResolvedExperiment& e) {
  return e.find("feature_extractor")->params.at("hop_length");
}

std::vector<std::string> note_ids(const ResolvedExperiment& e) {
  return ids(e.notes);
}

}  // namespace

TEST_CASE("between layers the later one wins, whichever name it uses") {
  const std::vector<std::string> noted = {"W14"};
  const auto inherited = with_base("hop = 100\n", "");
  CHECK(hop(inherited) == Value(100));
  CHECK(note_ids(inherited) == noted);
  const auto child_new = with_base("hop = 100\n", "hop_length = 200\n");
  CHECK(hop(child_new) == Value(200));
  CHECK(note_ids(child_new) == noted);
  const auto child_old = with_base("hop_length = 100\n", "hop = 200\n");
  CHECK(hop(child_old) == Value(200));
  const auto line_old = with_base("hop_length = 100\n", "", {"feature_extractor.mel.hop=300"});
  CHECK(hop(line_old) == Value(300));
  const auto line_new =
      with_base("hop = 100\n", "hop = 200\n", {"feature_extractor.mel.hop_length=300"});
  CHECK(hop(line_new) == Value(300));
  REQUIRE(line_new.renamed.size() == 1);
  CHECK(line_new.renamed[0].writings.size() == 2);
}

TEST_CASE("both names in one layer are an error") {
  const auto all =
      errors_of("[feature_extractor.mel]\nplugin = \"log_mel\"\nhop = 100\nhop_length = 200\n");
  REQUIRE(all.size() == 1);
  CHECK(all[0].id == "E115");
  CHECK(all[0].place->line == 3);
  CHECK(ids(errors_of(kGood,
                      {"feature_extractor.mel.hop=1", "feature_extractor.mel.hop_length=2"})) ==
        std::vector<std::string>{"E115"});
}

TEST_CASE("references by either name see the value") {
  for (const char* name : {"hop", "hop_length"}) {
    INFO(name);
    const auto e = with_base("hop = 100\n", "",
                             {"train.batch='${feature_extractor.mel." + std::string(name) + "}'"});
    CHECK(e.train.batch == 100);
  }
  // A plugin that an interpolation chooses is known only afterwards.
  const auto chosen =
      resolve("[feature_extractor.mel]\nplugin = \"${env:NO_SUCH:-log_mel}\"\nhop = 64\n");
  CHECK(hop(chosen) == Value(64));
}

TEST_CASE("the resolved file has the new name and says where it was written") {
  const auto e = with_base("hop = 100\n", "");
  const std::string toml = resolved_toml(e);
  CHECK(toml.find("hop_length = 100") != std::string::npos);
  CHECK(toml.find("hop = ") == std::string::npos);
  CHECK(toml.find("base.toml:3") != std::string::npos);
  const auto again = resolve_experiment_text(toml, "resolved", catalog());
  CHECK(config_hash(again) == config_hash(e));
  CHECK(again.notes.empty());
}

TEST_CASE("an old name keeps its checks") {
  const auto all = errors_of("[feature_extractor.mel]\nplugin = \"log_mel\"\nhop = 0\n");
  REQUIRE(all.size() == 1);
  CHECK(all[0].id == "E107");
  CHECK(all[0].place->line == 3);
}

TEST_CASE("two tables with the same old name are noted each") {
  const auto e = resolve(kGood, {"loss.stop.smoothing=0.1", "loss.delta.smoothing=0.2"});
  CHECK(note_ids(e) == std::vector<std::string>{"W13", "W13"});
}

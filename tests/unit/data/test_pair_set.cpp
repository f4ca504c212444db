// Pair sets: finding pairs, everything wrong at once, groups and splits.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <thread>

#include "audio/pcm_file.hpp"
#include "catch.hpp"
#include "core/files.hpp"
#include "data/material.hpp"
#include "data/splits.hpp"
#include "retake/data/pair_set.hpp"
#include "retake/data/pair_writer.hpp"
#include "unit/run/temp_folder.hpp"

using namespace retake;
namespace fs = std::filesystem;

namespace {

using Folder = TempFolder;

void write_wav(const fs::path& file, std::int64_t samples, int rate = 8000) {
  fs::create_directories(file.parent_path());
  audio::PcmWriter writer(file.string(), {"wav", "pcm_16", rate, 1}, samples);
  const std::vector<std::int32_t> silence(static_cast<std::size_t>(samples), 0);
  writer.write(silence.data(), samples);
  writer.finish();
}

void add_pair(const fs::path& root, const std::string& id, std::int64_t raw = 800,
              std::int64_t edit = 400) {
  write_wav(root / "input" / (id + "_raw.wav"), raw);
  write_wav(root / "desired_output" / (id + "_edit.wav"), edit);
}

std::vector<std::string> ids_of(const std::vector<Diagnostic>& problems) {
  std::vector<std::string> out;
  for (const Diagnostic& d : problems) out.push_back(d.id);
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<Pair> numbered(int n, int per_group) {
  std::vector<Pair> pairs;
  for (int i = 0; i < n; ++i) {
    Pair p;
    p.id = "p" + std::to_string(i);
    p.group = "g" + std::to_string(i / per_group);
    pairs.push_back(p);
  }
  return pairs;
}

std::map<std::string, int> counts(const std::vector<Pair>& pairs) {
  std::map<std::string, int> out;
  for (const Pair& p : pairs) ++out[p.split];
  return out;
}

}  // namespace

TEST_CASE("pairs are found by name, spaces and Unicode included") {
  Folder f;
  add_pair(f.path, "dark jam Ödland 3");
  write_wav(f.path / "input" / "x_raw.wav", 100);
  write_wav(f.path / "desired_output" / "x.wav", 50);  // the edit may go without _edit
  const PairSet set = read_pair_set(f.path);
  REQUIRE(set.pairs.size() == 2);
  CHECK(set.pairs[0].id == "dark jam Ödland 3");
  CHECK(set.pairs[0].raw_seconds == Approx(0.1));
  CHECK(set.pairs[0].edit_seconds == Approx(0.05));
  CHECK(set.pairs[1].id == "x");
  CHECK(set.pairs[1].edit.filename() == "x.wav");
  CHECK(set.pairs[0].raw.is_absolute());
}

TEST_CASE("everything wrong in a folder is said at once") {
  Folder f;
  add_pair(f.path, "good");
  add_pair(f.path, "long edit", 100, 200);
  write_wav(f.path / "input" / "lonely_raw.wav", 10);
  write_wav(f.path / "desired_output" / "orphan_edit.wav", 10);
  add_pair(f.path, "twice");
  write_wav(f.path / "input" / "twice_raw.aiff", 10);
  add_pair(f.path, "two edits");
  write_wav(f.path / "desired_output" / "two edits.wav", 10);
  add_pair(f.path, "broken");
  std::ofstream(f.path / "input" / "broken_raw.wav") << "no audio at all";
  add_pair(f.path, "empty");
  std::ofstream(f.path / "desired_output" / "empty_edit.wav", std::ios::trunc);
  write_wav(f.path / "input" / "unnamed.wav", 10);

  const PairScan scan = scan_pairs(f.path);
  REQUIRE(scan.set.pairs.size() == 2);
  const auto found = ids_of(scan.problems);
  CHECK(std::count(found.begin(), found.end(), "E502") == 2);  // lonely, orphan
  CHECK(std::count(found.begin(), found.end(), "E504") == 2);  // twice, two edits
  CHECK(std::count(found.begin(), found.end(), "E413") == 1);  // broken
  CHECK(std::count(found.begin(), found.end(), "E412") == 1);  // empty
  CHECK(std::count(found.begin(), found.end(), "W502") == 1);  // unnamed
  CHECK(std::count(found.begin(), found.end(), "W503") == 1);  // long edit
  for (const Diagnostic& d : scan.problems) CHECK(!d.help.empty());
  try {
    read_pair_set(f.path);
    FAIL("a broken set was read");
  } catch (const DataError& e) {
    CHECK(e.diagnostics().size() == 6);
    CHECK(e.code() == ExitCode::data);
  }
  CHECK_THROWS_AS(scan_pairs(f.path / "nowhere"), DataError);
}

TEST_CASE("a truth must be sound, and of the pair it lies beside") {
  Folder f;
  add_pair(f.path, "song", 16000, 8000);
  write_wav(f.path / "input" / "other.wav", 16000);
  const auto found = [&](const std::string& text) {
    write_file_atomic(f.path / "truth" / "song.edl.json", text);
    const PairScan scan = scan_pairs(f.path);
    std::string warnings;
    for (const Diagnostic& d : scan.problems) {
      if (d.severity != Severity::error) {
        if (d.id == "W504") warnings += ", " + d.id;
        continue;
      }
      CHECK(scan.set.pairs.empty());
      CHECK(d.place.value().file == (f.path / "truth" / "song.edl.json").string());
      CHECK_FALSE(d.help.empty());
      return d.id;
    }
    CHECK(scan.set.pairs.size() == 1);
    return "sound" + warnings;
  };
  const auto edl = [](const std::string& source, const std::string& end) {
    return R"({"schema":"retake.edl/1","sources":[{"path":"../input/)" + source +
           R"(}],"segments":[{"begin":0,"end":)" + end + "}]}";
  };
  const std::string raw = R"(song_raw.wav")";
  CHECK(found(edl(raw, "8000")) == "sound");
  CHECK(found(edl(raw, "9000")) == "sound");  // a codec's padding
  CHECK(found(edl(raw + R"(,"sample_rate":8000,"samples":16000)", "8000")) == "sound");
  CHECK(found("{}") == "E421");
  CHECK(found("{") == "E403");
  CHECK(found(edl(raw, "3000")) == "E540");                        // shorter than the edit
  CHECK(found(edl(raw, "15000")) == "E540");                       // longer
  CHECK(found(edl(R"(gone_raw.wav")", "8000")) == "sound, W504");  // the set was moved
  CHECK(found(edl(R"(other.wav")", "8000")) == "E540");
  CHECK(found(edl(raw + R"(,"samples":16001)", "8000")) == "E540");
  CHECK(found(edl(raw + R"(,"sample_rate":44100)", "8000")) == "E540");
}

TEST_CASE("ids tell what belongs together") {
  const std::map<std::string, std::string> groups = {{"15", "15"},
                                                     {"15B", "15"},
                                                     {"jamV2", "jam"},
                                                     {"jam take 3", "jam"},
                                                     {"jam_synth_2", "jam"},
                                                     {"jam_synth", "jam"},
                                                     {"jam_mix", "jam"},
                                                     {"jam (2)", "jam"},
                                                     {"retake", "retake"},
                                                     {"song12", "song12"},
                                                     {"20180927darkjam", "20180927darkjam"},
                                                     {"v2", "v2"},
                                                     {"Öre take2", "Öre"}};
  for (const auto& [id, group] : groups) CHECK(group_of_id(id) == group);
}

TEST_CASE("splits keep groups whole and come near to their shares") {
  for (const int per_group : {1, 3, 7}) {
    for (const std::uint64_t seed : {0U, 1U, 2U}) {
      std::vector<Pair> pairs = numbered(210, per_group);
      SplitRule rule;
      rule.seed = seed;
      assign_splits(pairs, rule, false);
      std::map<std::string, std::set<std::string>> splits;
      for (const Pair& p : pairs) splits[p.group].insert(p.split);
      for (const auto& [group, names] : splits) CHECK(names.size() == 1);
      auto n = counts(pairs);
      CHECK(std::abs(n["test"] - 42) <= per_group / 2 + 1);
      CHECK(std::abs(n["val"] - 21) <= per_group / 2 + 1);
    }
  }
  std::vector<Pair> few = numbered(5, 1);
  assign_splits(few, {}, false);
  auto n = counts(few);
  CHECK(n["test"] == 1);
  CHECK(n["val"] == 1);
}

TEST_CASE("a stored split stays when pairs are added") {
  Folder f;
  for (int i = 0; i < 12; ++i) add_pair(f.path, "song" + std::to_string(i) + "x");
  const SplitRule rule = parse_split_rule("test=0.25,val=0.25,by=id,seed=7");
  write_splits(scan_pairs(f.path, rule).set, rule);
  std::map<std::string, std::string> before;
  for (const Pair& p : read_pair_set(f.path).pairs) before[p.id] = p.split;
  for (int i = 12; i < 24; ++i) add_pair(f.path, "song" + std::to_string(i) + "x");
  const PairScan after = scan_pairs(f.path);
  CHECK(after.has_stored_split);
  CHECK(after.rule.seed == 7);
  CHECK(after.rule.by == "id");
  for (const Pair& p : after.set.pairs) {
    if (before.count(p.id) != 0) CHECK(before.at(p.id) == p.split);
  }
  CHECK(counts(after.set.pairs)["test"] == 6);
  CHECK(counts(after.set.pairs)["val"] == 6);
}

TEST_CASE("a split that parts a group, and a splits file that is none, are errors") {
  Folder f;
  add_pair(f.path, "jam");
  add_pair(f.path, "jam_mix");
  write_file_atomic(f.path / "splits.toml",
                    "schema = \"retake.splits/1\"\n[split]\njam = \"train\"\njam_mix = \"test\"\n"
                    "[group]\njam = \"jam\"\njam_mix = \"jam\"\n");
  CHECK(ids_of(scan_pairs(f.path).problems) == std::vector<std::string>{"E512"});
  for (const char* text :
       {"", "schema = 3", "[split", "schema = \"retake.splits/1\"\n[split]\na = 1",
        "schema = \"retake.splits/1\"\n[split]\na = \"dev\"\n[group]\n"}) {
    write_file_atomic(f.path / "splits.toml", text);
    CHECK(ids_of(scan_pairs(f.path).problems) == std::vector<std::string>{"E511"});
  }
}

TEST_CASE("split rules are parsed strictly") {
  CHECK(parse_split_rule("test=0.2").val == 0.0);
  CHECK(parse_split_rule("val=0.1,test=0.3,by=prefix:_").by == "prefix:_");
  for (const char* text :
       {"", "test", "test=1", "test=-0.1", "test=x", "tset=0.1", "test=0.6,val=0.4",
        "test=0.2,by=artist", "test=0.2,seed=-1", "test=nan"}) {
    CHECK_THROWS_AS(parse_split_rule(text), UsageError);
  }
}

TEST_CASE("material round trip and its errors") {
  Folder f;
  const std::vector<MaterialSpan> spans = {{0, 10, "talk"}, {10, 30, "kept"}};
  write_material(spans, f.path / "m.json");
  const auto read = read_material(f.path / "m.json");
  REQUIRE(read.size() == 2);
  CHECK(read[1].kind == "kept");
  CHECK(read[1].end == 30);
  CHECK(material_problems(spans, 30).empty());
  CHECK(material_problems(spans, 31).size() == 1);
  CHECK(material_problems({{0, 10, "talk"}, {11, 30, "kept"}}, 30).size() == 1);
  CHECK(material_problems({{0, 10, "noise"}}, 10).size() == 1);
  for (const char* text : {"", "[]", "{}", "{\"schema\":\"retake.material/1\",\"spans\":[[0,1]]}",
                           "{\"schema\":\"retake.material/1\",\"spans\":[[5,1,\"kept\"]]}"}) {
    write_file_atomic(f.path / "bad.json", text);
    CHECK_THROWS_AS(read_material(f.path / "bad.json"), DataError);
  }
}

TEST_CASE("pairs begun and given up side by side leave nothing and do not disturb each other") {
  Folder f;
  const PairWriter writer(f.path);
  std::vector<std::string> errors(4);
  std::vector<std::thread> threads;
  for (std::size_t t = 0; t < errors.size(); ++t) {
    threads.emplace_back([&, t] {
      try {
        for (int i = 0; i < 300; ++i) {
          PairDraft draft;
          draft.id = "p" + std::to_string(t);
          draft.sample_rate = 8000.0;
          draft.channels = 1;
          draft.samples = 8;
          writer.begin(std::move(draft));
        }
      } catch (const std::exception& e) {
        errors[t] = e.what();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::string& error : errors) CHECK(error.empty());
  for (const auto& entry : fs::recursive_directory_iterator(f.path)) {
    CHECK(entry.is_directory());
    CHECK(entry.path().filename().string().rfind(".making", 0) == std::string::npos);
  }
}

// What every list of pairs must keep, and what alignments say of the files they were made from.

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "catch.hpp"
#include "core/files.hpp"
#include "data/alignment_files.hpp"
#include "data/pair_checks.hpp"
#include "data/pair_edl.hpp"
#include "retake/error.hpp"
#include "unit/run/temp_folder.hpp"

using namespace retake;
namespace fs = std::filesystem;

namespace {

using Folder = TempFolder;

Pair pair_in(const Folder& f, const std::string& id, const std::string& split) {
  Pair p;
  p.id = id;
  p.group = id;
  p.split = split;
  p.raw = f.path / (id + "_raw.wav");
  p.edit = f.path / (id + "_edit.wav");
  write_file_atomic(p.raw, id);
  write_file_atomic(p.edit, id);
  return p;
}

PairSet sound_set(const Folder& f) {
  PairSet set;
  set.root = f.path;
  set.pairs = {pair_in(f, "a", "train"), pair_in(f, "b", "val"), pair_in(f, "c", "test")};
  return set;
}

bool found(const PairSet& set, const std::string& part) {
  const auto problems = data::pair_list_problems(set);
  return std::any_of(problems.begin(), problems.end(), [&](const std::string& problem) {
    return problem.find(part) != std::string::npos;
  });
}

}  // namespace

TEST_CASE("a list of pairs keeps ids, splits, files and lengths") {
  const Folder f;
  const PairSet sound = sound_set(f);
  CHECK(data::pair_list_problems(sound).empty());
  const auto with = [&](auto&& change) {
    PairSet set = sound;
    change(set.pairs);
    return set;
  };
  for (const char* id : {"", "../b", "/b", "b/c", "..", "b\n"}) {
    CHECK(found(with([&](auto& p) { p[1].id = id; }), "cannot name a file"));
  }
  CHECK(found(with([](auto& p) { p.push_back(p[0]); }), "pair `a` is listed twice"));
  CHECK(found(with([](auto& p) { p[0].split = "traim"; }), "in the split `traim`"));
  CHECK(
      found(with([](auto& p) { p[1].group = "a"; }), "group `a` is in two splits, train and val"));
  CHECK(found(with([](auto& p) { p[1].raw = p[0].raw; }), "is in two splits, train and val"));
  CHECK(found(with([](auto& p) { p[2].edit = "c_edit.wav"; }), "no absolute path of a file"));
  CHECK(found(with([](auto& p) { p[2].raw_seconds = std::nan(""); }), "a length that is none"));
  CHECK(found(with([](auto& p) { p[2].edit_seconds = -1; }), "a length that is none"));
}

TEST_CASE("an alignment counts for the contents that it was made from") {
  const Folder f;
  Pair pair = pair_in(f, "a", "train");
  pair.alignment = f.path / "a.edl.json";
  const auto hash_of = [](const fs::path& file) { return "hash of " + read_file(file); };
  CHECK_NOTHROW(data::require_same_content(pair, hash_of));  // nothing tells
  Table origin, info;
  origin["raw_sha256"] = "hash of a";
  origin["edit_sha256"] = "hash of a";
  info["origin"] = origin;
  info["related"] = true;
  const AlignmentPaths paths(f.path, "a");
  write_info(info, paths);
  CHECK_NOTHROW(data::require_same_content(pair, hash_of));
  CHECK_FALSE(data::unrelated(pair).has_value());
  write_file_atomic(pair.edit, "another take");
  try {
    data::require_same_content(pair, hash_of);
    FAIL("no error");
  } catch (const DataError& e) {
    CHECK(e.diagnostics().front().id == "E540");
    CHECK(e.diagnostics().front().message.find("the edit had another content") !=
          std::string::npos);
  }
  info["related"] = false;
  info["confidence"] = 0.04;
  write_info(info, paths);
  const auto warning = data::unrelated(pair);
  REQUIRE(warning.has_value());
  CHECK(warning->id == "W506");
  CHECK(warning->message.find("(confidence 0.04)") != std::string::npos);
  write_file_atomic(paths.info, "{");  // that it cannot be read is for `align` to mend
  CHECK_NOTHROW(data::require_same_content(pair, hash_of));
}

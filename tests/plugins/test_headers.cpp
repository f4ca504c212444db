// The hash of a kind covers every header whose types cross the border, and nothing but their code.

#include <regex>
#include <set>

#include "catch.hpp"
#include "support.hpp"

namespace fs = std::filesystem;
using test::Folder;

namespace {

const fs::path kInclude = fs::path(RETAKE_SOURCE_DIR) / "framework" / "include";

/// The headers that a header names: by #include or in a comment.
std::set<std::string> closure(const std::string& header) {
  static const std::regex named("retake/[a-z0-9_/]+\\.hpp");
  std::set<std::string> out;
  std::vector<std::string> open = {header};
  while (!open.empty()) {
    const std::string next = open.back();
    open.pop_back();
    if (!fs::exists(kInclude / next) || !out.insert(next).second) continue;
    const std::string text = test::read(kInclude / next);
    for (std::sregex_iterator at(text.begin(), text.end(), named), end; at != end; ++at) {
      open.push_back(at->str());
    }
  }
  return out;
}

/// The hashes of a copy of the headers, as the build makes them.
std::string hashes(const fs::path& include, const fs::path& out) {
  const fs::path script = fs::path(RETAKE_SOURCE_DIR) / "framework" / "cmake" / "hash_kinds.cmake";
  const test::Output made =
      test::run(std::string(RETAKE_CMAKE) + " -DINCLUDE_DIR=" + include.string() +
                " -DOUT_DIR=" + out.string() + " -P " + script.string() + " 2>&1");
  INFO(made.text);
  REQUIRE(made.code == 0);
  return test::read(out / "plugin" / "kind_hashes.hpp");
}

std::string hash_of(const std::string& table, const std::string& kind) {
  const std::size_t at = table.find("{\"" + kind + "\", \"");
  REQUIRE(at != std::string::npos);
  return table.substr(at + kind.size() + 6, 16);
}

void replace(const fs::path& file, const std::string& from, const std::string& to) {
  std::string text = test::read(file);
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  test::write(file, text.replace(at, from.size(), to));
}

}  // namespace

TEST_CASE("a forward declaration in a kind's header names the header that defines it") {
  static const std::regex declared("\n(?:class|struct) ([A-Za-z]+);");
  std::size_t checked = 0;
  for (const auto& entry : fs::directory_iterator(kInclude / "retake" / "kinds")) {
    const std::string header = "retake/kinds/" + entry.path().filename().string();
    INFO(header);
    const std::set<std::string> known = closure(header);
    std::string text = test::read(entry.path());
    text = text.substr(text.find("namespace retake {"));  // torch's own types come before it
    for (std::sregex_iterator at(text.begin(), text.end(), declared), end; at != end; ++at) {
      const std::string name = (*at)[1];
      INFO(name);
      const std::regex defined("\n(?:class|struct) " + name + "( final)?( :| \\{)");
      bool found = false;
      for (const std::string& candidate : known) {
        found = found || std::regex_search(test::read(kInclude / candidate), defined);
      }
      CHECK(found);
      ++checked;
    }
  }
  CHECK(checked >= 8);
}

TEST_CASE("the hash of a kind changes with its code, and with nothing else") {
  const Folder folder;
  const fs::path include = folder / "include";
  fs::copy(kInclude, include, fs::copy_options::recursive);
  const std::string before = hashes(include, folder / "out");
  const fs::path schedule = include / "retake" / "kinds" / "lr_schedule.hpp";

  replace(schedule, "#pragma once\n", "#pragma once\n\n// Another comment; it has \"quotes\".\n");
  replace(schedule, "class LrSchedule", "/* and one more */\nclass LrSchedule");
  CHECK(hashes(include, folder / "out") == before);

  replace(schedule, "std::int64_t total)", "std::int32_t total)");
  const std::string after = hashes(include, folder / "out");
  CHECK(hash_of(after, "lr_schedule") != hash_of(before, "lr_schedule"));
  CHECK(hash_of(after, "reward") == hash_of(before, "reward"));

  // Two headers further: the layout of a tensor map matters to every torch kind, to no reward.
  replace(include / "retake" / "nn" / "tensor_map.hpp", "entries_;", "entries_; int more_ = 0;");
  const std::string torch = hashes(include, folder / "out");
  for (const char* kind : {"model", "loss", "optimizer", "trainer", "editor"}) {
    CHECK(hash_of(torch, kind) != hash_of(after, kind));
  }
  CHECK(hash_of(torch, "reward") == hash_of(after, "reward"));

  // Registration itself belongs to every kind.
  replace(include / "retake" / "component.hpp", "bool needs_gpu", "bool wants_gpu");
  const std::string all = hashes(include, folder / "out");
  CHECK(hash_of(all, "reward") != hash_of(torch, "reward"));
  CHECK(hash_of(all, "dataset") != hash_of(torch, "dataset"));
}

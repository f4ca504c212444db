// Files made to hurt: each is a clear error, none a crash.

#include <algorithm>

#include "catch.hpp"
#include "fixture.hpp"
#include "retake/rng.hpp"

using namespace config_test;

namespace {

std::string repeated(const std::string& text, std::size_t n) {
  std::string out;
  out.reserve(text.size() * n);
  for (std::size_t i = 0; i < n; ++i) out += text;
  return out;
}

Diagnostic only_error(const std::string& text) {
  const auto all = errors_of(text);
  INFO(shown(all));
  REQUIRE_FALSE(all.empty());
  CHECK_FALSE(all[0].message.empty());
  REQUIRE(all[0].place);
  CHECK(all[0].place->file.ends_with("small.toml"));
  return all[0];
}

}  // namespace

TEST_CASE("broken TOML is told with line and column") {
  const Diagnostic d = only_error("[model]\nplugin = \"keep_cut\nkernel = 3\n");
  CHECK(d.id == "E101");
  CHECK(d.place->line == 2);
  CHECK_FALSE(d.caret.empty());
  CHECK(only_error("[model]\nplugin = \"a\"\nplugin = \"b\"\n").place->line == 3);
  CHECK(only_error("[model]\n[model]\n").id == "E101");
  CHECK(only_error("a = \n").id == "E101");
  CHECK(only_error("a = 2026-01-01\n").id == "E101");
  CHECK(only_error("a = 99999999999999999999\n").id == "E101");
}

TEST_CASE("columns count characters, not bytes") {
  // The key stands behind a string of two characters in five bytes.
  const auto all = errors_of("[model]\nplugin = \"keep_cut\"\n\"\u00fc\u20ac\" = 1\n");
  REQUIRE_FALSE(all.empty());
  REQUIRE(all[0].place);
  CHECK(all[0].place->column == 1);
  CHECK(all[0].place->length == 4);
  const Diagnostic d = only_error("notes = \"\u00fc\u20ac\", more = 1\n");
  CHECK(d.id == "E101");
  CHECK(d.place->line == 1);
  CHECK(d.place->column == 13);
}

TEST_CASE("what would take for ever is refused at once") {
  std::string keys = "[model]\n";
  for (int i = 0; i < 100000; ++i) keys += "k" + std::to_string(i) + " = 1\n";
  CHECK(only_error(keys).message.find("100000 keys") != std::string::npos);
  std::string arrays = "[a]\nx0 = [1, 2, 3, 4, 5, 6, 7, 8]\n";
  for (int i = 1; i < 12; ++i) {
    const std::string ref = "\"${a.x" + std::to_string(i - 1) + "}\"";
    arrays += "x" + std::to_string(i) + " = [" + repeated(ref + ", ", 15) + ref + "]\n";
  }
  const auto all = errors_of(arrays);
  CHECK(std::any_of(all.begin(), all.end(), [](const Diagnostic& d) {
    return d.id == "E120" && d.message.find("copy more than") != std::string::npos;
  }));
}

TEST_CASE("files that are not text are refused") {
  CHECK(only_error(std::string("\x7f"
                               "ELF\x02\x01\x01\0\0\0",
                               10))
            .id == "E101");
  const Diagnostic d = only_error("[model]\nplugin = \"k\xff\xfe\"\n");
  CHECK(d.id == "E101");
  CHECK(d.place->line == 2);
  CHECK(d.place->source_line.empty());
  CHECK(only_error("[model]\nplugin = \"\xc0\x80\"\n").id == "E101");
  CHECK(only_error("[model]\nplugin = \"\xed\xa0\x80\"\n").id == "E101");
  CHECK(only_error(std::string("a = \"x\0y\"\n", 10)).id == "E101");
}

TEST_CASE("huge files and deep nesting end quickly") {
  CHECK(only_error(repeated("# padding\n", 500000)).id == "E101");
  CHECK(only_error("a = " + repeated("[", 100000)).id == "E101");
  CHECK(only_error("a = " + repeated("{a = ", 100000)).id == "E101");
  CHECK(only_error(repeated("a.", 500000) + "a = 1\n").id == "E101");
  CHECK(only_error("[" + repeated("a.", 500000) + "a]\n").id == "E101");
  CHECK(only_error("x = {" + repeated("a.", 500000) + "a = 1}\n").id == "E101");
  CHECK(only_error("[model]\nplugin = \"" + repeated("p", 1000000) + "\"\n").id == "E201");
  CHECK(only_error("[" + repeated("k", 100000) + "]\n").id == "E102");
}

TEST_CASE("thousands of unknown keys are twenty errors") {
  std::string text = "[model]\nplugin = \"pointer_network\"\n";
  for (int i = 0; i < 4000; ++i) text += "key_" + std::to_string(i) + " = 1\n";
  CHECK(errors_of(text).size() == 20);
}

TEST_CASE("brackets, quotes and hashes inside texts are no nesting") {
  const std::string many = repeated("[", 100) + repeated("a.", 100) + "#";
  CHECK(resolve(std::string(kGood) + "[run]\ndir = '" + many + "'\n").run.dir == many);
  CHECK(resolve(std::string(kGood) + "[run]\ndir = \"\\\"" + many + "\"\n").run.dir == "\"" + many);
  CHECK(resolve("# " + many + "\n" + kGood + "[run]\ndir = '''x\n" + many + "'''\n").run.dir ==
        "x\n" + many);
}

TEST_CASE("mutated files give errors or results, never anything else") {
  Rng rng(7);
  const std::string good = kGood;
  for (int round = 0; round < 2000; ++round) {
    std::string text = good;
    const auto edits = 1 + rng.below(4);
    for (std::uint64_t i = 0; i < edits; ++i) {
      const std::size_t at = rng.below(text.size());
      switch (rng.below(3)) {
        case 0:
          text[at] = static_cast<char>(rng.below(256));
          break;
        case 1:
          text.erase(at, 1 + rng.below(20));
          break;
        default:
          text.insert(at, text.substr(rng.below(text.size()), 1 + rng.below(20)));
          break;
      }
      if (text.empty()) text = "x";
    }
    try {
      const auto e = resolve_experiment_text(text, "mutant.toml", catalog());
      CHECK(config_hash(resolve_experiment_text(resolved_toml(e), "r", catalog())) ==
            config_hash(e));
    } catch (const Error& e) {
      CHECK_FALSE(e.diagnostics().empty());
      CHECK_FALSE(shown(e.diagnostics()).empty());
    }
  }
}

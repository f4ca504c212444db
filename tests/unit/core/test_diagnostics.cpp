#include "catch.hpp"
#include "core/diagnostics.hpp"
#include "core/utf8.hpp"

using namespace retake;

namespace {

Diagnostic at(const std::string& line, int column, int length) {
  Diagnostic d;
  d.id = "E104";
  d.message = "unknown";
  Place place;
  place.file = "a.toml";
  place.line = 12;
  place.column = column;
  place.length = length;
  place.source_line = line;
  d.place = place;
  d.caret = "here";
  return d;
}

/// The line with the carets, less the margin.
std::string carets(const Diagnostic& d) {
  const std::string text = render(d, false);
  const std::size_t end = text.find(" here\n");
  const std::size_t begin = text.rfind('\n', end) + 1;
  REQUIRE(text.substr(begin, 5) == "   | ");
  return text.substr(begin + 5, end - begin - 5);
}

}  // namespace

TEST_CASE("a diagnostic has headline, place, source line and caret") {
  CHECK(render(at("layrs = 4", 1, 5), false) ==
        "error[E104]: unknown\n"
        "  --> a.toml:12:1\n"
        "   |\n"
        "12 | layrs = 4\n"
        "   | ^^^^^ here\n");
}

TEST_CASE("carets stand under characters, whatever their bytes") {
  // Two letters of two bytes, one of three and one of four stand before the caret.
  const std::string line = "\u00e4\u00f6\u20ac\U0001d11e = layrs";
  CHECK(carets(at(line, 8, 5)) == "       ^^^^^");
  CHECK(carets(at(line, 1, 4)) == "^^^^");
  CHECK(carets(at(line, 2, 1)) == " ^");
  CHECK(carets(at("\t\u00e4 = x", 6, 1)) == "\t    ^");
}

TEST_CASE("carets stay within the line") {
  CHECK(carets(at("ab", 1, 50)) == "^^");
  CHECK(carets(at("ab", 3, 4)) == "  ^");
  CHECK(carets(at("ab", 99, 4)) == "  ^");
  CHECK(carets(at("ab", 0, 0)) == "^");
  CHECK(carets(at("ab", -5, -5)) == "^");
  CHECK(carets(at("\u00e4\u00f6", 2, 9)) == " ^");
}

TEST_CASE("characters of UTF-8 text") {
  const std::string text = "a\u00e4\u20ac\U0001d11ez";
  CHECK(count_characters(text) == 5);
  CHECK(byte_of_character(text, 0) == 0);
  CHECK(byte_of_character(text, 1) == 1);
  CHECK(byte_of_character(text, 2) == 3);
  CHECK(byte_of_character(text, 4) == 10);
  CHECK(byte_of_character(text, 5) == text.size());
  CHECK(byte_of_character("", 0) == 0);
}

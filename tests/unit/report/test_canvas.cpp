#include "report/canvas.hpp"

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>

#include <unistd.h>

#include "catch.hpp"
#include "report/font.hpp"
#include "retake/error.hpp"

using retake::report::Canvas;
using retake::report::Raster;
using retake::report::Svg;
namespace fs = std::filesystem;

namespace {

constexpr retake::report::Color kBlack{0, 0, 0};

struct TempFile {
  TempFile() : path(fs::temp_directory_path() / ("retake_canvas_" + std::to_string(getpid()))) {}
  ~TempFile() { fs::remove(path); }
  std::string bytes() const {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  fs::path path;
};

std::string picture(const std::string& text, int scale, int x, int width, int height) {
  Raster canvas(width, height);
  canvas.text(x, 0, text, scale, kBlack);
  const TempFile file;
  save(canvas, file.path);
  return file.bytes();
}

}  // namespace

TEST_CASE("every glyph is strokes of the grid") {
  for (std::size_t i = 0; i < retake::report::kGlyphs.size(); ++i) {
    const std::string glyph(retake::report::kGlyphs[i]);
    INFO(static_cast<char>(' ' + i) << " = " << glyph);
    CHECK(glyph.empty() == (i == 0));
    std::size_t length = 0;
    for (const char c : glyph + " ") {
      if (c == ' ') {
        if (i > 0) CHECK((length >= 4 && length % 2 == 0));
        length = 0;
        continue;
      }
      const bool is_x = length++ % 2 == 0;
      const std::string allowed = is_x ? "012345678" : "0123456789abcdef";
      CHECK(allowed.find(c) != std::string::npos);
    }
  }
}

TEST_CASE("letters look different, at every scale, and stay in their cells") {
  for (const int scale : {1, 2, 3, 4}) {
    std::map<std::string, char> seen;
    for (char c = ' '; c <= '~'; ++c) {
      INFO("scale " << scale << ": " << c);
      const int width = 6 * scale, height = 9 * scale;
      const auto [same, fresh] =
          seen.emplace(picture(std::string(1, c), scale, 0, width, height), c);
      INFO("looks like " << same->second);
      CHECK(fresh);
      // Nothing right of the cell: a picture of the next cell alone stays empty.
      if (c != ' ') {
        CHECK(picture(std::string(1, c), scale, -width, width, height) ==
              picture(" ", scale, 0, width, height));
      }
    }
  }
}

TEST_CASE("text is one cell a character, what is not ASCII is a question mark") {
  CHECK(Canvas::text_width("", 2) == 0);
  CHECK(Canvas::text_width("abc", 2) == 36);
  CHECK(Canvas::text_width("\u00e4\u20ac\U0001d11e", 1) == 18);
  CHECK(picture("a\u20acb", 2, 0, 40, 20) == picture("a?b", 2, 0, 40, 20));
  CHECK(picture("\x7f\n", 2, 0, 40, 20) == picture("??", 2, 0, 40, 20));
}

TEST_CASE("a picture that cannot be written is an error that names it") {
  const Raster canvas(4, 4);
  CHECK_THROWS_AS(save(canvas, "/proc/none/picture.png"), retake::DataError);
}

TEST_CASE("an SVG holds lines as paths, areas as rectangles and texts as texts") {
  Svg canvas(40, 30);
  canvas.line(0, 0, 5, 5, kBlack);
  canvas.line(5, 5, 9, 0, kBlack);
  canvas.line(1, 1, 2, 2, kBlack);
  canvas.line(0, 0, 1, 0, {255, 0, 16});
  canvas.fill(3, 4, 13, 24, {1, 2, 3});
  canvas.fill(3, 4, 3, 24, kBlack);  // nothing
  canvas.text(2, 3, "a<b & \u00e4\xff\n", 2, kBlack);
  canvas.line(7, 7, 8, 8, kBlack);
  const std::string svg = canvas.file();
  for (const char* part : {"width=\"40\" height=\"30\" viewBox=\"0 0 40 30\"",
                           "<path stroke=\"#000000\" d=\"M0 0L5 5L9 0M1 1L2 2\"/>",
                           "<path stroke=\"#ff0010\" d=\"M0 0L1 0\"/>",
                           "<rect x=\"3\" y=\"4\" width=\"10\" height=\"20\"", "fill=\"#010203\"",
                           "<text x=\"2\" y=\"17\"",
                           ">a&lt;b &amp; \u00e4?"
                           "?</text>",
                           "<path stroke=\"#000000\" d=\"M7 7L8 8\"/>\n</g>\n</svg>\n"}) {
    INFO(part);
    CHECK(svg.find(part) != std::string::npos);
  }
  CHECK(svg.find("width=\"0\"") == std::string::npos);
  CHECK(canvas.file() == svg);
}

TEST_CASE("the ending of a file chooses the kind of picture") {
  CHECK(retake::report::canvas_for("a/b.svg", 4, 4)->file().starts_with("<?xml"));
  CHECK(retake::report::canvas_for("a.svg/b.png", 4, 4)->file().starts_with("\x89PNG"));
}

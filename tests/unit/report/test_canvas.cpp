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
  Canvas canvas(width, height);
  canvas.text(x, 0, text, scale, kBlack);
  const TempFile file;
  canvas.write_png(file.path);
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

TEST_CASE("text is one cell a character; what is not ASCII is a question mark") {
  CHECK(Canvas::text_width("", 2) == 0);
  CHECK(Canvas::text_width("abc", 2) == 36);
  CHECK(Canvas::text_width("\u00e4\u20ac\U0001d11e", 1) == 18);
  CHECK(picture("a\u20acb", 2, 0, 40, 20) == picture("a?b", 2, 0, 40, 20));
  CHECK(picture("\x7f\n", 2, 0, 40, 20) == picture("??", 2, 0, 40, 20));
}

TEST_CASE("a picture that cannot be written is an error that names it") {
  const Canvas canvas(4, 4);
  CHECK_THROWS_AS(canvas.write_png("/proc/none/picture.png"), retake::DataError);
}

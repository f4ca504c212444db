#pragma once
// A small raster canvas for plots, written as PNG. Needs no fonts on the machine.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace retake::report {

struct Color {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
};

class Canvas {
 public:
  Canvas(int width, int height);

  int width() const { return width_; }
  int height() const { return height_; }
  /// Pixels outside the canvas are ignored, here and below.
  void pixel(int x, int y, Color color);
  void fill(int x0, int y0, int x1, int y1, Color color);  ///< half open
  void line(int x0, int y0, int x1, int y1, Color color);
  /// A filled square of side 2 * radius + 1.
  void dot(int x, int y, int radius, Color color);
  /// ASCII in a font 5 dots wide and 7 high, `scale` pixels a dot, 6 dots from letter to letter;
  /// (x, y) is the upper left corner, descenders reach one dot below. Other characters are drawn as
  /// '?', one per UTF-8 character.
  void text(int x, int y, std::string_view text, int scale, Color color);
  static int text_width(std::string_view text, int scale);
  static constexpr int kTextHeight = 7;

  const std::vector<std::uint8_t>& rgb() const { return rgb_; }
  /// Atomic. Throws DataError naming the file when it cannot be written.
  void write_png(const std::filesystem::path& path) const;

 private:
  void glyph(int x, int y, std::string_view strokes, int scale, Color color);

  int width_;
  int height_;
  std::vector<std::uint8_t> rgb_;
};

/// A PNG of rows of RGB, in memory.
std::string png_bytes(int width, int height, const std::vector<std::uint8_t>& rgb);

}  // namespace retake::report

#pragma once
// What plots are drawn on: a raster for PNG, or the elements of an SVG. Needs no fonts on the
// machine.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace retake::report {

struct Color {
  std::uint8_t red = 0;
  std::uint8_t green = 0;
  std::uint8_t blue = 0;
  friend bool operator==(const Color&, const Color&) = default;
};

/// In pixels from the upper left corner, on white. What lies outside is not seen.
class Canvas {
 public:
  virtual ~Canvas() = default;
  Canvas(const Canvas&) = delete;
  Canvas& operator=(const Canvas&) = delete;

  int width() const { return width_; }
  int height() const { return height_; }
  virtual void fill(int x0, int y0, int x1, int y1, Color color) = 0;  ///< half open
  virtual void line(int x0, int y0, int x1, int y1, Color color) = 0;
  /// A filled square of side 2 * radius + 1.
  void dot(int x, int y, int radius, Color color);
  /// Letters 5 dots wide and 7 high, `scale` pixels a dot, 6 dots from letter to letter; (x, y) is
  /// the upper left corner, descenders reach one dot below.
  virtual void text(int x, int y, std::string_view text, int scale, Color color) = 0;
  static int text_width(std::string_view text, int scale);
  static constexpr int kTextHeight = 7;

  /// The bytes of a picture file. May be asked again after more was drawn.
  virtual std::string file() const = 0;

 protected:
  Canvas(int width, int height) : width_(width), height_(height) {}

 private:
  int width_;
  int height_;
};

/// Pixels, written as PNG. Text is ASCII; other characters are drawn as '?', one per UTF-8
/// character.
class Raster final : public Canvas {
 public:
  Raster(int width, int height);

  /// Pixels outside the canvas are ignored.
  void pixel(int x, int y, Color color);
  void fill(int x0, int y0, int x1, int y1, Color color) override;
  void line(int x0, int y0, int x1, int y1, Color color) override;
  void text(int x, int y, std::string_view text, int scale, Color color) override;
  std::string file() const override;
  const std::vector<std::uint8_t>& rgb() const { return rgb_; }

 private:
  void glyph(int x, int y, std::string_view strokes, int scale, Color color);

  std::vector<std::uint8_t> rgb_;
};

/// Scalable Vector Graphics 1.1: lines of one colour drawn after each other are one path, texts
/// stay texts (UTF-8, in whatever monospaced font the viewer has, fitted to the width).
class Svg final : public Canvas {
 public:
  Svg(int width, int height) : Canvas(width, height) {}

  void fill(int x0, int y0, int x1, int y1, Color color) override;
  void line(int x0, int y0, int x1, int y1, Color color) override;
  void text(int x, int y, std::string_view text, int scale, Color color) override;
  std::string file() const override;

 private:
  std::string open_path() const;  ///< the element of the lines that are not in body_ yet
  void end_path();

  std::string body_;
  std::string path_;  ///< the `d` of the lines drawn last
  Color path_color_;
  int end_x_ = 0, end_y_ = 0;  ///< where the last line ended
};

/// An Svg for a name that ends in .svg, else a Raster.
std::unique_ptr<Canvas> canvas_for(const std::filesystem::path& path, int width, int height);

/// Atomic. Throws DataError naming the file when it cannot be written.
void save(const Canvas& canvas, const std::filesystem::path& path);

/// A PNG of rows of RGB, in memory.
std::string png_bytes(int width, int height, const std::vector<std::uint8_t>& rgb);

}  // namespace retake::report

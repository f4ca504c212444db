#include "report/canvas.hpp"

#include <png.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <string>

#include "core/files.hpp"
#include "core/utf8.hpp"
#include "report/font.hpp"
#include "retake/error.hpp"

namespace retake::report {

void Canvas::dot(int x, int y, int radius, Color color) {
  fill(x - radius, y - radius, x + radius + 1, y + radius + 1, color);
}

int Canvas::text_width(std::string_view text, int scale) {
  return static_cast<int>(count_characters(text)) * 6 * scale;
}

Raster::Raster(int width, int height)
    : Canvas(width, height),
      rgb_(3 * static_cast<std::size_t>(width) * static_cast<std::size_t>(height), 0xFF) {}

void Raster::pixel(int x, int y, Color color) {
  if (x < 0 || y < 0 || x >= width() || y >= height()) return;
  std::uint8_t* p =
      rgb_.data() + 3 * (static_cast<std::size_t>(y) * static_cast<std::size_t>(width()) +
                         static_cast<std::size_t>(x));
  p[0] = color.red;
  p[1] = color.green;
  p[2] = color.blue;
}

void Raster::fill(int x0, int y0, int x1, int y1, Color color) {
  for (int y = std::max(0, y0); y < std::min(height(), y1); ++y) {
    for (int x = std::max(0, x0); x < std::min(width(), x1); ++x) pixel(x, y, color);
  }
}

// Bresenham, "Algorithm for computer control of a digital plotter", 1965.
void Raster::line(int x0, int y0, int x1, int y1, Color color) {
  const int dx = std::abs(x1 - x0);
  const int dy = -std::abs(y1 - y0);
  const int sx = x0 < x1 ? 1 : -1;
  const int sy = y0 < y1 ? 1 : -1;
  int error = dx + dy;
  while (true) {
    pixel(x0, y0, color);
    if (x0 == x1 && y0 == y1) return;
    const int twice = 2 * error;
    if (twice >= dy) {
      error += dy;
      x0 += sx;
    }
    if (twice <= dx) {
      error += dx;
      y0 += sy;
    }
  }
}

void Raster::glyph(int x, int y, std::string_view strokes, int scale, Color color) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  const int weight = std::max(1, scale / 2);
  int last_x = 0, last_y = 0;
  bool down = false;
  for (std::size_t i = 0; i < strokes.size(); i += down ? 2 : 1) {
    if (strokes[i] == ' ') {
      down = false;
      continue;
    }
    // Two grid steps are one dot.
    const int to_x = x + digit(strokes[i]) * scale / 2;
    const int to_y = y + digit(strokes[i + 1]) * scale / 2;
    if (down) {
      for (int w = 0; w < weight * weight; ++w) {
        const int dx = w % weight, dy = w / weight;
        line(last_x + dx, last_y + dy, to_x + dx, to_y + dy, color);
      }
    }
    last_x = to_x;
    last_y = to_y;
    down = true;
  }
}

void Raster::text(int x, int y, std::string_view text, int scale, Color color) {
  for (const char c : text) {
    if (!starts_character(c)) continue;
    const bool known = c >= 32 && c <= 126;
    glyph(x, y, kGlyphs[static_cast<std::size_t>(known ? c - 32 : '?' - 32)], scale, color);
    x += 6 * scale;
  }
}

std::string png_bytes(int width, int height, const std::vector<std::uint8_t>& rgb) {
  png_image image;
  std::memset(&image, 0, sizeof image);
  image.version = PNG_IMAGE_VERSION;
  image.width = static_cast<png_uint_32>(width);
  image.height = static_cast<png_uint_32>(height);
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = PNG_IMAGE_PNG_SIZE_MAX(image);
  std::string bytes(size, '\0');
  if (png_image_write_to_memory(&image, bytes.data(), &size, 0, rgb.data(), 0, nullptr) == 0) {
    throw Error(
        ExitCode::unexpected,
        file_diagnostic("E406", {}, std::string("the picture cannot be made: ") + image.message,
                        "give it a size of 1 to 1,000,000 pixels a side"));
  }
  bytes.resize(size);
  return bytes;
}

std::string Raster::file() const {
  return png_bytes(width(), height(), rgb_);
}

std::unique_ptr<Canvas> canvas_for(const std::filesystem::path& path, int width, int height) {
  if (path.extension() == ".svg") return std::make_unique<Svg>(width, height);
  return std::make_unique<Raster>(width, height);
}

void save(const Canvas& canvas, const std::filesystem::path& path) {
  write_file_atomic(path, canvas.file());
}

}  // namespace retake::report

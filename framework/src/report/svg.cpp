// SVG elements of a Canvas (W3C, Scalable Vector Graphics 1.1, sections 8, 9 and 10).

#include <boost/locale/utf.hpp>
#include <cstdio>

#include "report/canvas.hpp"

namespace retake::report {
namespace {

std::string hex(Color c) {
  char text[8];
  std::snprintf(text, sizeof text, "#%02x%02x%02x", c.red, c.green, c.blue);
  return text;
}

std::string attribute(const char* name, int value) {
  return std::string(" ") + name + "=\"" + std::to_string(value) + "\"";
}

/// Text as XML; what is no UTF-8, or a character that XML 1.0 cannot hold, becomes '?'. File names
/// may be any bytes.
std::string escaped(std::string_view text) {
  namespace utf = boost::locale::utf;
  std::string out;
  for (auto at = text.begin(); at != text.end();) {
    const auto begin = at;
    const utf::code_point c = utf::utf_traits<char>::decode(at, text.end());
    if (!utf::is_valid_codepoint(c) || c < 0x20 || c == 0xfffe || c == 0xffff) {
      out += '?';
    } else if (c == '&' || c == '<') {
      out += c == '&' ? "&amp;" : "&lt;";
    } else {
      out.append(begin, at);
    }
  }
  return out;
}

}  // namespace

std::string Svg::open_path() const {
  if (path_.empty()) return {};
  return "<path stroke=\"" + hex(path_color_) + "\" d=\"" + path_ + "\"/>\n";
}

void Svg::end_path() {
  body_ += open_path();
  path_.clear();
}

void Svg::fill(int x0, int y0, int x1, int y1, Color color) {
  if (x1 <= x0 || y1 <= y0) return;
  end_path();
  // Lines run through the middles of pixels, so areas begin half a pixel before.
  body_ += "<rect" + attribute("x", x0) + attribute("y", y0) + attribute("width", x1 - x0) +
           attribute("height", y1 - y0) + " transform=\"translate(-0.5 -0.5)\" fill=\"" +
           hex(color) + "\"/>\n";
}

void Svg::line(int x0, int y0, int x1, int y1, Color color) {
  if (!path_.empty() && !(color == path_color_)) end_path();
  path_color_ = color;
  if (path_.empty() || x0 != end_x_ || y0 != end_y_) {
    path_ += "M" + std::to_string(x0) + " " + std::to_string(y0);
  }
  path_ += "L" + std::to_string(x1) + " " + std::to_string(y1);
  end_x_ = x1;
  end_y_ = y1;
}

void Svg::text(int x, int y, std::string_view text, int scale, Color color) {
  if (text.empty()) return;
  end_path();
  // Capital letters of most fonts are 0.7 of their size.
  body_ += "<text" + attribute("x", x) + attribute("y", y + kTextHeight * scale) +
           attribute("font-size", 10 * scale) + attribute("textLength", text_width(text, scale)) +
           " lengthAdjust=\"spacingAndGlyphs\" fill=\"" + hex(color) + "\" stroke=\"none\">" +
           escaped(text) + "</text>\n";
}

std::string Svg::file() const {
  const std::string w = std::to_string(width()), h = std::to_string(height());
  return "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
         "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" +
         w + "\" height=\"" + h + "\" viewBox=\"0 0 " + w + " " + h +
         "\">\n"
         "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n"
         "<g transform=\"translate(0.5 0.5)\" fill=\"none\" stroke-linecap=\"square\" "
         "font-family=\"monospace\" xml:space=\"preserve\">\n" +
         body_ + open_path() + "</g>\n</svg>\n";
}

}  // namespace retake::report

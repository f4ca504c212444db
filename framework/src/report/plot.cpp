#include "report/plot.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace retake::report {
namespace {

constexpr Color kInk{40, 40, 40};
constexpr Color kGrid{225, 225, 225};
constexpr Color kBlue{31, 95, 170};
constexpr Color kRed{200, 50, 40};
constexpr Color kGreen{60, 140, 70};
constexpr Color kGrey{170, 170, 170};
constexpr Color kKept{215, 230, 250};

/// 1, 2 or 5 times a power of ten, for about `count` ticks.
double tick_step(double span, int count) {
  const double rough = span / count;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double m : {1.0, 2.0, 5.0}) {
    if (m * power >= rough) return m * power;
  }
  return 10.0 * power;
}

std::string number(double v) {
  char text[32];
  std::snprintf(text, sizeof text, "%.10g", std::abs(v) < 1e-9 ? 0.0 : v);
  return text;
}

double end_of(const TimeGrid& grid) {
  return std::max(grid.seconds(std::max<std::int64_t>(1, grid.rows - 1)), 1e-3);
}

/// Red to blue.
Color of_confidence(double c) {
  c = std::clamp(c, 0.0, 1.0);
  const auto mix = [c](int a, int b) { return static_cast<std::uint8_t>(a + (b - a) * c); };
  return {mix(kRed.red, kBlue.red), mix(kRed.green, kBlue.green), mix(kRed.blue, kBlue.blue)};
}

}  // namespace

Axes::Axes(Canvas& canvas, int left, int top, int right, int bottom, Range x, Range y)
    : canvas_(canvas), left_(left), top_(top), right_(right), bottom_(bottom), x_(x), y_(y) {}

int Axes::x(double value) const {
  return left_ +
         static_cast<int>(std::lround((value - x_.low) / (x_.high - x_.low) * (right_ - left_)));
}

int Axes::y(double value) const {
  return bottom_ -
         static_cast<int>(std::lround((value - y_.low) / (y_.high - y_.low) * (bottom_ - top_)));
}

bool Axes::inside(double vx, double vy) const {
  return vx >= x_.low && vx <= x_.high && vy >= y_.low && vy <= y_.high;
}

void Axes::dot(double vx, double vy, int radius, Color color) {
  if (inside(vx, vy)) canvas_.dot(x(vx), y(vy), radius, color);
}

void Axes::horizontal(double vy, Color color) {
  if (vy >= y_.low && vy <= y_.high) canvas_.line(left_, y(vy), right_, y(vy), color);
}

void Axes::frame(const std::string& title, const std::string& x_label, const std::string& y_label) {
  constexpr int kScale = 2;
  constexpr int kHigh = Canvas::kTextHeight * kScale;
  const double step_x = tick_step(x_.high - x_.low, 12);
  for (double v = std::ceil(x_.low / step_x) * step_x; v <= x_.high + 1e-9; v += step_x) {
    canvas_.line(x(v), top_, x(v), bottom_, kGrid);
    const std::string label = number(v);
    canvas_.text(x(v) - Canvas::text_width(label, kScale) / 2, bottom_ + 8, label, kScale, kInk);
  }
  const double step_y = tick_step(y_.high - y_.low, 8);
  for (double v = std::ceil(y_.low / step_y) * step_y; v <= y_.high + 1e-9; v += step_y) {
    canvas_.line(left_, y(v), right_, y(v), kGrid);
    const std::string label = number(v);
    canvas_.text(left_ - 8 - Canvas::text_width(label, kScale), y(v) - kHigh / 2, label, kScale,
                 kInk);
  }
  canvas_.line(left_, top_, right_, top_, kInk);
  canvas_.line(left_, bottom_, right_, bottom_, kInk);
  canvas_.line(left_, top_, left_, bottom_, kInk);
  canvas_.line(right_, top_, right_, bottom_, kInk);
  canvas_.text(left_, top_ - kHigh - 8, title, kScale, kInk);
  canvas_.text(right_ - Canvas::text_width(y_label, kScale), top_ - kHigh - 8, y_label, kScale,
               kInk);
  canvas_.text((left_ + right_ - Canvas::text_width(x_label, kScale)) / 2, bottom_ + kHigh + 16,
               x_label, kScale, kInk);
}

void plot_alignment(const std::filesystem::path& path, const std::string& title,
                    const std::vector<std::int64_t>& pointers, std::span<const float> confidence,
                    const TimeGrid& edit_grid, const TimeGrid& raw_grid) {
  Raster canvas(2100, 1200);  // 14 x 8 inches at 150 dots
  const Axes::Range time{0.0, end_of(edit_grid)};
  Axes above(canvas, 140, 50, 2060, 640, time, {0.0, end_of(raw_grid)});
  above.frame(title, "edit time (s)", "raw time (s)");
  Axes below(canvas, 140, 750, 2060, 1120, time, {-100.0, 100.0});
  below.frame("pointer difference per frame (1: copied on)", "edit time (s)", "frames");
  below.horizontal(0.0, kGrey);
  below.horizontal(1.0, kGreen);
  for (std::size_t t = 0; t < pointers.size(); ++t) {
    if (pointers[t] < 0) continue;
    const double at = edit_grid.seconds(static_cast<std::int64_t>(t));
    const Color color = t < confidence.size() ? of_confidence(confidence[t]) : kBlue;
    above.dot(at, raw_grid.seconds(pointers[t]), 1, color);
    if (t > 0 && pointers[t - 1] >= 0) {
      const double step = static_cast<double>(pointers[t] - pointers[t - 1]);
      below.dot(at, std::clamp(step, -100.0, 100.0), 1, std::abs(step) > 100.0 ? kRed : kBlue);
    }
  }
  save(canvas, path);
}

Waveform waveform(AudioSource& source, int columns) {
  Waveform out;
  const AudioInfo& info = source.info();
  out.seconds = static_cast<double>(info.samples) / info.sample_rate;
  out.columns.assign(static_cast<std::size_t>(std::max(1, columns)), {0.0F, 0.0F});
  constexpr std::int64_t kBlock = 1 << 16;
  std::vector<float> block(kBlock);
  for (std::int64_t begin = 0; begin < info.samples; begin += kBlock) {
    const std::int64_t n = std::min(kBlock, info.samples - begin);
    source.read_mono(begin, n, block.data());
    for (std::int64_t i = 0; i < n; ++i) {
      const auto column = static_cast<std::size_t>(static_cast<double>(begin + i) /
                                                   static_cast<double>(info.samples) *
                                                   static_cast<double>(out.columns.size()));
      auto& [low, high] = out.columns[std::min(column, out.columns.size() - 1)];
      low = std::min(low, block[static_cast<std::size_t>(i)]);
      high = std::max(high, block[static_cast<std::size_t>(i)]);
    }
  }
  return out;
}

namespace {

void draw_curve(Canvas& canvas, const Axes& axes, const std::vector<float>& values, double seconds,
                Color color) {
  if (values.empty()) return;
  const double step = seconds / static_cast<double>(values.size());
  int x = axes.x(0.0);
  int y = axes.y(std::clamp<double>(values[0], 0.0, 1.0));
  for (std::size_t t = 1; t < values.size(); ++t) {
    const int nx = axes.x(static_cast<double>(t) * step);
    const int ny = axes.y(std::clamp<double>(values[t], 0.0, 1.0));
    canvas.line(x, y, nx, ny, color);
    x = nx;
    y = ny;
  }
}

constexpr int kEditWidth = 2100;

int edit_height(const std::map<std::string, std::vector<float>>& curves) {
  return curves.empty() ? 760 : 1100;
}

void draw_edit(Canvas& canvas, const std::string& title, const Waveform& raw, const Edl& edl,
               const std::map<std::string, std::vector<float>>& curves) {
  const double seconds = std::max(raw.seconds, 1e-3);
  const double rate =
      edl.sources.empty() || edl.sources[0].sample_rate <= 0.0 ? 1.0 : edl.sources[0].sample_rate;
  Axes wave(canvas, 140, 50, 2060, 380, {0.0, seconds}, {-1.0, 1.0});
  wave.frame(title, "raw time (s)", "");
  const double output = std::max(static_cast<double>(edl.output_samples()) / rate, 1e-3);
  Axes order(canvas, 140, 470, 2060, 680, {0.0, seconds}, {0.0, output});
  order.frame("edit time over raw time (s)", "raw time (s)", "");
  const auto starts = edl.output_starts();
  for (std::size_t i = 0; i < edl.segments.size(); ++i) {
    const Segment& s = edl.segments[i];
    if (s.is_gap()) continue;
    const double begin = static_cast<double>(s.begin) / rate;
    const double end = static_cast<double>(s.end) / rate;
    canvas.fill(wave.x(begin), wave.top() + 1, wave.x(end) + 1, wave.bottom(), kKept);
    const int y0 = order.y(static_cast<double>(starts[i]) / rate);
    const int y1 = order.y(static_cast<double>(starts[i + 1]) / rate);
    for (int thick = 0; thick < 3; ++thick) {
      canvas.line(order.x(begin), y0 - thick, order.x(end), y1 - thick, kBlue);
    }
  }
  for (std::size_t c = 0; c < raw.columns.size(); ++c) {
    const double at = (static_cast<double>(c) + 0.5) / static_cast<double>(raw.columns.size());
    const auto [low, high] = raw.columns[c];
    const int x = wave.x(at * seconds);
    canvas.line(x, wave.y(std::clamp(high, -1.0F, 1.0F)), x, wave.y(std::clamp(low, -1.0F, 1.0F)),
                kInk);
  }
  if (!curves.empty()) {
    Axes panel(canvas, 140, 770, 2060, 1020, {0.0, seconds}, {0.0, 1.0});
    std::string names;
    for (const auto& [name, values] : curves) names += (names.empty() ? "" : ", ") + name;
    panel.frame(names, "raw time (s)", "");
    const Color colors[] = {kBlue, kRed, kGreen, kGrey};
    std::size_t next = 0;
    for (const auto& [name, values] : curves) {
      draw_curve(canvas, panel, values, seconds, colors[next++ % std::size(colors)]);
    }
  }
}

}  // namespace

void plot_edit(const std::filesystem::path& path, const std::string& title, const Waveform& raw,
               const Edl& edl, const std::map<std::string, std::vector<float>>& curves) {
  const auto canvas = canvas_for(path, kEditWidth, edit_height(curves));
  draw_edit(*canvas, title, raw, edl, curves);
  save(*canvas, path);
}

Picture edit_picture(const std::string& title, const Waveform& raw, const Edl& edl,
                     const std::map<std::string, std::vector<float>>& curves) {
  Raster canvas(kEditWidth, edit_height(curves));
  draw_edit(canvas, title, raw, edl, curves);
  return {canvas.width(), canvas.height(), canvas.rgb()};
}

void plot_curve(const std::filesystem::path& path, const std::string& title,
                const std::string& x_label, const std::string& y_label,
                const std::vector<std::pair<double, double>>& points) {
  const auto canvas = canvas_for(path, 1200, 700);
  Axes::Range x{points.front().first, points.back().first}, y{INFINITY, -INFINITY};
  for (const auto& [_, value] : points) {
    y.low = std::min(y.low, value);
    y.high = std::max(y.high, value);
  }
  if (!(y.high > y.low)) y.high = y.low + 1.0;
  if (!(x.high > x.low)) x.high = x.low + 1.0;
  Axes axes(*canvas, 140, 50, 1160, 620, x, y);
  axes.frame(title, x_label, y_label);
  for (std::size_t i = 1; i < points.size(); ++i) {
    canvas->line(axes.x(points[i - 1].first), axes.y(points[i - 1].second), axes.x(points[i].first),
                 axes.y(points[i].second), kBlue);
  }
  for (const auto& [px, py] : points) axes.dot(px, py, 2, kBlue);
  save(*canvas, path);
}

}  // namespace retake::report

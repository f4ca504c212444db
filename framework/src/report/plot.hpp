#pragma once
// The pictures that commands write beside their results.

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "report/canvas.hpp"
#include "retake/audio/source.hpp"
#include "retake/audio/time_grid.hpp"
#include "retake/edit/edl.hpp"
#include "retake/exhibit.hpp"

namespace retake::report {

/// A rectangle of a canvas with linear axes. Draws frame, ticks at round values and labels.
class Axes {
 public:
  struct Range {
    double low = 0.0;
    double high = 1.0;
  };
  Axes(Canvas& canvas, int left, int top, int right, int bottom, Range x, Range y);

  void frame(const std::string& title, const std::string& x_label, const std::string& y_label);
  int x(double value) const;
  int y(double value) const;
  bool inside(double vx, double vy) const;
  void dot(double vx, double vy, int radius, Color color);
  void horizontal(double vy, Color color);
  int left() const { return left_; }
  int right() const { return right_; }
  int top() const { return top_; }
  int bottom() const { return bottom_; }

 private:
  Canvas& canvas_;
  int left_, top_, right_, bottom_;
  Range x_, y_;
};

/// {id}_alignment.png: raw time over edit time, and the pointer's difference from frame to frame
/// (1 while copying; +-100 shown). `confidence` colours the dots; may be empty. Atomic.
void plot_alignment(const std::filesystem::path& path, const std::string& title,
                    const std::vector<std::int64_t>& pointers, std::span<const float> confidence,
                    const TimeGrid& edit_grid, const TimeGrid& raw_grid);

/// Least and greatest sample per column of a picture, streamed.
struct Waveform {
  std::vector<std::pair<float, float>> columns;
  double seconds = 0.0;
};
Waveform waveform(AudioSource& source, int columns);

/// {stem}_edit.png: the raw's waveform with the kept regions lit and the segments' order below;
/// `curves` over raw time (values 0..1, e.g. "keep") are drawn in a panel of their own. A path that
/// ends in .svg gets an SVG. Atomic.
void plot_edit(const std::filesystem::path& path, const std::string& title, const Waveform& raw,
               const Edl& edl, const std::map<std::string, std::vector<float>>& curves);
/// The same as pixels.
Picture edit_picture(const std::string& title, const Waveform& raw, const Edl& edl,
                     const std::map<std::string, std::vector<float>>& curves);

/// A line through (x, y) points, x ascending; at least two; .svg as above. Atomic.
void plot_curve(const std::filesystem::path& path, const std::string& title,
                const std::string& x_label, const std::string& y_label,
                const std::vector<std::pair<double, double>>& points);

}  // namespace retake::report

// Labels of an EDL per raw frame. docs/definitions.md gives the definitions.

#include <algorithm>
#include <cmath>
#include <map>
#include <string>

#include "edit/frames.hpp"
#include "edit/joins.hpp"
#include "retake/edit/edl.hpp"

namespace retake {
namespace {

using edit::FrameMath;
using edit::JoinWindow;

constexpr double kGainStep = 1.0;  // dB off the edit's median
constexpr double kEqStep = 1.5;    // dB off the edit's median, per band

bool is_eq(const EdlEffect& effect) {
  return effect.plugin == "low_shelf" || effect.plugin == "high_shelf";
}

/// What a segment's equaliser does to one band, dB.
double band_gain(const Segment& s, const std::string& band) {
  double sum = 0.0;
  for (const EdlEffect& effect : s.effects) {
    const Value* gain = effect.params.find("gain_db");
    if (effect.plugin == band && gain != nullptr && gain->is_number()) sum += gain->as_double();
  }
  return sum;
}

std::string key_of(const EdlEffect& effect) {
  return effect.plugin + " " + to_canonical_json(Value(effect.params));
}

double median(std::vector<double> values) {
  if (values.empty()) return 0.0;
  const std::size_t half = values.size() / 2;
  std::nth_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(half),
                   values.end());
  if (values.size() % 2 == 1) return values[half];
  const double below =
      *std::max_element(values.begin(), values.begin() + static_cast<std::ptrdiff_t>(half));
  return (below + values[half]) / 2.0;
}

class Labeller {
 public:
  Labeller(const Edl& edl, const TimeGrid& grid, int source)
      : edl_(edl),
        frames_(grid, edit::edl_rate(edl)),
        source_(source),
        samples_(edl.sources.at(static_cast<std::size_t>(source)).samples),
        labels_(static_cast<std::size_t>(grid.rows), Label::cut) {}

  std::vector<Label> run() {
    count_uses();
    for (const Segment& s : edl_.segments) {
      if (s.source != source_) continue;
      raise(s, 0, s.fade_in.samples, Label::fade_in);
      raise(s, s.output_samples() - s.fade_out.samples, s.output_samples(), Label::fade_out);
    }
    gains();
    for (const char* band : {"low_shelf", "high_shelf"}) equaliser(band);
    effects();
    transitions();
    if (samples_ >= 0) {
      for (std::int64_t f = frames_.rows(samples_); f < rows(); ++f) at(f) = Label::pad;
    }
    return std::move(labels_);
  }

 private:
  struct Frames {
    std::int64_t begin, end;
  };

  std::int64_t rows() const { return static_cast<std::int64_t>(labels_.size()); }
  Label& at(std::int64_t frame) { return labels_[static_cast<std::size_t>(frame)]; }

  /// Frames whose centres lie in the samples [begin, end); the recording's last frame, whose centre
  /// may lie behind its last sample, goes with that sample.
  Frames frames_in(std::int64_t begin, std::int64_t end) const {
    if (begin >= end) return {0, 0};
    Frames f{frames_.first_at_or_after(begin), frames_.first_at_or_after(end)};
    if (samples_ >= 0 && end >= samples_) f.end = frames_.rows(samples_);
    f.begin = std::clamp<std::int64_t>(f.begin, 0, rows());
    f.end = std::clamp<std::int64_t>(f.end, f.begin, rows());
    return f;
  }

  /// Raw samples that sound at the segment's output samples [from, to); these may lie outside of
  /// the segment, where a join borrows.
  Frames frames_at(const Segment& s, std::int64_t from, std::int64_t to) const {
    if (from >= to) return {0, 0};
    const auto raw = [&](std::int64_t out) {
      return s.rate == 1.0
                 ? out
                 : static_cast<std::int64_t>(std::llround(static_cast<double>(out) * s.rate));
    };
    const std::int64_t low = s.reverse ? s.end - raw(to) : s.begin + raw(from);
    const std::int64_t high = s.reverse ? s.end - raw(from) : s.begin + raw(to);
    return frames_in(std::max<std::int64_t>(0, low), high);
  }

  void raise(Frames f, Label label) {
    for (std::int64_t i = f.begin; i < f.end; ++i) at(i) = std::max(at(i), label);
  }
  void raise(const Segment& s, std::int64_t from, std::int64_t to, Label label) {
    raise(frames_at(s, from, to), label);
  }
  void raise(const Segment& s, Label label) { raise(frames_in(s.begin, s.end), label); }

  void count_uses() {
    std::vector<int> change(labels_.size() + 1, 0);
    for (const Segment& s : edl_.segments) {
      if (s.source != source_ || s.output_samples() == 0) continue;
      const Frames f = frames_in(s.begin, s.end);
      ++change[static_cast<std::size_t>(f.begin)];
      --change[static_cast<std::size_t>(f.end)];
    }
    int uses = 0;
    for (std::size_t i = 0; i < labels_.size(); ++i) {
      uses += change[i];
      labels_[i] = uses == 0 ? Label::cut : (uses == 1 ? Label::keep : Label::loop);
    }
  }

  /// The median over edit time of `value(segment, output sample)`, taken at each hop.
  template <class F>
  double median_over_edit(F value) const {
    std::vector<double> values;
    for (const Segment& s : edl_.segments) {
      if (s.is_gap()) continue;
      const auto length = static_cast<double>(s.output_samples());
      for (double at = 0.0; at < length; at += frames_.hop()) values.push_back(value(s, at));
    }
    return median(std::move(values));
  }

  void gains() {
    const double middle = median_over_edit(
        [](const Segment& s, double sample) { return edit::gain_db_at(s, sample); });
    const auto is_off = [&](double db) { return std::abs(db - middle) >= kGainStep; };
    for (const Segment& s : edl_.segments) {
      if (s.source != source_) continue;
      if (s.gain_curve.empty()) {
        if (is_off(s.gain_db)) raise(s, Label::effect);
        continue;
      }
      const Frames f = frames_in(s.begin, s.end);
      for (std::int64_t i = f.begin; i < f.end; ++i) {
        const double centre = static_cast<double>(i) * frames_.hop();
        const double raw =
            s.reverse ? static_cast<double>(s.end) - centre : centre - static_cast<double>(s.begin);
        if (is_off(edit::gain_db_at(s, raw / s.rate))) at(i) = std::max(at(i), Label::effect);
      }
    }
  }

  void equaliser(const std::string& band) {
    const double middle =
        median_over_edit([&](const Segment& s, double) { return band_gain(s, band); });
    for (const Segment& s : edl_.segments) {
      if (s.source == source_ && std::abs(band_gain(s, band) - middle) >= kEqStep) {
        raise(s, Label::effect);
      }
    }
  }

  void effects() {
    std::map<std::string, std::int64_t> samples_with;
    std::int64_t total = 0;
    for (const Segment& s : edl_.segments) {
      if (s.is_gap()) continue;
      total += s.output_samples();
      std::vector<std::string> keys;
      for (const EdlEffect& e : s.effects) keys.push_back(key_of(e));
      std::sort(keys.begin(), keys.end());
      keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
      for (const std::string& key : keys) samples_with[key] += s.output_samples();
    }
    for (const Segment& s : edl_.segments) {
      if (s.source != source_) continue;
      const bool special = std::any_of(s.effects.begin(), s.effects.end(), [&](const auto& e) {
        return !is_eq(e) && samples_with[key_of(e)] < total;
      });
      if (special) raise(s, Label::effect);
    }
  }

  void transitions() {
    const std::vector<JoinWindow> windows = edit::join_windows(edl_);
    for (std::size_t i = 0; i + 1 < edl_.segments.size(); ++i) {
      const Segment& a = edl_.segments[i];
      const Segment& b = edl_.segments[i + 1];
      const std::int64_t length = a.output_samples();
      if (a.source == source_) {
        raise(a, length - windows[i].before, length + windows[i].after, Label::transition);
      }
      if (b.source == source_) raise(b, -windows[i].before, windows[i].after, Label::transition);
    }
  }

  const Edl& edl_;
  FrameMath frames_;
  int source_;
  std::int64_t samples_;
  std::vector<Label> labels_;
};

}  // namespace

std::vector<Label> labels(const Edl& edl, const TimeGrid& raw_grid, int source) {
  return Labeller(edl, raw_grid, source).run();
}

}  // namespace retake

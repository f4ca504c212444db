#include "edit/playback.hpp"

#include <algorithm>
#include <cmath>

namespace retake::edit {
namespace {

double amplitude(double db) {
  return std::pow(10.0, db / 20.0);
}

/// Amplitude of the segment at output sample k; `flat` is that of a constant gain.
double level_at(const Segment& s, std::int64_t length, std::int64_t k, double flat) {
  double level = s.gain_curve.empty() ? flat : amplitude(gain_db_at(s, static_cast<double>(k)));
  if (s.fade_in.samples > 0 && k < s.fade_in.samples) {
    const double x = (static_cast<double>(k) + 0.5) / static_cast<double>(s.fade_in.samples);
    level *= rise(s.fade_in.curve, x);
  }
  if (k >= length - s.fade_out.samples && s.fade_out.samples > 0) {
    const double x =
        (static_cast<double>(length - k) - 0.5) / static_cast<double>(s.fade_out.samples);
    level *= rise(s.fade_out.curve, x);
  }
  return level;
}

/// Material that the segment's recording has behind its last played sample.
std::int64_t available_after(const Segment& s, std::int64_t source_samples) {
  return s.reverse ? s.begin : source_samples - s.end;
}
std::int64_t available_before(const Segment& s, std::int64_t source_samples) {
  return s.reverse ? source_samples - s.end : s.begin;
}

}  // namespace

std::vector<Stretch> stretches(const Segment& s, std::int64_t from, std::int64_t to) {
  const std::int64_t length = s.output_samples();
  const bool flat = s.gain_db == 0.0 && s.gain_curve.empty() && s.effects.empty();
  const std::int64_t fade_in_end = std::clamp(s.fade_in.samples, from, to);
  const std::int64_t fade_out_begin = std::clamp(length - s.fade_out.samples, fade_in_end, to);
  const Stretch parts[] = {{from, fade_in_end, false},
                           {fade_in_end, fade_out_begin, flat},
                           {fade_out_begin, to, s.fade_out.samples == 0 && flat}};
  std::vector<Stretch> result;
  for (const Stretch& part : parts) {
    if (part.begin < part.end) result.push_back(part);
  }
  return result;
}

std::int64_t raw_begin(const Segment& s, std::int64_t begin, std::int64_t n) {
  return s.reverse ? s.end - begin - n : s.begin + begin;
}

void play(const Segment& s, audio::PcmReader& reader, std::int64_t begin, std::int64_t n,
          std::vector<double>& out) {
  const std::int64_t channels = reader.info().channels;
  out.resize(static_cast<std::size_t>(n * channels));
  reader.read(raw_begin(s, begin, n), n, out.data());
  if (s.reverse) {
    for (std::int64_t i = 0; i < n / 2; ++i) {
      std::swap_ranges(out.begin() + i * channels, out.begin() + (i + 1) * channels,
                       out.begin() + (n - 1 - i) * channels);
    }
  }
  const std::int64_t length = s.output_samples();
  const double flat = s.gain_db == 0.0 ? 1.0 : amplitude(s.gain_db);
  for (std::int64_t i = 0; i < n; ++i) {
    const double level = level_at(s, length, begin + i, flat);
    if (level == 1.0) continue;
    double* frame = out.data() + i * channels;
    for (std::int64_t c = 0; c < channels; ++c) frame[c] *= level;
  }
}

double JoinSide::level(std::int64_t k) const {
  if (k < first || k >= first + length) return 0.0;
  const double x = (static_cast<double>(k - first) + 0.5) / static_cast<double>(length);
  return rise(curve, out ? 1.0 - x : x);
}

JoinSide leaving_side(const Segment& a, std::int64_t source_samples, const JoinWindow& window,
                      Curve curve) {
  if (a.is_gap()) return {0, 0, true, curve};
  const std::int64_t after = std::min(window.after, available_after(a, source_samples));
  return {0, window.before + after, true, curve};
}

JoinSide entering_side(const Segment& b, std::int64_t source_samples, const JoinWindow& window,
                       Curve curve) {
  if (b.is_gap()) return {0, 0, false, curve};
  const std::int64_t before = std::min(window.before, available_before(b, source_samples));
  return {window.before - before, before + window.after, false, curve};
}

}  // namespace retake::edit

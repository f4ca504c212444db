#include "timeline.hpp"

#include <algorithm>
#include <cmath>

#include "retake/nn/raw_encoder.hpp"

namespace pointer_trainer {

namespace {

constexpr double kBoundaryWidth = 0.7;  // tokens

/// Samples of the raw to token time.
struct TokenTime {
  double per_sample;
  explicit TokenTime(double rate) : per_sample(22050.0 / rate / 256.0 / retake::kTokenFrames) {}
  double operator()(std::int64_t sample) const { return static_cast<double>(sample) * per_sample; }
};

void add_share(float* keep, std::int64_t tokens, double begin, double end) {
  // In units where token n covers [n, n + 1).
  begin += 0.5;
  end += 0.5;
  const auto first = std::max<std::int64_t>(0, static_cast<std::int64_t>(std::floor(begin)));
  const auto last = std::min<std::int64_t>(tokens, static_cast<std::int64_t>(std::ceil(end)));
  for (std::int64_t n = first; n < last; ++n) {
    const auto low = static_cast<double>(n);
    const double share = std::min(end, low + 1) - std::max(begin, low);
    keep[n] = std::min(1.0F, keep[n] + static_cast<float>(std::max(0.0, share)));
  }
}

void mark(float* target, std::int64_t tokens, double at) {
  const auto nearest = static_cast<std::int64_t>(std::llround(at));
  for (std::int64_t n = nearest - 2; n <= nearest + 2; ++n) {
    if (n < 0 || n >= tokens) continue;
    const double distance = n == nearest ? 0.0 : (static_cast<double>(n) - at) / kBoundaryWidth;
    target[n] = std::max(target[n], static_cast<float>(std::exp(-0.5 * distance * distance)));
  }
}

}  // namespace

Timeline make_timeline(const retake::Song& song, std::int64_t frames, double min_confidence) {
  const std::int64_t n = (frames + retake::kTokenFrames - 1) / retake::kTokenFrames;
  Timeline t{at::zeros({n}), at::zeros({n}), at::zeros({n}), at::full({n}, -1, at::kLong),
             at::ones({n}, at::kBool)};
  const retake::Edl& edl = song.alignment.edl;
  const double rate = !edl.sources.empty() && edl.sources[0].sample_rate > 0
                          ? edl.sources[0].sample_rate
                          : song.raw.sample_rate;
  const TokenTime time(rate);
  const double half_frame = 0.5 / retake::kTokenFrames;  // tokens: nearer is no jump
  bool* known = t.known.data_ptr<bool>();
  double left = -1e9;  // where the last run stopped; far away before the first and behind a gap
  bool open = false;
  for (const retake::Segment& s : edl.segments) {
    if (s.is_gap()) continue;
    const double begin = time(s.begin), end = time(s.end);
    add_share(t.keep.data_ptr<float>(), n, begin, end);
    const double enter = s.reverse ? end : begin, leave = s.reverse ? begin : end;
    if (!open || std::abs(enter - left) >= half_frame) {
      if (open) mark(t.end.data_ptr<float>(), n, left);
      mark(t.start.data_ptr<float>(), n, enter);
    }
    left = leave;
    open = true;
    if (s.confidence >= min_confidence) continue;
    const auto first = std::max<std::int64_t>(0, static_cast<std::int64_t>(begin));
    const auto last = std::min<std::int64_t>(n, static_cast<std::int64_t>(std::ceil(end)) + 1);
    for (std::int64_t i = first; i < last; ++i) known[i] = false;
  }
  if (open) mark(t.end.data_ptr<float>(), n, left);

  const std::vector<std::string>& kinds = retake::material_kinds();
  const TokenTime material_time(song.raw.sample_rate);
  auto* kind = t.kind.data_ptr<std::int64_t>();
  for (const retake::MaterialSpan& span : song.pair.material) {
    const auto found = std::find(kinds.begin(), kinds.end(), span.kind);
    if (found == kinds.end()) continue;
    const auto first = static_cast<std::int64_t>(std::ceil(material_time(span.begin)));
    const auto last = static_cast<std::int64_t>(std::ceil(material_time(span.end)));
    for (std::int64_t i = std::max<std::int64_t>(0, first); i < std::min(n, last); ++i) {
      kind[i] = found - kinds.begin();
    }
  }
  return t;
}

}  // namespace pointer_trainer

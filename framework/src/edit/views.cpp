// Pointers and ops of an EDL per edit frame. docs/definitions.md gives the definitions.

#include <algorithm>
#include <cmath>

#include "edit/frames.hpp"
#include "edit/runs.hpp"
#include "retake/edit/edl.hpp"

namespace retake {
namespace {

using edit::FrameMath;
using edit::Wide;

struct FrameRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
};

/// Edit frames of each segment: those whose centres lie in it; the edit's last frame, whose centre
/// may lie at its very end, belongs to the last segment. Clipped to `rows`.
std::vector<FrameRange> frames_of_segments(const Edl& edl, const FrameMath& frames,
                                           std::int64_t rows) {
  const std::vector<std::int64_t> starts = edl.output_starts();
  std::vector<FrameRange> ranges(edl.segments.size());
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    ranges[i].begin = std::min(rows, frames.first_at_or_after(starts[i]));
    ranges[i].end = std::min(rows, frames.first_at_or_after(starts[i + 1]));
  }
  if (!ranges.empty()) {
    const std::int64_t all = std::min(rows, frames.rows(starts.back()));
    ranges.back().begin = std::min(ranges.back().begin, all);
    ranges.back().end = std::max(ranges.back().end, all);
  }
  return ranges;
}

/// The raw frame under edit frame t of a segment that starts at `out_begin`.
class FramePointer {
 public:
  FramePointer(const TimeGrid& edit, const TimeGrid& raw, std::int64_t sample_rate)
      : edit_(edit), raw_(raw), sample_rate_(sample_rate) {}

  std::int64_t at(const Segment& s, std::int64_t out_begin, std::int64_t t) const {
    const std::int64_t frame = s.rate == 1.0 ? exact(s, out_begin, t) : scaled(s, out_begin, t);
    return std::clamp<std::int64_t>(frame, 0, raw_.rows - 1);
  }

 private:
  std::int64_t exact(const Segment& s, std::int64_t out_begin, std::int64_t t) const {
    const Wide centre = Wide{t} * edit_.hop * sample_rate_;  // in samples * edit_.rate
    const Wide position = s.reverse ? Wide{s.end + out_begin} * edit_.rate - centre
                                    : Wide{s.begin - out_begin} * edit_.rate + centre;
    const Wide numerator = position * raw_.rate;
    const Wide denominator = Wide{edit_.rate} * sample_rate_ * raw_.hop;
    return static_cast<std::int64_t>(edit::floor_div(2 * numerator + denominator, 2 * denominator));
  }

  std::int64_t scaled(const Segment& s, std::int64_t out_begin, std::int64_t t) const {
    const double rate = static_cast<double>(sample_rate_);
    const double played = s.rate * (edit_.seconds(t) - static_cast<double>(out_begin) / rate);
    const double time = s.reverse ? static_cast<double>(s.end) / rate - played
                                  : static_cast<double>(s.begin) / rate + played;
    return static_cast<std::int64_t>(std::floor(time * raw_.rows_per_second() + 0.5));
  }

  const TimeGrid& edit_;
  const TimeGrid& raw_;
  std::int64_t sample_rate_;
};

void mark(std::vector<Op>& ops, std::int64_t begin, std::int64_t end, Op op) {
  const auto size = static_cast<std::int64_t>(ops.size());
  begin = std::clamp<std::int64_t>(begin, 0, size);
  end = std::clamp<std::int64_t>(end, begin, size);
  std::fill(ops.begin() + begin, ops.begin() + end, op);
}

void mark_fades(const Edl& edl, const FrameMath& frames, const std::vector<FrameRange>& owned,
                std::vector<Op>& ops) {
  const std::vector<std::int64_t> starts = edl.output_starts();
  for (std::size_t i = 0; i < edl.segments.size(); ++i) {
    const Segment& s = edl.segments[i];
    if (s.is_gap()) continue;
    // The last frame's centre may lie at the very end, inside no sample range: it fades out too.
    if (s.fade_out.samples > 0) {
      const std::int64_t from = frames.first_at_or_after(starts[i + 1] - s.fade_out.samples);
      mark(ops, std::max(from, owned[i].begin), owned[i].end, Op::fade_out);
    }
    if (s.fade_in.samples > 0) {
      const std::int64_t to = frames.first_at_or_after(starts[i] + s.fade_in.samples);
      mark(ops, owned[i].begin, std::min(to, owned[i].end), Op::fade_in);
    }
  }
}

}  // namespace

std::vector<std::int64_t> pointers(const Edl& edl, const TimeGrid& output_grid,
                                   const TimeGrid& raw_grid) {
  std::vector<std::int64_t> result(static_cast<std::size_t>(output_grid.rows), -1);
  if (edl.segments.empty()) return result;
  const double rate = edit::edl_rate(edl);
  const FrameMath frames(output_grid, rate);
  const FrameMath raw_frames(raw_grid, rate);
  const FramePointer pointer(output_grid, raw_grid, frames.sample_rate());
  const std::vector<std::int64_t> starts = edl.output_starts();
  const auto owned = frames_of_segments(edl, frames, output_grid.rows);
  const bool same_grid = output_grid.hop == raw_grid.hop && output_grid.rate == raw_grid.rate;
  for (std::size_t i = 0; i < owned.size(); ++i) {
    const Segment& s = edl.segments[i];
    if (s.is_gap() || owned[i].begin >= owned[i].end) continue;
    const bool stepwise = same_grid && s.rate == 1.0 && !s.reverse;
    const std::int64_t first = pointer.at(s, starts[i], owned[i].begin);
    for (std::int64_t t = owned[i].begin; t < owned[i].end; ++t) {
      result[static_cast<std::size_t>(t)] =
          stepwise ? std::min(raw_grid.rows - 1, first + (t - owned[i].begin))
                   : pointer.at(s, starts[i], t);
    }
  }
  return result;
}

std::vector<Op> ops(const Edl& edl, const TimeGrid& output_grid) {
  std::vector<Op> result(static_cast<std::size_t>(output_grid.rows), Op::copy);
  if (edl.segments.empty()) return result;
  const FrameMath frames(output_grid, edit::edl_rate(edl));
  const auto owned = frames_of_segments(edl, frames, output_grid.rows);
  // Of two that apply the first named wins (SKIP, LOOP_START, LOOP_END, FADE_IN, FADE_OUT): written
  // from the last to the first.
  mark_fades(edl, frames, owned, result);
  const std::vector<edit::Run> runs = edit::copied_runs(edl);
  const auto first_frame = [&](const edit::Run& run) { return owned[run.first_segment].begin; };
  const auto end_frame = [&](const edit::Run& run) { return owned[run.last_segment].end; };
  for (const edit::Run& run : runs) {
    const bool loops = run.uses_again || run.move == edit::Move::backward || run.reverse;
    const std::int64_t begin = first_frame(run);
    const std::int64_t end = end_frame(run);
    if (begin >= end) continue;  // too short to hold the centre of a frame
    if (loops) {
      mark(result, end - 1, end, Op::loop_end);
      mark(result, begin, begin + 1, Op::loop_start);
    }
    if (run.move == edit::Move::forward) mark(result, begin, begin + 1, Op::skip);
  }
  return result;
}

}  // namespace retake

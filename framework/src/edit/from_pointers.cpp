// From pointer sequences back to the EDL they mean.
//
// A run of consecutive pointers becomes one segment on the line begin = out + (ptr - t) hops, so
// that its pointers come out again exactly. Boundaries may lie anywhere behind the centre of the
// last frame before them and up to the centre of the first frame behind; halfway is the unbiased
// guess, moved only where the recording's start or end leaves no material for it.

#include <algorithm>
#include <cmath>
#include <string>

#include "edit/frames.hpp"
#include "retake/edit/edl.hpp"
#include "retake/error.hpp"

namespace retake {
namespace {

using edit::FrameMath;

constexpr std::int64_t kNoSource = -1;
constexpr std::int64_t kUnknownSamples = std::int64_t{1} << 46;  // no EDL reaches further

/// Frames [begin, end) that copy pointer, pointer + 1, ...; pointer -1 for a gap.
struct FrameRun {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  std::int64_t pointer = kNoSource;
};

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
  throw DataError(file_diagnostic("E425", path,
                                  "the pointers are not a view of this recording: " + what,
                                  "make the pointers anew from this recording"));
}

std::vector<FrameRun> runs_of(std::span<const std::int64_t> pointers, const std::string& path,
                              std::int64_t raw_rows) {
  std::vector<FrameRun> runs;
  for (std::size_t i = 0; i < pointers.size(); ++i) {
    const auto t = static_cast<std::int64_t>(i);
    const std::int64_t p = pointers[i];
    if (p < kNoSource || p >= raw_rows) {
      refuse(path, "frame " + std::to_string(t) + " points at " + std::to_string(p) + " of " +
                       std::to_string(raw_rows) + " frames");
    }
    const bool continues =
        !runs.empty() && (p == kNoSource ? runs.back().pointer == kNoSource
                                         : runs.back().pointer != kNoSource &&
                                               p == runs.back().pointer + (t - runs.back().begin));
    if (continues) {
      runs.back().end = t + 1;
    } else {
      runs.push_back({t, t + 1, p});
    }
  }
  return runs;
}

class Builder {
 public:
  Builder(EdlSource source, const FrameMath& frames)
      : frames_(frames), samples_(source.samples >= 0 ? source.samples : kUnknownSamples) {
    edl_.sources.push_back(std::move(source));
  }

  Edl build(const std::vector<FrameRun>& runs) {
    std::int64_t out = 0;
    for (std::size_t k = 0; k < runs.size(); ++k) {
      const bool last = k + 1 == runs.size();
      const std::int64_t end = last ? total(runs[k], out) : boundary(runs[k], runs[k + 1], out);
      add(runs[k], out, end, last);
      out = end;
    }
    return std::move(edl_);
  }

 private:
  /// Raw position minus edit position along a run; rounded down, so that a run that starts at a
  /// frame's centre holds that centre on the raw side too.
  std::int64_t line(const FrameRun& run) const {
    return frames_.centre_floor(run.pointer - run.begin);
  }

  /// The edit sample where `a` gives way to `b`.
  std::int64_t boundary(const FrameRun& a, const FrameRun& b, std::int64_t out) const {
    const std::int64_t low = std::max(out, frames_.centre_floor(b.begin - 1)) + 1;
    const std::int64_t high = frames_.centre_floor(b.begin);
    std::int64_t at = (low + high) / 2;
    if (a.pointer != kNoSource) at = std::min(at, samples_ - line(a));
    if (b.pointer != kNoSource) at = std::max(at, -line(b));
    return std::clamp(at, low, high);
  }

  /// The edit's length: half a frame behind the last centre, or where the recording ends.
  std::int64_t total(const FrameRun& run, std::int64_t out) const {
    std::int64_t at = frames_.centre_floor(run.end - 1) +
                      static_cast<std::int64_t>(std::floor(frames_.hop() / 2.0));
    if (run.pointer != kNoSource) {
      // A run that reaches the recording's last frame reaches its last sample.
      const bool to_the_end = run.pointer + (run.end - run.begin) == frames_.rows(samples_);
      at = to_the_end ? samples_ - line(run) : std::min(at, samples_ - line(run));
    }
    at = std::max(at, out + 1);
    // Rounding by a sample must not change the number of frames.
    while (frames_.rows(at) < run.end) ++at;
    while (frames_.rows(at) > run.end && at > out + 1) --at;
    return at;
  }

  void gap(std::int64_t samples) {
    if (samples <= 0) return;
    Segment s;
    s.source = -1;
    s.gap = samples;
    edl_.segments.push_back(std::move(s));
  }

  void copy(std::int64_t begin, std::int64_t samples) {
    Segment s;
    s.begin = begin;
    s.end = begin + samples;
    edl_.segments.push_back(std::move(s));
  }

  /// Puts `run` on the edit's samples [out, end).
  void add(const FrameRun& run, std::int64_t out, std::int64_t end, bool last) {
    if (run.pointer == kNoSource) {
      gap(end - out);
      return;
    }
    const std::int64_t begin = std::max<std::int64_t>(0, out + line(run));
    const std::int64_t excess = begin + (end - out) - samples_;
    if (excess <= 0) {
      copy(begin, end - out);
      return;
    }
    // The recording ends before the run does. The run must reach over the centre of its last frame;
    // what is missing behind that, where no centre lies, is silence.
    const std::int64_t must = last ? end : frames_.centre_floor(run.end - 1) + 1;
    const std::int64_t covered = samples_ - begin;
    if (begin < samples_ && out + covered >= must) {
      copy(begin, covered);
      gap(end - out - covered);
      return;
    }
    // The last frame's centre lies behind the last sample (by less than a 256th of a hop and
    // rounding): move the run back by that much.
    const std::int64_t shift = begin + (must - out) - samples_;
    if (begin >= shift) {
      copy(begin - shift, must - out);
    } else {
      // A run over the whole of the recording: only its second half can move.
      const std::int64_t half = (must - out) / 2;
      copy(begin, half);
      copy(std::max<std::int64_t>(0, samples_ - (must - out - half)), must - out - half);
    }
    gap(end - must);
  }

  const FrameMath& frames_;
  std::int64_t samples_;
  Edl edl_;
};

}  // namespace

Edl from_pointers(std::span<const std::int64_t> pointers, EdlSource source,
                  const TimeGrid& output_grid) {
  const FrameMath frames(output_grid, source.sample_rate);
  if (source.samples == 0) refuse(source.path, "the recording is empty");
  const std::int64_t raw_rows = frames.rows(source.samples >= 0 ? source.samples : kUnknownSamples);
  const std::vector<FrameRun> runs = runs_of(pointers, source.path, raw_rows);
  return Builder(std::move(source), frames).build(runs);
}

}  // namespace retake

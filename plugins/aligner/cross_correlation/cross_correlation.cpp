#include "cross_correlation.hpp"

#include <algorithm>
#include <cmath>

#include "candidates.hpp"
#include "path.hpp"
#include "refine.hpp"

namespace retake::xcorr {

namespace {

/// Pieces at the locals' rate become segments in raw samples. Output positions are rounded once, so
/// that lengths add up.
Edl to_edl(const std::vector<Piece>& pieces, const Locals& locals, const AudioInfo& raw,
           const AudioInfo& edit) {
  const double scale = raw.sample_rate / locals.rate();
  Edl edl;
  EdlSource source;
  source.path = raw.path;
  source.sample_rate = raw.sample_rate;
  source.channels = raw.channels;
  source.samples = raw.samples;
  edl.sources.push_back(source);
  const auto total =
      std::llround(static_cast<double>(edit.samples) * raw.sample_rate / edit.sample_rate);
  const auto gap = [&edl](std::int64_t samples) {
    if (samples <= 0) return;
    if (!edl.segments.empty() && edl.segments.back().is_gap()) {
      edl.segments.back().gap += samples;
      return;
    }
    Segment s;
    s.source = -1;
    s.gap = samples;
    s.confidence = 0.0;
    edl.segments.push_back(s);
  };
  std::int64_t out = 0;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const Piece& p = pieces[i];
    const std::int64_t end =
        i + 1 == pieces.size() ? total : std::llround(static_cast<double>(p.end) * scale);
    if (!p.source()) {
      gap(end - out);
      out = end;
      continue;
    }
    const std::int64_t offset = std::llround(p.offset * scale);
    const std::int64_t begin = std::clamp<std::int64_t>(out + offset, 0, raw.samples);
    const std::int64_t finish = std::clamp<std::int64_t>(end + offset, begin, raw.samples);
    gap(std::min(end, begin - offset) - out);
    if (finish > begin) {
      Segment s;
      s.begin = begin;
      s.end = finish;
      s.gain_db = 20.0 * std::log10(std::max(p.gain, 1e-6));
      if (std::abs(s.gain_db) < 0.01) s.gain_db = 0.0;
      const auto scaled = [&](std::int64_t n) -> std::int64_t {
        return std::llround(static_cast<double>(n) * scale);
      };
      s.fade_in = {std::min(scaled(p.fade_in.samples), finish - begin), p.fade_in.curve};
      s.fade_out = {std::min(scaled(p.fade_out.samples), finish - begin - s.fade_in.samples),
                    p.fade_out.curve};
      s.join = {scaled(p.join.samples), p.join.curve};
      edl.segments.push_back(s);
    }
    gap(end - (finish - offset));
    out = end;
  }
  return edl;
}

/// Confidence and gain of every edit frame: along a piece the correlation of its line, and the
/// least-squares level over 0.15 s inside the piece.
void frame_curves(const std::vector<Piece>& pieces, const std::vector<Line>& lines,
                  const Locals& locals, const Samples& raw, const Samples& edit, Alignment& out) {
  constexpr std::int64_t kReach = 6;
  out.confidence.assign(static_cast<std::size_t>(out.grid.rows), 0.0F);
  out.gain_db.assign(out.confidence.size(), 0.0F);
  const double scale = kRate / locals.rate();
  std::vector<float> r(kFrame);
  for (const Piece& p : pieces) {
    if (!p.source()) continue;
    const Line& line = lines[static_cast<std::size_t>(p.line)];
    const auto frame_of = [&](std::int64_t sample) {
      return std::clamp<std::int64_t>(
          static_cast<std::int64_t>(std::ceil(static_cast<double>(sample) * scale / kFrame)), 0,
          out.grid.rows);
    };
    const std::int64_t first = frame_of(p.begin);
    const std::int64_t last = &p == &pieces.back() ? out.grid.rows : frame_of(p.end);
    std::vector<double> er(static_cast<std::size_t>(last - first) + 1, 0.0);
    std::vector<double> rr(er.size(), 0.0);
    for (std::int64_t t = first; t < last; ++t) {
      const std::int64_t begin = t * kFrame - kFrame / 2;
      read_shifted(raw, static_cast<double>(begin) + p.offset * scale, kFrame, r.data());
      const auto k = static_cast<std::size_t>(t - first) + 1;
      er[k] = er[k - 1];
      rr[k] = rr[k - 1];
      for (std::int64_t i = std::max<std::int64_t>(0, -begin);
           i < kFrame && begin + i < static_cast<std::int64_t>(edit.size()); ++i) {
        const double v = r[static_cast<std::size_t>(i)];
        er[k] += v * edit[static_cast<std::size_t>(begin + i)];
        rr[k] += v * v;
      }
    }
    for (std::int64_t t = first; t < last; ++t) {
      const auto low = static_cast<std::size_t>(std::max<std::int64_t>(0, t - first - kReach));
      const auto high = static_cast<std::size_t>(std::min(last - first, t - first + kReach + 1));
      const double energy = rr[high] - rr[low];
      const double gain = energy > 1e-9 ? std::max(0.0, (er[high] - er[low]) / energy) : p.gain;
      const auto k = static_cast<std::size_t>(t);
      out.gain_db[k] = static_cast<float>(std::clamp(20.0 * std::log10(gain + 1e-6), -60.0, 60.0));
      const std::int64_t at =
          std::clamp<std::int64_t>(t, line.first, std::max(line.first, line.last() - 1));
      if (!line.correlation.empty()) {
        out.confidence[k] = line.correlation[static_cast<std::size_t>(at - line.first)];
      }
    }
  }
}

/// A segment's confidence is the mean over its frames.
void set_confidence(Alignment& alignment, double rate) {
  const auto starts = alignment.edl.output_starts();
  for (std::size_t i = 0; i < alignment.edl.segments.size(); ++i) {
    Segment& s = alignment.edl.segments[i];
    if (s.is_gap()) continue;
    double sum = 0.0;
    std::int64_t count = 0;
    const double frames = alignment.grid.rows_per_second() / rate;
    const auto first = static_cast<std::int64_t>(static_cast<double>(starts[i]) * frames);
    const auto last = static_cast<std::int64_t>(static_cast<double>(starts[i + 1]) * frames);
    for (std::int64_t t = first; t <= last && t < alignment.grid.rows; ++t) {
      sum += alignment.confidence[static_cast<std::size_t>(t)];
      ++count;
    }
    s.confidence = count > 0 ? sum / static_cast<double>(count) : 0.0;
  }
}

/// Ops as the definitions: SKIP after a forward jump, LOOP_START where a run goes back.
void set_ops(Edl& edl) {
  std::int64_t reached = -1;
  for (auto& s : edl.segments) {
    if (s.is_gap()) continue;
    if (reached >= 0 && s.begin > reached) s.op = Op::skip;
    if (reached >= 0 && s.begin < reached) s.op = Op::loop_start;
    reached = s.end;
  }
}

}  // namespace

namespace {

/// Everything that the stages share.
class Aligning {
 public:
  Aligning(const Params& params, AudioSource& raw, AudioSource& edit, const Context& context)
      : params_(params), context_(context), raw_low_(load(raw)), edit_low_(load(edit)) {
    frames_ = static_cast<std::int64_t>(edit_low_.size()) / kFrame + 1;
    band_energies(raw_low_, edit_low_, context, raw_bands_, edit_bands_);
    const Filter flat = whitening(mean_spectrum(raw_low_), mean_spectrum(edit_low_));
    raw_flat_ = flat.apply(raw_low_, context);
    edit_flat_ = flat.apply(edit_low_, context);
  }

  /// Search over the whole edit, then closer where nothing was found, then once more with the
  /// edit's equalisation undone.
  void find_path() {
    const auto candidates = find(kCoarse, 0, edit_bands_.rows);
    match(candidates);
    trace();
    const auto channel = estimate_channel(runs_, lines_, raw_flat_, edit_flat_);
    if (channel && channel->coherence < 0.99) {
      raw_flat_ = channel->raw.apply(raw_flat_, context_);
      edit_flat_ = channel->edit.apply(edit_flat_, context_);
      matches_.clear();  // their lags were those of the equalised sound
      match(candidates);
      trace();
    }
    if (search_weak()) trace();
  }

  const std::vector<Line>& lines() const { return lines_; }
  const std::vector<Run>& runs() const { return runs_; }
  const Samples& raw_low() const { return raw_low_; }
  const Samples& edit_low() const { return edit_low_; }

 private:
  Candidates find(const ChunkShape& shape, std::int64_t first, std::int64_t last,
                  int more = 1) const {
    return find_candidates(raw_bands_, edit_bands_, shape, first, last,
                           more * static_cast<int>(params_.candidates), context_);
  }

  void match(const Candidates& candidates) {
    const auto found = match_waveforms(raw_flat_, edit_flat_, candidates, 0.25F, context_);
    matches_.insert(matches_.end(), found.begin(), found.end());
  }

  void trace() {
    lines_ = measure_lines(raw_flat_, edit_flat_, matches_, context_);
    runs_ = best_path(lines_, raw_flat_, edit_flat_, frames_,
                      {params_.jump_cost, params_.no_source_correlation, params_.min_run_s});
  }

  /// Correlation along the path, per frame; 0 without source.
  std::vector<float> path_correlation() const {
    std::vector<float> out(static_cast<std::size_t>(frames_), 0.0F);
    for (const auto& run : runs_) {
      if (run.line < 0) continue;
      const Line& line = lines_[static_cast<std::size_t>(run.line)];
      for (std::int64_t t = std::max(run.first, line.first); t < std::min(run.last, line.last());
           ++t) {
        out[static_cast<std::size_t>(t)] =
            line.correlation[static_cast<std::size_t>(t - line.first)];
      }
    }
    return out;
  }

  /// Stretches of the path, in rows, that have no source or a poorer one than the rest: runs
  /// shorter than a chunk hide there, and true places that lost to many similar ones.
  std::vector<std::pair<std::int64_t, std::int64_t>> weak_stretches() const {
    constexpr std::int64_t kRowFrames = Bands::kHop / kFrame;
    constexpr std::int64_t kShortest = 8;  // frames
    constexpr std::int64_t kJoined = 10;
    constexpr std::int64_t kLongest = 344;  // 4 s; of longer ones the ends
    constexpr std::int64_t kEnd = 128;
    constexpr std::int64_t kPad = 3;  // rows
    const auto correlation = path_correlation();
    std::vector<float> found;
    for (const float c : correlation) {
      if (c > 0.0F) found.push_back(c);
    }
    std::vector<std::pair<std::int64_t, std::int64_t>> out;
    if (found.empty()) return out;
    std::sort(found.begin(), found.end());
    const float median = found[found.size() / 2];
    const float quartile = found[found.size() / 4];
    // Poor against the spread of this very edit: a clean one shows smaller flaws than a noisy one.
    const float least = std::max(0.92F * median, median - 6.0F * (median - quartile) - 0.002F);
    const auto add = [&](std::int64_t first, std::int64_t last) {
      out.emplace_back(std::max<std::int64_t>(0, first / kRowFrames - kPad),
                       last / kRowFrames + kPad);
    };
    for (std::int64_t t = 0; t < frames_;) {
      if (correlation[static_cast<std::size_t>(t)] >= least) {
        ++t;
        continue;
      }
      const std::int64_t first = t;
      std::int64_t last = t;
      for (; t < frames_ && t - last <= kJoined; ++t) {
        if (correlation[static_cast<std::size_t>(t)] < least) last = t;
      }
      if (last - first < kShortest) continue;
      if (last - first <= kLongest) {
        add(first, last);
      } else {
        add(first, first + kEnd);
        add(last - kEnd, last);
      }
    }
    return out;
  }

  bool search_weak() {
    // So that an edit which is weak everywhere takes no more than twice the time.
    std::int64_t left = std::max<std::int64_t>(600, edit_bands_.rows / 3);
    bool any = false;
    for (const auto& [first, last] : weak_stretches()) {
      if (left <= 0 || context_.stop_requested()) break;
      match(find(kFine, first, last, 3));
      left -= last - first;
      any = true;
    }
    return any;
  }

  const Params& params_;
  const Context& context_;
  Samples raw_low_;
  Samples edit_low_;
  Samples raw_flat_;
  Samples edit_flat_;
  Bands raw_bands_;
  Bands edit_bands_;
  std::int64_t frames_ = 0;
  std::vector<Match> matches_;
  std::vector<Line> lines_;
  std::vector<Run> runs_;
};

}  // namespace

Alignment CrossCorrelation::align(AudioSource& raw, AudioSource& edit,
                                  const Context& context) const {
  Aligning aligning(params_, raw, edit, context);
  aligning.find_path();
  const Locals locals(raw, edit, aligning.raw_low(), aligning.edit_low());
  const auto pieces =
      refine(aligning.runs(), aligning.lines(), locals, params_.max_join_s, context);
  Alignment out;
  out.edl = to_edl(pieces, locals, raw.info(), edit.info());
  set_ops(out.edl);
  out.grid = frame_grid(edit.info().samples, edit.info().sample_rate);
  frame_curves(pieces, aligning.lines(), locals, aligning.raw_low(), aligning.edit_low(), out);
  set_confidence(out, raw.info().sample_rate);
  return out;
}

}  // namespace retake::xcorr

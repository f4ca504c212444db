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
  const auto total = std::llround(static_cast<double>(edit.samples) * raw.sample_rate /
                                  edit.sample_rate);
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
    if (!p.source) {
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

Alignment CrossCorrelation::align(AudioSource& raw, AudioSource& edit,
                                  const Context& context) const {
  Samples raw_low = load(raw);
  Samples edit_low = load(edit);
  std::vector<std::vector<Candidate>> candidates;
  {
    Bands raw_bands;
    Bands edit_bands;
    band_energies(raw_low, edit_low, context, raw_bands, edit_bands);
    candidates = find_candidates(raw_bands, edit_bands, static_cast<int>(params_.candidates),
                                 context);
  }
  const Filter flat = whitening(mean_spectrum(raw_low), mean_spectrum(edit_low));
  const Samples raw_flat = flat.apply(raw_low, context);
  const Samples edit_flat = flat.apply(edit_low, context);
  context.progress("match", 0.0, 1.0);
  const auto lines = measure_lines(
      raw_flat, edit_flat, match_waveforms(raw_flat, edit_flat, candidates, 0.25F, context),
      context);
  const PathSettings settings{params_.jump_cost, params_.no_source_correlation, params_.min_run_s};
  const std::int64_t frames = static_cast<std::int64_t>(edit_low.size()) / kFrame + 1;
  const auto runs = best_path(lines, raw_flat, edit_flat, frames, settings);
  const Locals locals(raw, edit, raw_low, edit_low);
  const auto pieces = refine(runs, lines, locals, params_.max_join_s, context);

  Alignment out;
  out.edl = to_edl(pieces, locals, raw.info(), edit.info());
  set_ops(out.edl);
  out.grid = frame_grid(edit.info().samples, edit.info().sample_rate);
  out.confidence.assign(static_cast<std::size_t>(out.grid.rows), 0.0F);
  out.gain_db.assign(out.confidence.size(), 0.0F);
  return out;
}

}  // namespace retake::xcorr


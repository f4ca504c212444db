#include "refine.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "retake/error.hpp"

namespace retake::xcorr {

Locals::Locals(AudioSource& raw, AudioSource& edit, const Samples& raw_low, const Samples& edit_low)
    : raw_(raw),
      edit_(edit),
      raw_low_(raw_low),
      edit_low_(edit_low),
      native_(raw.info().sample_rate == edit.info().sample_rate),
      rate_(native_ ? raw.info().sample_rate : kRate) {}

std::int64_t Locals::edit_samples() const {
  return native_ ? edit_.info().samples : static_cast<std::int64_t>(edit_low_.size());
}

std::int64_t Locals::raw_samples() const {
  return native_ ? raw_.info().samples : static_cast<std::int64_t>(raw_low_.size());
}

void Locals::edit(std::int64_t begin, std::int64_t n, float* out) const {
  if (native_) {
    edit_.read_mono(begin, n, out);
  } else {
    read_shifted(edit_low_, static_cast<double>(begin), n, out);
  }
}

void Locals::raw(double position, std::int64_t n, float* out) const {
  if (native_) {
    raw_.read_mono(std::llround(position), n, out);
  } else {
    read_shifted(raw_low_, position, n, out);
  }
}

namespace {

struct Products {
  double er = 0.0;
  double rr = 0.0;
  double ee = 0.0;
  void add(double e, double r) {
    er += e * r;
    rr += r * r;
    ee += e * e;
  }
  double correlation() const {
    const double energy = rr * ee;
    return energy > 1e-20 ? er / std::sqrt(energy) : 0.0;
  }
  double gain() const { return rr > 1e-12 ? std::max(0.0, er / rr) : 0.0; }
};

Products products(const float* e, const float* r, std::int64_t n) {
  Products p;
  for (std::int64_t i = 0; i < n; ++i) p.add(e[i], r[i]);
  return p;
}

/// The lag, in whole samples, at which the differences of both signals agree best. Differencing
/// sharpens the peak of signals whose energy lies low.
double exact_offset(const Piece& piece, const Locals& locals) {
  constexpr std::int64_t kReach = 10;
  const std::int64_t length = piece.end - piece.begin;
  const auto edge = std::min(static_cast<std::int64_t>(0.05 * locals.rate()), length / 4);
  const std::int64_t n = std::min<std::int64_t>(8192, length - 2 * edge);
  if (n < 64) return std::round(piece.offset);
  const std::int64_t room = length - 2 * edge - n;
  const std::int64_t windows = std::clamp<std::int64_t>(room / n + 1, 1, 8);
  const double start = std::round(piece.offset) - kReach;
  std::vector<Products> lags(2 * kReach + 1);
  std::vector<float> e(static_cast<std::size_t>(n));
  std::vector<float> r(static_cast<std::size_t>(n + 2 * kReach));
  for (std::int64_t w = 0; w < windows; ++w) {
    const std::int64_t at =
        piece.begin + edge + (windows > 1 ? room * w / (windows - 1) : room / 2);
    locals.edit(at, n, e.data());
    locals.raw(static_cast<double>(at) + start, n + 2 * kReach, r.data());
    for (std::size_t i = e.size() - 1; i > 0; --i) e[i] -= e[i - 1];
    for (std::size_t i = r.size() - 1; i > 0; --i) r[i] -= r[i - 1];
    for (std::size_t lag = 0; lag < lags.size(); ++lag) {
      for (std::size_t i = 1; i < e.size(); ++i) lags[lag].add(e[i], r[i + lag]);
    }
  }
  std::size_t best = kReach;
  for (std::size_t lag = 0; lag < lags.size(); ++lag) {
    if (lags[lag].correlation() > lags[best].correlation() + 1e-9) best = lag;
  }
  return start + static_cast<double>(best);
}

/// Least-squares gain over up to a second inside the piece, near `from_end` or its start.
double local_gain(const Piece& piece, const Locals& locals, bool from_end) {
  const std::int64_t length = piece.end - piece.begin;
  const auto inset = std::min(static_cast<std::int64_t>(0.15 * locals.rate()), length / 3);
  const auto n = std::min(static_cast<std::int64_t>(locals.rate()), length - 2 * inset);
  if (n <= 0) return 1.0;
  std::vector<float> e(static_cast<std::size_t>(n));
  std::vector<float> r(e.size());
  const std::int64_t at = from_end ? piece.end - inset - n : piece.begin + inset;
  locals.edit(at, n, e.data());
  locals.raw(static_cast<double>(at) + piece.offset, n, r.data());
  return products(e.data(), r.data(), n).gain();
}

/// Median over windows, weighted by the raw's energy: fades and joins at the ends don't count.
double run_gain(const Piece& piece, const Locals& locals) {
  const std::int64_t length = piece.end - piece.begin;
  const auto inset = std::min(static_cast<std::int64_t>(0.1 * locals.rate()), length / 4);
  const auto n = std::min(static_cast<std::int64_t>(0.25 * locals.rate()), length - 2 * inset);
  if (n <= 0) return 1.0;
  const std::int64_t room = length - 2 * inset - n;
  const std::int64_t windows = std::clamp<std::int64_t>(room / n + 1, 1, 48);
  std::vector<std::pair<double, double>> gains;  // gain, energy
  std::vector<float> e(static_cast<std::size_t>(n));
  std::vector<float> r(e.size());
  for (std::int64_t w = 0; w < windows; ++w) {
    const std::int64_t at =
        piece.begin + inset + (windows > 1 ? room * w / (windows - 1) : room / 2);
    locals.edit(at, n, e.data());
    locals.raw(static_cast<double>(at) + piece.offset, n, r.data());
    const Products p = products(e.data(), r.data(), n);
    if (p.rr > 1e-9) gains.emplace_back(p.gain(), std::sqrt(p.rr));
  }
  if (gains.empty()) return 1.0;
  std::sort(gains.begin(), gains.end());
  double total = 0.0;
  for (const auto& g : gains) total += g.second;
  double sum = 0.0;
  for (const auto& g : gains) {
    sum += g.second;
    if (sum >= 0.5 * total) return g.first;
  }
  return gains.back().first;
}

std::vector<Piece> pieces_of(const std::vector<Run>& runs, const std::vector<Line>& lines,
                             const Locals& locals) {
  const double scale = locals.rate() / kRate;
  std::vector<Piece> out;
  for (const auto& run : runs) {
    Piece p;
    const auto sample = [&](std::int64_t frame) {
      return std::clamp<std::int64_t>(
          std::llround((static_cast<double>(frame) - 0.5) * kFrame * scale), 0,
          locals.edit_samples());
    };
    p.begin = out.empty() ? 0 : out.back().end;
    p.end = &run == &runs.back() ? locals.edit_samples() : sample(run.last);
    p.line = run.line;
    if (p.source()) p.offset = lines[static_cast<std::size_t>(run.line)].offset * scale;
    if (p.end > p.begin) out.push_back(p);
  }
  return out;
}

void place_join(Piece& a, Piece& b, const Locals& locals, double max_join_s) {
  const auto half_a = (a.end - a.begin) / 2;
  const auto half_b = (b.end - b.begin) / 2;
  const auto widest = static_cast<std::int64_t>((0.2 + max_join_s) * locals.rate());
  const std::int64_t left = std::min(half_a, widest);
  const std::int64_t right = std::min(half_b, widest);
  const auto n = static_cast<std::size_t>(left + right);
  std::vector<float> e(n);
  std::vector<float> ra(n);
  std::vector<float> rb(n);
  const std::int64_t from = a.end - left;
  locals.edit(from, left + right, e.data());
  locals.raw(static_cast<double>(from) + a.offset, left + right, ra.data());
  locals.raw(static_cast<double>(from) + b.offset, left + right, rb.data());
  const auto ga = static_cast<float>(local_gain(a, locals, true));
  const auto gb = static_cast<float>(local_gain(b, locals, false));
  for (auto& v : ra) v *= ga;
  for (auto& v : rb) v *= gb;
  const JoinFit fit = fit_join(e, ra, rb, static_cast<std::int64_t>(max_join_s * locals.rate()));
  a.end = from + fit.at;
  b.begin = a.end;
  a.join = fit.join;
}

/// The boundary between a run and material without source: the first (or last) blocks that the
/// run explains, then the sample within them. `from_end`: the run's end, else its start.
std::int64_t place_end(const Piece& run, const Piece& none, const Locals& locals, bool from_end) {
  const std::int64_t boundary = from_end ? run.end : run.begin;
  const auto reach = static_cast<std::int64_t>(0.25 * locals.rate());
  const std::int64_t inside = std::min((run.end - run.begin) / 2, reach);
  const std::int64_t outside = std::min(none.end - none.begin, reach);
  const std::int64_t n = inside + outside;
  if (n < 64) return boundary;
  const std::int64_t from = boundary - (from_end ? inside : outside);
  std::vector<float> e(static_cast<std::size_t>(n));
  std::vector<float> r(e.size());
  locals.edit(from, n, e.data());
  locals.raw(static_cast<double>(from) + run.offset, n, r.data());
  if (!from_end) {  // time reversed: the run is always first
    std::reverse(e.begin(), e.end());
    std::reverse(r.begin(), r.end());
  }
  // Log-likelihood ratio of "run" against "none", per block of 2.5 ms measured over 10 ms.
  const auto block = static_cast<std::int64_t>(0.0025 * locals.rate());
  double best = 0.0;
  double sum = 0.0;
  std::int64_t cut = 0;
  double gain = local_gain(run, locals, from_end);
  for (std::int64_t at = 0; at + block <= n; at += block) {
    const std::int64_t first = std::max<std::int64_t>(0, at - block);
    const Products p =
        products(e.data() + first, r.data() + first, std::min(n, at + 2 * block) - first);
    const double c = std::clamp(p.correlation(), 0.0, 1.0);
    double ratio = -std::log(std::max(1.0 - c * c, 1e-3)) + std::log(1.0 - 0.6 * 0.6);
    // Silence in the edit where the run would sound is not the run.
    if (p.ee <= 1e-8 * gain * gain * p.rr || p.ee <= 1e-12) ratio = p.rr > 1e-9 ? -1.0 : 0.0;
    sum += ratio;
    if (sum > best) {
      best = sum;
      cut = std::min(n, at + block);
    }
  }
  // Within two blocks: the sample at which the residual stops being smaller than the edit itself.
  const std::int64_t low = std::max<std::int64_t>(0, cut - 3 * block);
  const std::int64_t high = std::min(n, cut + 3 * block);
  const Products near = products(e.data() + std::max<std::int64_t>(0, low - 4 * block),
                                 r.data() + std::max<std::int64_t>(0, low - 4 * block),
                                 std::min(n, low - std::max<std::int64_t>(0, low - 4 * block)));
  if (near.rr > 1e-9) gain = near.gain();
  double least = 0.0;
  sum = 0.0;
  std::int64_t sample = low;
  for (std::int64_t i = low; i < high; ++i) {
    const double ev = e[static_cast<std::size_t>(i)];
    const double residual = ev - gain * r[static_cast<std::size_t>(i)];
    sum += residual * residual - 0.5 * ev * ev;
    if (sum <= least) {
      least = sum;
      sample = i + 1;
    }
  }
  return from_end ? from + sample : from + n - sample;
}

/// Level of the edit over the raw per 10 ms from one end of a run inwards.
Fade fade_of(const Piece& run, const Locals& locals, bool from_end) {
  const auto block = static_cast<std::int64_t>(0.01 * locals.rate());
  const auto longest = static_cast<std::int64_t>(15.0 * locals.rate());
  const std::int64_t n = std::min(run.end - run.begin, longest) / block * block;
  std::vector<float> e(static_cast<std::size_t>(n));
  std::vector<float> r(e.size());
  const std::int64_t at = from_end ? run.end - n : run.begin;
  locals.edit(at, n, e.data());
  locals.raw(static_cast<double>(at) + run.offset, n, r.data());
  if (from_end) {
    std::reverse(e.begin(), e.end());
    std::reverse(r.begin(), r.end());
  }
  std::vector<double> ratio;
  std::vector<double> energy;
  for (std::int64_t i = 0; i < n; i += block) {
    const Products p = products(e.data() + i, r.data() + i, block);
    ratio.push_back(p.gain());
    energy.push_back(p.rr);
  }
  return fit_fade(ratio, energy, run.gain, block);
}

}  // namespace

std::vector<Piece> refine(const std::vector<Run>& runs, const std::vector<Line>& lines,
                          const Locals& locals, double max_join_s, const Context& context) {
  auto pieces = pieces_of(runs, lines, locals);
  const auto count = pieces.size();
  for (auto& p : pieces) {
    if (p.source() && locals.native()) p.offset = exact_offset(p, locals);
  }
  for (std::size_t i = 0; i + 1 < count && !context.stop_requested(); ++i) {
    Piece& a = pieces[i];
    Piece& b = pieces[i + 1];
    if (a.source() && b.source()) {
      place_join(a, b, locals, max_join_s);
    } else if (a.source() != b.source()) {
      const std::int64_t at =
          a.source() ? place_end(a, b, locals, true) : place_end(b, a, locals, false);
      a.end = at;
      b.begin = at;
    }
    context.progress("joins", static_cast<double>(i + 1), static_cast<double>(count));
  }
  for (std::size_t i = 0; i < count; ++i) {
    Piece& p = pieces[i];
    if (!p.source() || p.end <= p.begin) continue;
    p.gain = run_gain(p, locals);
    const bool joined_before = i > 0 && pieces[i - 1].source() && pieces[i - 1].join.samples > 0;
    if (!joined_before) p.fade_in = fade_of(p, locals, false);
    if (p.join.samples == 0) p.fade_out = fade_of(p, locals, true);
    const std::int64_t length = p.end - p.begin;
    if (p.fade_in.samples + p.fade_out.samples > length) {
      p.fade_in.samples = std::min(p.fade_in.samples, length / 2);
      p.fade_out.samples = std::min(p.fade_out.samples, length / 2);
    }
  }
  std::erase_if(pieces, [](const Piece& p) { return p.end <= p.begin; });
  return pieces;
}

}  // namespace retake::xcorr

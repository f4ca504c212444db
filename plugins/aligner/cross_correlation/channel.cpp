// What happened to the edit's sound as a whole: one linear filter and noise.

#include <algorithm>
#include <cmath>
#include <numbers>

#include "path.hpp"
#include "retake/audio/fft.hpp"

namespace retake::xcorr {
namespace {

constexpr std::int64_t kMostBlocks = 600;

/// Starts of blocks inside the runs, away from their ends, evenly spread.
std::vector<std::pair<std::int64_t, double>> blocks(const std::vector<Run>& runs,
                                                    const std::vector<Line>& lines) {
  constexpr auto kSize = static_cast<std::int64_t>(kSpectrumSize);
  constexpr std::int64_t kEdge = 8 * kFrame;
  std::vector<std::pair<std::int64_t, double>> all;  // edit position, offset
  for (const auto& run : runs) {
    if (run.line < 0) continue;
    const std::int64_t last = run.last * kFrame - kEdge - kSize;
    for (std::int64_t at = run.first * kFrame + kEdge; at <= last; at += kSize) {
      all.emplace_back(at, lines[static_cast<std::size_t>(run.line)].offset);
    }
  }
  const auto count = static_cast<std::int64_t>(all.size());
  if (count <= kMostBlocks) return all;
  std::vector<std::pair<std::int64_t, double>> some;
  for (std::int64_t i = 0; i < kMostBlocks; ++i) {
    some.push_back(all[static_cast<std::size_t>(i * count / kMostBlocks)]);
  }
  return some;
}

struct CrossSpectra {
  std::vector<std::complex<double>> er = std::vector<std::complex<double>>(kSpectrumBins);
  std::vector<double> rr = std::vector<double>(kSpectrumBins, 0.0);
  std::vector<double> ee = std::vector<double>(kSpectrumBins, 0.0);

  /// Averages over a tenth of the frequency, at least 21 bins: equalisation is smooth.
  void smooth() {
    CrossSpectra out;
    for (std::size_t k = 0; k < kSpectrumBins; ++k) {
      const std::size_t reach = std::max<std::size_t>(10, k / 20);
      for (std::size_t j = k > reach ? k - reach : 0; j < std::min(kSpectrumBins, k + reach + 1);
           ++j) {
        out.er[k] += er[j];
        out.rr[k] += rr[j];
        out.ee[k] += ee[j];
      }
    }
    *this = std::move(out);
  }
};

CrossSpectra measure(const std::vector<std::pair<std::int64_t, double>>& places, const Samples& raw,
                     const Samples& edit) {
  CrossSpectra s;
  const RealFft fft(kSpectrumSize);
  std::vector<float> e(kSpectrumSize);
  std::vector<float> r(kSpectrumSize);
  std::vector<std::complex<float>> es(kSpectrumBins);
  std::vector<std::complex<float>> rs(kSpectrumBins);
  for (const auto& [at, offset] : places) {
    read_shifted(edit, static_cast<double>(at), kSpectrumSize, e.data());
    read_shifted(raw, static_cast<double>(at) + offset, kSpectrumSize, r.data());
    double ee = 0.0;
    double rr = 0.0;
    for (std::size_t i = 0; i < kSpectrumSize; ++i) {
      const auto w = static_cast<float>(
          0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * static_cast<double>(i) / kSpectrumSize));
      e[i] *= w;
      r[i] *= w;
      ee += static_cast<double>(e[i]) * e[i];
      rr += static_cast<double>(r[i]) * r[i];
    }
    if (ee < 1e-12 || rr < 1e-12) continue;
    fft.forward(e.data(), es.data());
    fft.forward(r.data(), rs.data());
    // Loud and soft blocks, and runs of any gain, count the same.
    for (std::size_t k = 0; k < kSpectrumBins; ++k) {
      s.er[k] += std::complex<double>(es[k] * std::conj(rs[k])) / std::sqrt(ee * rr);
      s.rr[k] += std::norm(rs[k]) / rr;
      s.ee[k] += std::norm(es[k]) / ee;
    }
  }
  return s;
}

}  // namespace

std::optional<Channel> estimate_channel(const std::vector<Run>& runs,
                                        const std::vector<Line>& lines, const Samples& raw,
                                        const Samples& edit) {
  const auto places = blocks(runs, lines);
  if (places.size() < 20) return std::nullopt;
  CrossSpectra s = measure(places, raw, edit);
  s.smooth();
  std::vector<std::complex<float>> response(kSpectrumBins);
  std::vector<std::complex<float>> weight(kSpectrumBins);
  double explained = 0.0;
  double total = 0.0;
  for (std::size_t k = 0; k < kSpectrumBins; ++k) {
    if (s.rr[k] <= 0.0 || s.ee[k] <= 0.0) continue;
    const double coherence = std::min(1.0, std::norm(s.er[k]) / (s.rr[k] * s.ee[k]));
    const double w = 1.0 / std::sqrt(1.0 - coherence + 0.02);
    weight[k] = static_cast<float>(w);
    response[k] = std::complex<float>(w * s.er[k] / s.rr[k]);
    explained += coherence * s.ee[k];
    total += s.ee[k];
  }
  if (total <= 0.0) return std::nullopt;
  return Channel{Filter(response), Filter(weight), explained / total};
}

}  // namespace retake::xcorr

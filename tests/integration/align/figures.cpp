// Figures of an alignment against the truth.

#include <algorithm>
#include <cmath>
#include <complex>
#include <map>
#include <numbers>

#include "pairs.hpp"
#include "retake/audio/fft.hpp"

namespace retake::test {
namespace {

constexpr double kFrameRate = 22050.0 / 256.0;

/// Mel-like levels in dB around one raw frame, made when asked for.
class Levels {
 public:
  explicit Levels(const AudioBuffer& raw) : x_(raw.channels.front()), rate_(raw.sample_rate) {}

  const std::vector<float>& at(std::int64_t frame) {
    auto& entry = cache_[frame];
    if (!entry.empty()) return entry;
    constexpr std::size_t kSize = 4096;
    const RealFft fft(kSize);
    std::vector<float> block(kSize);
    std::vector<std::complex<float>> spectrum(fft.bins());
    const auto begin = std::llround(static_cast<double>(frame) / kFrameRate * rate_) -
                       static_cast<long>(kSize / 2);
    for (std::size_t i = 0; i < kSize; ++i) {
      const auto k = begin + static_cast<std::int64_t>(i);
      const double w =
          0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * static_cast<double>(i) / kSize);
      block[i] = k >= 0 && k < static_cast<std::int64_t>(x_.size())
                     ? static_cast<float>(w * x_[static_cast<std::size_t>(k)])
                     : 0.0F;
    }
    fft.forward(block.data(), spectrum.data());
    entry.assign(64, 1e-5F);
    const auto mel = [](double f) { return 2595.0 * std::log10(1.0 + f / 700.0); };
    for (std::size_t k = 1; k < spectrum.size(); ++k) {
      const double f = static_cast<double>(k) * rate_ / kSize;
      const auto band = static_cast<std::size_t>(mel(f) / mel(11025.0) * 64.0);
      if (band < entry.size()) entry[band] += std::norm(spectrum[k]);
    }
    for (auto& v : entry) v = 10.0F * std::log10(v);
    return entry;
  }

  /// 21 frames around both places differ by less than 1.6 dB on average.
  bool repeats(std::int64_t a, std::int64_t b) {
    if (std::abs(a - b) <= 20) return false;
    double sum = 0.0;
    for (std::int64_t k = -10; k <= 10; ++k) {
      const auto left = at(a + k);
      const auto& right = at(b + k);
      for (std::size_t i = 0; i < left.size(); ++i) sum += std::abs(left[i] - right[i]);
    }
    return sum / (21.0 * 64.0) < 1.6;
  }

 private:
  const std::vector<float>& x_;
  double rate_;
  std::map<std::int64_t, std::vector<float>> cache_;
};

/// Edit-time starts of runs, in frames; steps up to 4 frames apart are one cut.
std::vector<double> cuts(const std::vector<std::int64_t>& p) {
  std::vector<double> out;
  std::vector<std::size_t> steps;
  for (std::size_t t = 1; t < p.size(); ++t) {
    if (p[t] >= 0 && p[t] != p[t - 1] + 1) steps.push_back(t);
  }
  for (std::size_t i = 0; i < steps.size();) {
    std::size_t j = i;
    while (j + 1 < steps.size() && steps[j + 1] - steps[j] <= 4 && steps[j + 1] - steps[i] <= 9) {
      ++j;
    }
    const auto before = p[steps[i] - 1];
    const auto after = p[steps[j]];
    const auto span = static_cast<std::int64_t>(steps[j] - steps[i]) + 1;
    if (before < 0 || after != before + span) {
      out.push_back(0.5 * static_cast<double>(steps[i] + steps[j]));
    }
    i = j + 1;
  }
  return out;
}

double f1(const std::vector<double>& truth, const std::vector<double>& found, double tolerance) {
  std::size_t matched = 0;
  std::size_t next = 0;
  for (const double t : truth) {
    while (next < found.size() && found[next] < t - tolerance) ++next;
    if (next < found.size() && found[next] <= t + tolerance) {
      ++matched;
      ++next;
    }
  }
  const auto total = truth.size() + found.size();
  return total == 0 ? 1.0 : 2.0 * static_cast<double>(matched) / static_cast<double>(total);
}

double gain_error(const Edl& truth, const Edl& found) {
  const auto true_starts = truth.output_starts();
  const auto starts = found.output_starts();
  double sum = 0.0;
  int count = 0;
  for (std::size_t i = 0; i < truth.segments.size(); ++i) {
    const Segment& s = truth.segments[i];
    if (s.is_gap()) continue;
    const double middle = 0.5 * static_cast<double>(true_starts[i] + true_starts[i + 1]) /
                          truth.sources[0].sample_rate;
    for (std::size_t k = 0; k < found.segments.size(); ++k) {
      const double rate = found.sources[0].sample_rate;
      const bool inside = static_cast<double>(starts[k]) / rate <= middle &&
                          middle < static_cast<double>(starts[k + 1]) / rate;
      if (!inside || found.segments[k].is_gap()) continue;
      sum += std::abs(found.segments[k].gain_db - s.gain_db);
      ++count;
    }
  }
  return count > 0 ? sum / count : 0.0;
}

}  // namespace

Figures compare(const TestPair& pair, const Edl& found) {
  const TimeGrid grid = frame_grid(pair.edit.samples(), pair.edit.sample_rate);
  const TimeGrid raw_grid = frame_grid(pair.raw.samples(), pair.raw.sample_rate);
  const auto truth = pointers(pair.truth, grid, raw_grid);
  const auto got = pointers(found, grid, raw_grid);
  Levels levels(pair.raw);
  std::vector<char> near(truth.size(), 0);
  for (std::size_t t = 1; t < truth.size(); ++t) {
    if (truth[t] == truth[t - 1] + 1 || (truth[t] < 0 && truth[t - 1] < 0)) continue;
    for (std::size_t k = t < 3 ? 0 : t - 3; k < std::min(truth.size(), t + 3); ++k) near[k] = 1;
  }
  Figures f;
  std::int64_t right[4] = {0, 0, 0, 0};
  std::int64_t repeats = 0, gap_both = 0, gap_found = 0, gap_true = 0;
  for (std::size_t t = 0; t < truth.size(); ++t) {
    if (near[t]) continue;
    gap_true += truth[t] < 0;
    gap_found += got[t] < 0;
    gap_both += truth[t] < 0 && got[t] < 0;
    if (truth[t] < 0) continue;
    ++f.frames;
    const auto off = got[t] < 0 ? 1000000 : std::abs(got[t] - truth[t]);
    const bool repeat = off > 4 && got[t] >= 0 && levels.repeats(got[t], truth[t]);
    repeats += repeat;
    const std::int64_t limits[4] = {0, 1, 2, 4};
    for (int k = 0; k < 4; ++k) right[k] += off <= limits[k] || repeat;
  }
  const auto share = [](std::int64_t a, std::int64_t b) {
    return b > 0 ? static_cast<double>(a) / static_cast<double>(b) : 1.0;
  };
  for (int k = 0; k < 4; ++k) f.within[k] = share(right[k], f.frames);
  f.repeats = share(repeats, f.frames);
  f.inserted_precision = share(gap_both, gap_found);
  f.inserted_recall = share(gap_both, gap_true);
  const auto true_cuts = cuts(truth);
  const auto found_cuts = cuts(got);
  f.cuts = static_cast<std::int64_t>(true_cuts.size());
  const double tolerance[3] = {1.0, 0.05 * kFrameRate, 0.5 * kFrameRate};
  for (int k = 0; k < 3; ++k) f.cut_f1[k] = f1(true_cuts, found_cuts, tolerance[k]);
  f.gain_error_db = gain_error(pair.truth, found);
  return f;
}

}  // namespace retake::test

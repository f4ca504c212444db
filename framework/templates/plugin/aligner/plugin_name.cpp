// Finds the one place of the raw recording that an edit was taken from as a whole, by correlating
// the two level curves: for edits that trim beginning and end and change nothing between. Costs
// O(n log n) in the number of points; precise to half a point.

#include <algorithm>
#include <cmath>
#include <complex>

#include "retake/audio/fft.hpp"
#include "retake/kinds/aligner.hpp"
#include "retake/plugin.hpp"

namespace {

constexpr double kRate = 8000.0;  // Hz: enough to hear where it is loud

class PluginName final : public retake::Aligner {
 public:
  // A parameter is declared once: its default here, its range, unit and text below. `Param` lets
  // the host tell who sets one that nobody reads.
  struct Params {
    retake::Param<double> resolution = 50.0;

    static void describe(retake::Schema<Params>& s) {
      s.field(&Params::resolution, "resolution", "points of the level curves per second")
          .range(1.0, 400.0)
          .unit("1/s");
    }
  };

  explicit PluginName(const Params& params) : params_(params) {}

  // Part of the store's key: change it whenever the same pair would give another alignment.
  std::string algorithm_version() const override { return "1"; }

  retake::Alignment align(retake::AudioSource& raw, retake::AudioSource& edit,
                          const retake::Context&) const override {
    const Match match = find(levels(raw), levels(edit));
    const retake::AudioInfo &from = raw.info(), &to = edit.info();
    retake::EdlSource source;
    source.path = from.path;
    source.sample_rate = from.sample_rate;
    source.channels = from.channels;
    source.samples = from.samples;
    // Lengths of an EDL are at its first source's rate.
    const auto length = static_cast<std::int64_t>(
        std::llround(static_cast<double>(to.samples) * from.sample_rate / to.sample_rate));
    const auto begin = static_cast<std::int64_t>(std::llround(
        static_cast<double>(match.point) * static_cast<double>(hop()) / kRate * from.sample_rate));
    retake::Alignment out;
    out.edl = retake::identity_edl(std::move(source));
    retake::Segment& copied = out.edl.segments.front();
    copied.begin = std::min(begin, from.samples - 1);
    copied.end = std::min(copied.begin + length, from.samples);
    copied.confidence = match.correlation;
    const std::int64_t missing = length - (copied.end - copied.begin);
    out.grid = retake::frame_grid(to.samples, to.sample_rate);
    const double known =
        static_cast<double>(copied.end - copied.begin) / from.sample_rate;  // seconds of the edit
    if (missing > 0) {
      retake::Segment gap;
      gap.source = -1;
      gap.gap = missing;
      gap.confidence = 0.0;
      out.edl.segments.push_back(gap);
    }
    for (std::int64_t t = 0; t < out.grid.rows; ++t) {
      const bool copies = out.grid.seconds(t) < known;
      out.confidence.push_back(copies ? static_cast<float>(match.correlation) : 0.0F);
    }
    out.gain_db.assign(out.confidence.size(), 0.0F);
    return out;
  }

 private:
  struct Match {
    std::size_t point = 0;     ///< of the raw, where the edit begins
    double correlation = 0.0;  ///< 0..1
  };

  std::size_t hop() const {
    return static_cast<std::size_t>(std::max(1.0, std::round(kRate / params_.resolution)));
  }

  /// Level of each point, dB, less the mean.
  std::vector<float> levels(retake::AudioSource& source) const {
    retake::MonoStream stream(source, kRate);
    std::vector<float> out, chunk(hop());
    double mean = 0;
    while (const auto n = stream.pull(chunk.data(), static_cast<std::int64_t>(chunk.size()))) {
      double power = 1e-8;
      for (std::int64_t i = 0; i < n; ++i) {
        const double v = chunk[static_cast<std::size_t>(i)];
        power += v * v / static_cast<double>(n);
      }
      out.push_back(static_cast<float>(10.0 * std::log10(power)));
      mean += out.back();
    }
    for (float& v : out) v -= static_cast<float>(mean / static_cast<double>(out.size()));
    return out;
  }

  /// The offset with the largest normalised correlation.
  static Match find(const std::vector<float>& raw, const std::vector<float>& edit) {
    const retake::RealFft fft(
        retake::RealFft::fast_size(std::max<std::size_t>(2, raw.size() + edit.size())));
    std::vector<float> a(raw), b(edit);
    a.resize(fft.size(), 0.0F);
    b.resize(fft.size(), 0.0F);
    std::vector<std::complex<float>> x(fft.bins()), y(fft.bins());
    fft.forward(a.data(), x.data());
    fft.forward(b.data(), y.data());
    for (std::size_t i = 0; i < x.size(); ++i) x[i] *= std::conj(y[i]);
    fft.inverse(x.data(), a.data());  // a[d]: sum of raw[d + i] * edit[i]
    std::vector<double> energy(raw.size() + 1, 0.0);
    for (std::size_t i = 0; i < raw.size(); ++i) {
      energy[i + 1] = energy[i] + static_cast<double>(raw[i]) * raw[i];
    }
    double own = 0;
    for (const float v : edit) own += static_cast<double>(v) * v;
    const std::size_t offsets = raw.size() > edit.size() ? raw.size() - edit.size() : 0;
    Match best;
    for (std::size_t d = 0; d <= offsets; ++d) {
      const double below = energy[std::min(d + edit.size(), raw.size())] - energy[d];
      if (below <= 0 || own <= 0) continue;
      const double correlation = static_cast<double>(a[d]) / std::sqrt(below * own);
      if (correlation > best.correlation) best = {d, std::min(1.0, correlation)};
    }
    return best;
  }

  Params params_;
};

}  // namespace

RETAKE_PLUGIN("plugin_name", "0.1.0", registrar) {
  registrar.add<PluginName>("plugin_name", "The one place that an edit was taken from as a whole.");
}

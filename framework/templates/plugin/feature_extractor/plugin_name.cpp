// Two curves over a recording on the standard grid (22,050 Hz, hop 256), both in 0..1:
//
//   energy   level of the frame below the loudest one, from `floor_db` (0) to 0 dB (1)
//   flux     mean rise of the levels of eight bands since the frame before, 20 dB being 1: onsets
//
// Speech, silence and applause between takes look different from music in both.

#include <algorithm>
#include <array>
#include <cmath>

#include "retake/audio/stft.hpp"
#include "retake/kinds/feature_extractor.hpp"
#include "retake/plugin.hpp"

namespace {

constexpr std::int64_t kBands = 8;
constexpr double kFullRise = 20.0;  // dB
constexpr std::int64_t kFrame = 1024;

/// First bin of each band, an octave each from 86 Hz; the last entry is the end of the last band.
constexpr std::array<std::int64_t, kBands + 1> kEdges = {1, 4, 8, 16, 32, 64, 128, 256, 513};

class PluginName final : public retake::FeatureExtractor {
 public:
  // A parameter is declared once: its default here, its range, unit and text below. `Param` lets
  // the host tell who sets one that nobody reads.
  struct Params {
    retake::Param<double> floor_db = -60.0;

    static void describe(retake::Schema<Params>& s) {
      s.field(&Params::floor_db, "floor_db", "level below the loudest frame that counts as silence")
          .range(-160.0, -1.0)
          .unit("dB");
    }
  };

  explicit PluginName(const Params& params) : params_(params), stft_(options()) {}

  // Part of the store's key: change it whenever the same recording would give other numbers.
  std::string algorithm_version() const override { return "1"; }

  std::vector<retake::FeatureBlock> blocks() const override {
    return {{"energy", 0, 1, "0..1", true}, {"flux", 1, 1, "0..1", true}};
  }

  retake::FeatureTable extract(retake::AudioSource& source,
                               const retake::Context& context) const override {
    retake::TimeGrid grid;
    grid.hop = stft_.options().hop;
    grid.rate = stft_.options().sample_rate;
    grid.rows = stft_.rows(source.info());
    std::vector<float> bands = retake::feature_values(grid.rows * kBands);
    stft_.power(source, context, 1.0F, [&](std::int64_t first, std::int64_t rows, const float* p) {
      for (std::int64_t t = 0; t < rows; ++t) {
        sum_bands(p + t * stft_.stride(), bands.data() + (first + t) * kBands);
      }
    });
    std::vector<float> values = retake::feature_values(grid.rows * 2);
    to_curves(bands, values);
    retake::FeatureSpec spec{"plugin_name", algorithm_version(), {}};
    spec.params["floor_db"] = *params_.floor_db;
    return retake::FeatureTable(grid, blocks(), std::move(values), std::move(spec));
  }

 private:
  static retake::StftOptions options() {
    retake::StftOptions o;
    o.n_fft = kFrame;
    return o;
  }

  static void sum_bands(const float* power, float* band) {
    for (std::size_t b = 0; b < kBands; ++b) {
      for (std::int64_t bin = kEdges[b]; bin < kEdges[b + 1]; ++bin) band[b] += power[bin];
    }
  }

  /// Levels are relative to the loudest frame, which is known only when all are.
  void to_curves(const std::vector<float>& bands, std::vector<float>& values) const {
    const std::size_t rows = values.size() / 2;
    double loudest = 0;
    std::vector<double> sums(rows, 0.0);
    for (std::size_t t = 0; t < rows; ++t) {
      for (std::size_t b = 0; b < kBands; ++b) sums[t] += bands[t * kBands + b];
      loudest = std::max(loudest, sums[t]);
    }
    if (loudest <= 0) return;  // silence: zeros
    const double floor_db = params_.floor_db;
    const auto level = [&](double power) {  // dB below the loudest frame
      return std::max(floor_db, 10.0 * std::log10(power / loudest + 1e-20));
    };
    for (std::size_t t = 0; t < rows; ++t) {
      values[t * 2] = static_cast<float>(1.0 - level(sums[t]) / floor_db);
      double rise = 0;
      for (std::size_t b = 0; t > 0 && b < kBands; ++b) {
        rise += std::max(0.0, level(bands[t * kBands + b]) - level(bands[(t - 1) * kBands + b]));
      }
      values[t * 2 + 1] = static_cast<float>(std::min(1.0, rise / kBands / kFullRise));
    }
  }

  Params params_;
  retake::Stft stft_;
};

}  // namespace

RETAKE_PLUGIN("plugin_name", "0.1.0", registrar) {
  registrar.add<PluginName>("plugin_name", "Energy and spectral flux of each frame.");
}

#include "retake/audio/mel.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <stdexcept>

namespace retake {
namespace {

// Slaney's scale: 3 mels per 200 Hz up to 1 kHz, then 27 mels per factor of 6.4.
constexpr double kLinearSlope = 3.0 / 200.0;
constexpr double kBreakHz = 1000.0;
constexpr double kBreakMel = kBreakHz * kLinearSlope;
const double kLogStep = std::log(6.4) / 27.0;

double hz_to_mel(double hz, MelScale scale) {
  if (scale == MelScale::htk) return 2595.0 * std::log10(1.0 + hz / 700.0);
  if (hz < kBreakHz) return hz * kLinearSlope;
  return kBreakMel + std::log(hz / kBreakHz) / kLogStep;
}

double mel_to_hz(double mel, MelScale scale) {
  if (scale == MelScale::htk) return 700.0 * (std::pow(10.0, mel / 2595.0) - 1.0);
  if (mel < kBreakMel) return mel / kLinearSlope;
  return kBreakHz * std::exp(kLogStep * (mel - kBreakMel));
}

/// Eight floats: one register of AVX2, two of what is older.
using Vector __attribute__((vector_size(32))) = float;

Vector load(const float* p) {
  Vector v;
  std::memcpy(&v, p, sizeof v);
  return v;
}

/// The eight added in a fixed order.
float sum(Vector v) {
  return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

/// Natural logarithm of a positive normal float, after logf of the Cephes library (Moshier, 1989):
/// without branches, so that loops over it become vector code.
inline float fast_log(float x) {
  auto bits = std::bit_cast<std::int32_t>(x);
  // Mantissa in [sqrt(1/2), sqrt(2)).
  const std::int32_t shifted = bits - 0x3F3504F3;
  const auto exponent = static_cast<float>(shifted >> 23);
  bits = (shifted & 0x007FFFFF) + 0x3F3504F3;
  const float m = std::bit_cast<float>(bits) - 1.0F;
  const float z = m * m;
  float y = 7.0376836292E-2F;
  y = y * m - 1.1514610310E-1F;
  y = y * m + 1.1676998740E-1F;
  y = y * m - 1.2420140846E-1F;
  y = y * m + 1.4249322787E-1F;
  y = y * m - 1.6668057665E-1F;
  y = y * m + 2.0000714765E-1F;
  y = y * m - 2.4999993993E-1F;
  y = y * m + 3.3333331174E-1F;
  y = y * m * z;
  y += exponent * -2.12194440E-4F;
  y -= 0.5F * z;
  return m + y + exponent * 0.693359375F;
}

}  // namespace

void to_log(float* x, std::int64_t n, float floor) {
  for (std::int64_t i = 0; i < n; ++i) x[i] = fast_log(x[i] > floor ? x[i] : floor);
}

void to_decibels(float* x, std::int64_t n, float floor) {
  constexpr auto kPerNeper = static_cast<float>(4.3429448190325182765);  // 10 / ln 10
  for (std::int64_t i = 0; i < n; ++i) {
    x[i] = kPerNeper * fast_log(x[i] > floor ? x[i] : floor);
  }
}

MelFilterBank::MelFilterBank(std::int64_t sample_rate, std::int64_t n_fft, std::int64_t n_mels,
                             double fmin, double fmax, MelScale scale, MelNorm norm)
    : bins_(n_fft / 2 + 1) {
  const double rate = static_cast<double>(sample_rate);
  if (fmax <= 0.0) fmax = rate / 2.0;
  if (n_mels < 1 || fmin < 0.0 || fmin >= fmax || fmax > rate / 2.0) {
    throw std::invalid_argument("mel filters: n_mels >= 1 and 0 <= fmin < fmax <= sample_rate / 2");
  }
  std::vector<double> hz;
  const double low = hz_to_mel(fmin, scale);
  const double high = hz_to_mel(fmax, scale);
  for (std::int64_t i = 0; i < n_mels + 2; ++i) {
    const double at = static_cast<double>(i) / static_cast<double>(n_mels + 1);
    hz.push_back(mel_to_hz(low + (high - low) * at, scale));
  }
  for (std::size_t m = 0; m + 2 < hz.size(); ++m) {
    const double area = norm == MelNorm::slaney ? 2.0 / (hz[m + 2] - hz[m]) : 1.0;
    Filter filter{0, static_cast<std::int64_t>(weights_.size()), 0};
    std::int64_t count = 0;
    for (std::int64_t k = 0; k < bins_; ++k) {
      const double f = static_cast<double>(k) * rate / static_cast<double>(n_fft);
      const double up = (f - hz[m]) / (hz[m + 1] - hz[m]);
      const double down = (hz[m + 2] - f) / (hz[m + 2] - hz[m + 1]);
      const double weight = std::max(0.0, std::min(up, down)) * area;
      if (weight <= 0.0) continue;
      if (count == 0) filter.first_bin = k;
      count = k - filter.first_bin + 1;
      weights_.resize(static_cast<std::size_t>(filter.first_weight + count));
      weights_.back() = static_cast<float>(weight);
    }
    filter.vectors = (count + 7) / 8;
    weights_.resize(static_cast<std::size_t>(filter.first_weight + 8 * filter.vectors));
    filters_.push_back(filter);
  }
}

template <int Rows>
void MelFilterBank::apply_rows(const float* spectra, std::int64_t stride, float* mel) const {
  const std::size_t mels = filters_.size();
  for (std::size_t m = 0; m < mels; ++m) {
    const Filter& f = filters_[m];
    const float* weight = weights_.data() + f.first_weight;
    const float* bin = spectra + f.first_bin;
    Vector sums[Rows] = {};
    for (std::int64_t v = 0; v < f.vectors; ++v, weight += 8, bin += 8) {
      const Vector w = load(weight);
      for (int r = 0; r < Rows; ++r) sums[r] += w * load(bin + r * stride);
    }
    for (int r = 0; r < Rows; ++r) mel[static_cast<std::size_t>(r) * mels + m] = sum(sums[r]);
  }
}

void MelFilterBank::apply(const float* spectra, std::int64_t stride, std::int64_t rows,
                          float* mel) const {
  // Four rows share the loads of the weights; each row's sum is the same as on its own.
  std::int64_t r = 0;
  for (; r + 4 <= rows; r += 4) apply_rows<4>(spectra + r * stride, stride, mel + r * size());
  for (; r < rows; ++r) apply_rows<1>(spectra + r * stride, stride, mel + r * size());
}

std::vector<float> MelFilterBank::dense(std::int64_t m) const {
  const Filter& f = filters_.at(static_cast<std::size_t>(m));
  std::vector<float> row(static_cast<std::size_t>(bins_), 0.0F);
  for (std::int64_t i = 0; i < 8 * f.vectors && f.first_bin + i < bins_; ++i) {
    row[static_cast<std::size_t>(f.first_bin + i)] =
        weights_[static_cast<std::size_t>(f.first_weight + i)];
  }
  return row;
}

MelSpectrogram::MelSpectrogram(const MelOptions& options)
    : options_(options),
      stft_(options.stft),
      bank_(options.stft.sample_rate, options.stft.n_fft, options.n_mels, options.fmin,
            options.fmax, options.scale, options.norm) {
  if (!(options.power > 0.0)) throw std::invalid_argument("mel spectrum: power > 0");
}

void MelSpectrogram::compute(AudioSource& source, const Context& context, float* out, float gain,
                             const Finish& finish) const {
  const std::int64_t stride = stft_.stride();
  const std::int64_t bins = stft_.bins();
  const auto floor = static_cast<float>(options_.magnitude_floor);
  const auto half_power = static_cast<float>(options_.power / 2.0);
  const bool plain = options_.power == 2.0 && floor == 0.0F;
  const auto shape = [&](float squared) {
    if (half_power == 0.5F) return std::sqrt(squared);
    return half_power == 1.0F ? squared : std::pow(squared, half_power);
  };
  stft_.power(source, context, gain,
              [&](std::int64_t first, std::int64_t rows, const float* power) {
                std::vector<float> shaped;
                if (!plain) {
                  shaped.assign(power, power + rows * stride);
                  for (std::int64_t r = 0; r < rows; ++r) {
                    float* row = shaped.data() + r * stride;
                    for (std::int64_t k = 0; k < bins; ++k) row[k] = shape(row[k] + floor);
                  }
                  power = shaped.data();
                }
                float* values = out + first * options_.n_mels;
                bank_.apply(power, stride, rows, values);
                if (finish) finish(first, rows, values);
              });
}

}  // namespace retake

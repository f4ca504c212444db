#include "signal.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

#include "retake/audio/fft.hpp"
#include "retake/error.hpp"

namespace retake::xcorr {

Samples load(AudioSource& source) {
  MonoStream stream(source, kRate);
  Samples x(static_cast<std::size_t>(stream.total()));
  std::int64_t filled = 0;
  constexpr std::int64_t kBlock = 1 << 16;
  while (filled < stream.total()) {
    const auto got = stream.pull(x.data() + filled, std::min(kBlock, stream.total() - filled));
    if (got == 0) break;
    filled += got;
  }
  const auto bad = std::find_if(x.begin(), x.end(), [](float v) { return !std::isfinite(v); });
  if (bad != x.end()) {
    const double seconds = static_cast<double>(bad - x.begin()) / kRate;
    throw DataError(
        file_diagnostic("E415", source.info().path,
                        "a sample near " + std::to_string(seconds) + " s is not a finite number",
                        "repair or export the recording again"));
  }
  return x;
}

namespace {

std::vector<float> hann(std::size_t n) {
  std::vector<float> w(n);
  for (std::size_t i = 0; i < n; ++i) {
    w[i] = static_cast<float>(0.5 - 0.5 * std::cos(2.0 * std::numbers::pi * static_cast<double>(i) /
                                                   static_cast<double>(n)));
  }
  return w;
}

}  // namespace

std::vector<double> mean_spectrum(const Samples& x) {
  const RealFft fft(kSpectrumSize);
  const auto window = hann(kSpectrumSize);
  std::vector<float> block(kSpectrumSize);
  std::vector<std::complex<float>> spectrum(kSpectrumBins);
  std::vector<double> power(kSpectrumBins, 0.0);
  for (std::size_t begin = 0; begin < x.size(); begin += kSpectrumSize) {
    for (std::size_t i = 0; i < kSpectrumSize; ++i) {
      block[i] = begin + i < x.size() ? window[i] * x[begin + i] : 0.0F;
    }
    fft.forward(block.data(), spectrum.data());
    for (std::size_t k = 0; k < kSpectrumBins; ++k) power[k] += std::norm(spectrum[k]);
  }
  return power;
}

Filter::Filter(std::span<const std::complex<float>> response) {
  // Cut the impulse response so that overlap-save with blocks of 4 * 2 * kReach is exact.
  const RealFft small(kSpectrumSize);
  std::vector<std::complex<float>> spectrum(response.begin(), response.end());
  std::vector<float> impulse(kSpectrumSize);
  small.inverse(spectrum.data(), impulse.data());
  constexpr std::size_t kSize = 4 * kSpectrumSize;
  std::vector<float> cut(kSize, 0.0F);
  for (std::int64_t i = -kReach; i <= kReach; ++i) {
    const double w = 0.5 + 0.5 * std::cos(std::numbers::pi * static_cast<double>(i) / (kReach + 1));
    const auto from = static_cast<std::size_t>((i + static_cast<std::int64_t>(kSpectrumSize)) %
                                               static_cast<std::int64_t>(kSpectrumSize));
    cut[static_cast<std::size_t>(i + kReach)] = static_cast<float>(w) * impulse[from];
  }
  response_.resize(kSize / 2 + 1);
  RealFft(kSize).forward(cut.data(), response_.data());
}

Samples Filter::apply(const Samples& x, const Context& context) const {
  const std::size_t size = 2 * (response_.size() - 1);
  constexpr std::size_t kTaps = 2 * kReach + 1;
  const std::size_t step = size - (kTaps - 1);
  const RealFft fft(size);
  Samples y(x.size());
  const auto n = static_cast<std::int64_t>(x.size());
  context.parallel_for((x.size() + step - 1) / step, 8, [&](std::size_t first, std::size_t last) {
    std::vector<float> block(size);
    std::vector<std::complex<float>> spectrum(response_.size());
    for (std::size_t b = first; b < last; ++b) {
      const auto begin = static_cast<std::int64_t>(b * step);
      for (std::size_t i = 0; i < size; ++i) {
        const auto at = begin - kReach + static_cast<std::int64_t>(i);
        block[i] = at >= 0 && at < n ? x[static_cast<std::size_t>(at)] : 0.0F;
      }
      fft.forward(block.data(), spectrum.data());
      for (std::size_t k = 0; k < spectrum.size(); ++k) spectrum[k] *= response_[k];
      fft.inverse(spectrum.data(), block.data());
      const auto count = std::min(static_cast<std::int64_t>(step), n - begin);
      std::copy_n(block.begin() + 2 * kReach, count, y.begin() + begin);
    }
  });
  return y;
}

Filter whitening(const std::vector<double>& raw, const std::vector<double>& edit) {
  // Smoothed over a sixth of an octave, so that the filter stays short.
  std::vector<double> both(kSpectrumBins);
  double loudest = 0.0;
  for (std::size_t k = 0; k < kSpectrumBins; ++k) {
    const auto reach = std::max<std::size_t>(8, k / 16);
    const std::size_t low = k > reach ? k - reach : 0;
    const std::size_t high = std::min(kSpectrumBins, k + reach + 1);
    double r = 0.0;
    double e = 0.0;
    for (std::size_t j = low; j < high; ++j) {
      r += raw[j];
      e += edit[j];
    }
    both[k] = std::sqrt(r * e) / static_cast<double>(high - low);
    loudest = std::max(loudest, both[k]);
  }
  std::vector<std::complex<float>> response(kSpectrumBins, 1.0F);
  for (std::size_t k = 0; k < kSpectrumBins && loudest > 0.0; ++k) {
    // Nothing near the Nyquist frequency: there neither resampling nor read_shifted is exact, and a
    // copy would agree less the farther its lag is from a whole sample.
    const double at = static_cast<double>(k) / static_cast<double>(kSpectrumBins - 1);
    const double taper = std::clamp((0.92 - at) / 0.1, 0.0, 1.0);
    response[k] = static_cast<float>(taper / std::sqrt(both[k] / loudest + 1e-3));
  }
  return Filter(response);
}

void read_shifted(const Samples& x, double position, std::int64_t n, float* out) {
  const double whole = std::floor(position);
  const double fraction = position - whole;
  const auto begin = static_cast<std::int64_t>(whole);
  const auto size = static_cast<std::int64_t>(x.size());
  constexpr int kHalf = 16;
  std::array<float, 2 * kHalf> taps{};
  for (int i = 0; i < 2 * kHalf; ++i) {
    const double t = i - (kHalf - 1) - fraction;
    const double sinc =
        std::abs(t) < 1e-9 ? 1.0 : std::sin(std::numbers::pi * t) / (std::numbers::pi * t);
    const double c = std::cos(0.5 * std::numbers::pi * t / kHalf);
    taps[static_cast<std::size_t>(i)] =
        static_cast<float>(std::abs(t) < kHalf ? sinc * c * c : 0.0);
  }
  for (std::int64_t i = 0; i < n; ++i) {
    const std::int64_t first = begin + i - (kHalf - 1);
    float sum = 0.0F;
    if (first >= 0 && first + 2 * kHalf <= size) {
      const float* p = x.data() + first;
      for (int j = 0; j < 2 * kHalf; ++j) sum += taps[static_cast<std::size_t>(j)] * p[j];
    } else {
      for (int j = 0; j < 2 * kHalf; ++j) {
        const std::int64_t at = first + j;
        if (at >= 0 && at < size) {
          sum += taps[static_cast<std::size_t>(j)] * x[static_cast<std::size_t>(at)];
        }
      }
    }
    out[i] = sum;
  }
}

}  // namespace retake::xcorr

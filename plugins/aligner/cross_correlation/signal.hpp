#pragma once
// Mono signals at the analysis rate and the filters that make them comparable.

#include <complex>
#include <cstdint>
#include <span>
#include <vector>

#include "retake/audio/source.hpp"
#include "retake/context.hpp"

namespace retake::xcorr {

/// Search and path run on mono at this rate: nearly all of music's energy lies below 5.5 kHz, and
/// an hour is 160 MB. Runs and joins are refined at the recordings' own rate afterwards.
constexpr double kRate = 11025.0;

/// Samples per step of the path: a frame of the standard grid (256 at 22,050 Hz).
constexpr std::int64_t kFrame = 128;

using Samples = std::vector<float>;

/// The whole of `source`, mono at kRate. Throws DataError when a sample is not finite.
Samples load(AudioSource& source);

/// Mean power spectrum, kSpectrumBins values.
constexpr std::size_t kSpectrumSize = 2048;
constexpr std::size_t kSpectrumBins = kSpectrumSize / 2 + 1;
std::vector<double> mean_spectrum(const Samples& x);

/// A filter by its frequency response, kSpectrumBins values; its impulse response is cut to
/// +-kReach samples.
class Filter {
 public:
  static constexpr std::int64_t kReach = 256;
  explicit Filter(std::span<const std::complex<float>> response);
  /// Filtered copy, aligned with the input. Linear in length.
  Samples apply(const Samples& x, const Context& context) const;

 private:
  std::vector<std::complex<float>> response_;
};

/// Flattens the spectrum that `raw` and `edit` share (zero phase, up to 30 dB): correlation of
/// flattened signals has narrow peaks, where that of tonal music has many.
Filter whitening(const std::vector<double>& raw, const std::vector<double>& edit);

/// x at `position + i`, i in [0, n): 32-point windowed sinc; zeros outside.
void read_shifted(const Samples& x, double position, std::int64_t n, float* out);

}  // namespace retake::xcorr

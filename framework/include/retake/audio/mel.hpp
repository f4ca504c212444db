#pragma once
// Mel spectra, after librosa's definitions (McFee et al., "librosa: Audio and music signal analysis
// in Python", 2015).

#include <cstdint>
#include <functional>
#include <memory>
#include <vector>

#include "retake/audio/stft.hpp"

namespace retake {

enum class MelScale {
  slaney,  ///< linear to 1 kHz, logarithmic above (Slaney, Auditory Toolbox, 1998)
  htk,     ///< 2595 log10(1 + f / 700)
};

enum class MelNorm {
  slaney,  ///< every triangle has area 1 over Hz
  none,    ///< every triangle peaks at 1
};

/// Triangular filters over the bins of a spectrum, kept sparse. Immutable and thread-safe.
class MelFilterBank {
 public:
  /// `fmax` 0 means half the sample rate. Filters too narrow to hold a bin stay empty.
  MelFilterBank(std::int64_t sample_rate, std::int64_t n_fft, std::int64_t n_mels, double fmin,
                double fmax, MelScale scale, MelNorm norm);

  std::int64_t size() const { return static_cast<std::int64_t>(filters_.size()); }
  /// `mel[rows][size()]`: sums over bins of weight * spectrum. `spectra` are rows of a block of
  /// Stft
  /// (`stride` floats apart, with zeros behind the last bin).
  void apply(const float* spectra, std::int64_t stride, std::int64_t rows, float* mel) const;
  /// Row m as a dense vector of n_fft / 2 + 1 weights.
  std::vector<float> dense(std::int64_t m) const;

 private:
  struct Filter {
    std::int64_t first_bin;
    std::int64_t first_weight;
    std::int64_t vectors;  ///< of 8 weights, the last padded with zeros
  };
  template <int Rows>
  void apply_rows(const float* spectra, std::int64_t stride, float* mel) const;

  std::int64_t bins_;
  std::vector<Filter> filters_;
  std::vector<float> weights_;
};

struct MelOptions {
  StftOptions stft;
  std::int64_t n_mels = 128;
  double fmin = 0.0;  ///< Hz
  double fmax = 0.0;  ///< Hz; 0: half the sample rate
  MelScale scale = MelScale::slaney;
  MelNorm norm = MelNorm::slaney;
  double power = 2.0;            ///< exponent of the magnitude: 1 amplitude, 2 power
  double magnitude_floor = 0.0;  ///< added to the squared magnitude
};

/// Linear mel spectra of whole recordings. Immutable and thread-safe.
class MelSpectrogram {
 public:
  explicit MelSpectrogram(const MelOptions& options);

  const MelOptions& options() const { return options_; }
  std::int64_t rows(const AudioInfo& info) const { return stft_.rows(info); }
  /// Writes `out[rows][n_mels]`. `finish(first, rows, values)` is called on blocks of rows while
  /// they are in the cache, from several threads at once; it may change them.
  using Finish = std::function<void(std::int64_t first, std::int64_t rows, float* values)>;
  void compute(AudioSource& source, const Context& context, float* out, float gain = 1.0F,
               const Finish& finish = {}) const;

 private:
  MelOptions options_;
  Stft stft_;
  MelFilterBank bank_;
};

/// Decibels: `x[i]` = 10 log10(max(floor, x[i])), within 2e-5 dB. For powers.
void to_decibels(float* x, std::int64_t n, float floor);
/// Natural logarithm of max(floor, x[i]), to about one ulp.
void to_log(float* x, std::int64_t n, float floor);

}  // namespace retake

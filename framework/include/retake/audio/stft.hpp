#pragma once
// Short-time Fourier transform of a recording, in blocks, so that an hour never lies in memory.

#include <cstdint>
#include <functional>
#include <memory>

#include "retake/audio/source.hpp"
#include "retake/context.hpp"

namespace retake {

/// What lies beyond the ends of the recording.
enum class PadMode {
  constant,  ///< zeros
  reflect,   ///< mirrored without repeating the end sample, as numpy.pad does
};

/// Samples put before the first and after the last.
enum class Padding {
  center,  ///< n_fft / 2: row t is centred on t * hop
  same,    ///< (n_fft - hop) / 2: floor(samples / hop) rows; row t is centred on (t + 1/2) * hop
  none,    ///< row t starts at t * hop
};

struct StftOptions {
  std::int64_t sample_rate = 22050;  ///< Hz; recordings of another rate are resampled
  std::int64_t n_fft = 2048;         ///< even, >= 8
  std::int64_t win_length = 0;       ///< <= n_fft, centred in the frame; 0: n_fft
  std::int64_t hop = 256;            ///< >= 1
  Padding padding = Padding::center;
  PadMode pad_mode = PadMode::constant;
};

/// Windowed (periodic Hann) one-sided spectra of the mono mix. Immutable and thread-safe.
class Stft {
 public:
  /// Throws std::invalid_argument for options outside their ranges.
  explicit Stft(const StftOptions& options);
  ~Stft();
  Stft(const Stft&) = delete;
  Stft& operator=(const Stft&) = delete;

  const StftOptions& options() const;
  std::int64_t bins() const;  ///< n_fft / 2 + 1
  /// Floats from one row of a block to the next: `bins()` rounded up to a multiple of 8 and 8 more,
  /// so that reading whole vectors past the last bin is allowed; those floats are 0.
  std::int64_t stride() const;
  /// Rows of a recording; >= 1 (what is shorter than a frame is padded with zeros to one).
  std::int64_t rows(const AudioInfo& info) const;

  /// `power` is [rows][stride()]: squared magnitudes of rows [first, first + rows). Called from
  /// several threads at once, each row once; the same rows come together whatever the thread count.
  using Block = std::function<void(std::int64_t first, std::int64_t rows, const float* power)>;
  /// Reads `source` from front to back and hands out all rows. The samples are multiplied by `gain`
  /// first. Returns early, with rows missing, only when `context.stop_requested()`.
  void power(AudioSource& source, const Context& context, float gain, const Block& block) const;

 private:
  struct Impl;
  std::unique_ptr<const Impl> impl_;
};

}  // namespace retake

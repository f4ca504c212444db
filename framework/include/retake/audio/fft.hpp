#pragma once
// Real Fourier transforms for plugins. FFTW's planner is process-global, so the host plans.

#include <complex>
#include <cstddef>

namespace retake {

/// Real-to-complex transform of one length in float32 and its inverse. Plans are made once per
/// length in a process and shared; making one is thread-safe. `const` methods are thread-safe.
/// The plan is chosen without timing, so the same input always gives the same bits. Buffers aligned
/// to 16 bytes, as those of std::vector are, are transformed directly; others are copied first.
class RealFft {
 public:
  /// `size` >= 2, even. Lengths with only the factors 2, 3 and 5 are fast.
  explicit RealFft(std::size_t size);

  std::size_t size() const { return size_; }
  std::size_t bins() const { return size_ / 2 + 1; }
  /// `time[0, size)` to `spectrum[0, bins)`, unscaled. The input is kept.
  void forward(const float* time, std::complex<float>* spectrum) const;
  /// Inverse, scaled by 1 / size, so that inverse(forward(x)) = x. Destroys `spectrum`.
  void inverse(std::complex<float>* spectrum, float* time) const;
  /// The smallest fast even length >= n.
  static std::size_t fast_size(std::size_t n);

 private:
  struct Plans;
  std::size_t size_;
  const Plans* plans_;  ///< lives as long as the process
};

}  // namespace retake

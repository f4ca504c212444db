#include <algorithm>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "audio/complex_fft.hpp"
#include "retake/audio/fft.hpp"

namespace retake {

struct RealFft::Plans {
  explicit Plans(std::size_t size) {
    const audio::AlignedFloats time = audio::aligned_floats(size);
    const audio::AlignedFloats spectrum = audio::aligned_floats(size + 2);
    auto* out = reinterpret_cast<fftwf_complex*>(spectrum.get());
    const int n = static_cast<int>(size);
    // Estimated plans depend on the length alone.
    forward = fftwf_plan_dft_r2c_1d(n, time.get(), out, FFTW_ESTIMATE | FFTW_PRESERVE_INPUT);
    inverse = fftwf_plan_dft_c2r_1d(n, out, time.get(), FFTW_ESTIMATE);
    if (forward == nullptr || inverse == nullptr) {
      throw std::runtime_error("FFTW could not plan a transform of " + std::to_string(size));
    }
  }

  fftwf_plan forward = nullptr;
  fftwf_plan inverse = nullptr;
};

RealFft::RealFft(std::size_t size) : size_(size) {
  if (size < 2 || size % 2 != 0) throw std::invalid_argument("RealFft: the size is even, >= 2");
  // Never destroyed: components may transform until the process ends.
  static auto& plans = *new std::map<std::size_t, std::unique_ptr<const Plans>>();
  const auto lock = audio::lock_planner();
  auto& entry = plans[size];
  if (!entry) entry = std::make_unique<const Plans>(size);
  plans_ = entry.get();
}

void RealFft::forward(const float* time, std::complex<float>* spectrum) const {
  auto* out = reinterpret_cast<float*>(spectrum);
  if (audio::is_fft_aligned(time) && audio::is_fft_aligned(out)) {
    fftwf_execute_dft_r2c(plans_->forward, const_cast<float*>(time),
                          reinterpret_cast<fftwf_complex*>(out));
    return;
  }
  const audio::AlignedFloats in = audio::aligned_floats(size_);
  const audio::AlignedFloats result = audio::aligned_floats(size_ + 2);
  std::copy_n(time, size_, in.get());
  fftwf_execute_dft_r2c(plans_->forward, in.get(), reinterpret_cast<fftwf_complex*>(result.get()));
  std::copy_n(result.get(), size_ + 2, out);
}

void RealFft::inverse(std::complex<float>* spectrum, float* time) const {
  auto* in = reinterpret_cast<float*>(spectrum);
  if (audio::is_fft_aligned(in) && audio::is_fft_aligned(time)) {
    fftwf_execute_dft_c2r(plans_->inverse, reinterpret_cast<fftwf_complex*>(in), time);
  } else {
    const audio::AlignedFloats copy = audio::aligned_floats(size_ + 2);
    const audio::AlignedFloats result = audio::aligned_floats(size_);
    std::copy_n(in, size_ + 2, copy.get());
    fftwf_execute_dft_c2r(plans_->inverse, reinterpret_cast<fftwf_complex*>(copy.get()),
                          result.get());
    std::copy_n(result.get(), size_, time);
  }
  const float scale = 1.0F / static_cast<float>(size_);
  for (std::size_t i = 0; i < size_; ++i) time[i] *= scale;
}

std::size_t RealFft::fast_size(std::size_t n) {
  for (std::size_t size = n < 2 ? 2 : n + n % 2;; size += 2) {
    std::size_t rest = size;
    for (const std::size_t factor : {2U, 3U, 5U}) {
      while (rest % factor == 0) rest /= factor;
    }
    if (rest == 1) return size;
  }
}

}  // namespace retake

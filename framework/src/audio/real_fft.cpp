#include <fftw3.h>

#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <vector>

#include "retake/audio/fft.hpp"

namespace retake {

struct RealFft::Plans {
  explicit Plans(std::size_t size) {
    std::vector<float> time(size);
    std::vector<std::complex<float>> spectrum(size / 2 + 1);
    auto* out = reinterpret_cast<fftwf_complex*>(spectrum.data());
    const int n = static_cast<int>(size);
    forward = fftwf_plan_dft_r2c_1d(n, time.data(), out, kFlags | FFTW_PRESERVE_INPUT);
    inverse = fftwf_plan_dft_c2r_1d(n, out, time.data(), kFlags);
    if (forward == nullptr || inverse == nullptr) {
      throw std::runtime_error("FFTW could not plan a transform of " + std::to_string(size));
    }
  }

  // Estimated plans depend on the length alone; callers' buffers have any alignment.
  static constexpr unsigned kFlags = FFTW_ESTIMATE | FFTW_UNALIGNED;
  fftwf_plan forward = nullptr;
  fftwf_plan inverse = nullptr;
};

RealFft::RealFft(std::size_t size) : size_(size) {
  if (size < 2 || size % 2 != 0) throw std::invalid_argument("RealFft: the size is even, >= 2");
  static std::mutex mutex;
  // Never destroyed: components may transform until the process ends.
  static auto& plans = *new std::map<std::size_t, std::unique_ptr<const Plans>>();
  const std::lock_guard lock(mutex);
  auto& entry = plans[size];
  if (!entry) entry = std::make_unique<const Plans>(size);
  plans_ = entry.get();
}

void RealFft::forward(const float* time, std::complex<float>* spectrum) const {
  fftwf_execute_dft_r2c(plans_->forward, const_cast<float*>(time),
                        reinterpret_cast<fftwf_complex*>(spectrum));
}

void RealFft::inverse(std::complex<float>* spectrum, float* time) const {
  fftwf_execute_dft_c2r(plans_->inverse, reinterpret_cast<fftwf_complex*>(spectrum), time);
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

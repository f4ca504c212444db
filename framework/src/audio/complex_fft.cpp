#include "audio/complex_fft.hpp"

#include <algorithm>
#include <map>
#include <new>
#include <stdexcept>
#include <string>

namespace retake::audio {

AlignedFloats aligned_floats(std::size_t n) {
  float* p = fftwf_alloc_real(n == 0 ? 1 : n);
  if (p == nullptr) throw std::bad_alloc();
  std::fill_n(p, n, 0.0F);
  return AlignedFloats(p);
}

std::unique_lock<std::mutex> lock_planner() {
  static std::mutex mutex;
  return std::unique_lock(mutex);
}

fftwf_plan forward_complex_plan(std::size_t size) {
  // Never destroyed: components may transform until the process ends.
  static auto& plans = *new std::map<std::size_t, fftwf_plan>();
  const auto lock = lock_planner();
  fftwf_plan& plan = plans[size];
  if (plan == nullptr) {
    const AlignedFloats in = aligned_floats(2 * size);
    const AlignedFloats out = aligned_floats(2 * size);
    plan =
        fftwf_plan_dft_1d(static_cast<int>(size), reinterpret_cast<fftwf_complex*>(in.get()),
                          reinterpret_cast<fftwf_complex*>(out.get()), FFTW_FORWARD, FFTW_ESTIMATE);
    if (plan == nullptr) {
      throw std::runtime_error("FFTW could not plan a transform of " + std::to_string(size));
    }
  }
  return plan;
}

}  // namespace retake::audio

#pragma once
// Plans of FFTW, made once per length in a process. FFTW's planner is process-global.

#include <fftw3.h>

#include <cstddef>
#include <memory>
#include <mutex>

namespace retake::audio {

/// Float storage with the alignment that FFTW's vector code wants (its unaligned code takes five
/// times as long).
struct FftwFree {
  void operator()(float* p) const { fftwf_free(p); }
};
using AlignedFloats = std::unique_ptr<float[], FftwFree>;
AlignedFloats aligned_floats(std::size_t n);

/// True when FFTW may run a plan made for aligned storage on `p`.
inline bool is_fft_aligned(const float* p) {
  return fftwf_alignment_of(const_cast<float*>(p)) == 0;
}

/// A forward complex transform of `size`, out of place, between aligned buffers of interleaved
/// complex values. The plan is chosen without timing, so that bits never depend on the machine's
/// load. Thread-safe; the plan lives as long as the process.
fftwf_plan forward_complex_plan(std::size_t size);

/// Held while FFTW plans anything.
std::unique_lock<std::mutex> lock_planner();

}  // namespace retake::audio

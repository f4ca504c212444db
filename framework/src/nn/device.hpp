#pragma once
// Where tensors live, in which precision, and what LibTorch says of this machine.

#include <string>

#include "retake/value.hpp"

namespace retake::nn {

/// "cpu" or "cuda:0" for `run.device` = "auto", "cpu" or "cuda". Throws ConfigError when CUDA is
/// asked for and there is none.
std::string choose_device(const std::string& wanted);

/// Threads of LibTorch's kernels, deterministic algorithms, TF32 off: once per process.
void configure_torch(int threads, bool deterministic);

/// Seeds LibTorch's generators of every device.
void seed_torch(std::uint64_t seed);

/// Facts for the manifest: libtorch version, CPU capability, BLAS, threads, GPUs.
Table torch_environment();

/// Autocast to bfloat16 for its lifetime when `precision` ("fp32", "bf16", "auto") asks for it on
/// this device: "auto" is bf16 on CUDA and fp32 on CPU.
class AutocastGuard {
 public:
  AutocastGuard(const std::string& precision, const std::string& device);
  ~AutocastGuard();
  AutocastGuard(const AutocastGuard&) = delete;
  AutocastGuard& operator=(const AutocastGuard&) = delete;

 private:
  bool on_ = false;
  bool cuda_ = false;
  bool before_ = false;
};

}  // namespace retake::nn

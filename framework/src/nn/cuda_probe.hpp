#pragma once
// Whether the CUDA kernels of this build run on a device. Includes no LibTorch and no CUDA header:
// the .cu file is compiled wherever there is nvcc, and linked beside a CUDA LibTorch only.

#include <string>

namespace retake::nn {

/// Runs a small kernel on CUDA device `device` and checks what it gives. Empty when all is well,
/// else CUDA's own words ("no kernel image is available for execution on the device": the kernels
/// were compiled for other GPUs). Leaves the current device as it was.
std::string cuda_probe(int device);

}  // namespace retake::nn

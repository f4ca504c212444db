#include "nn/cuda_probe.hpp"

#include <cuda_runtime.h>

#include <vector>

namespace retake::nn {

namespace {

constexpr int kCount = 1000;  // no multiple of a block: the last one is partly idle
constexpr int kBlock = 256;

__global__ void square_all(int* out) {
  const int i = static_cast<int>(blockIdx.x * blockDim.x + threadIdx.x);
  if (i < kCount) out[i] = i * i;
}

/// Device memory for its lifetime.
struct Buffer {
  int* data = nullptr;
  cudaError_t made = cudaMalloc(reinterpret_cast<void**>(&data), kCount * sizeof(int));
  ~Buffer() { cudaFree(data); }
};

cudaError_t squares(std::vector<int>& host, cudaStream_t stream) {
  const Buffer buffer;
  if (buffer.made != cudaSuccess) return buffer.made;
  square_all<<<(kCount + kBlock - 1) / kBlock, kBlock, 0, stream>>>(buffer.data);
  if (const cudaError_t e = cudaGetLastError(); e != cudaSuccess) return e;
  const cudaError_t copied = cudaMemcpyAsync(host.data(), buffer.data, kCount * sizeof(int),
                                             cudaMemcpyDeviceToHost, stream);
  return copied != cudaSuccess ? copied : cudaStreamSynchronize(stream);
}

}  // namespace

std::string cuda_probe(int device) {
  int before = 0;
  cudaGetDevice(&before);
  std::vector<int> host(kCount, -1);
  cudaError_t error = cudaSetDevice(device);
  if (error == cudaSuccess) error = squares(host, nullptr);
  cudaSetDevice(before);
  if (error != cudaSuccess) {
    cudaGetLastError();  // taken out, or the next call of somebody else reports it
    return cudaGetErrorString(error);
  }
  for (int i = 0; i < kCount; ++i) {
    if (host[static_cast<std::size_t>(i)] != i * i) return "a kernel gave wrong numbers";
  }
  return {};
}

}  // namespace retake::nn

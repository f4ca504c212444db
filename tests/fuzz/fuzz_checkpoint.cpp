// Files of a checkpoint: the safetensors container and its header.

#include <stdexcept>

#include "run/safetensors.hpp"
#include "run/safetensors_header.hpp"
#include "scratch.hpp"

using namespace retake;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz::text(data, size);
  try {
    run::parse_safetensors_header(bytes);
  } catch (const std::runtime_error&) {  // its own way of saying what is wrong
  }
  const auto path = fuzz::put("model.safetensors", bytes);
  fuzz::tolerant([&] {
    const run::SafeTensors file(path);
    for (const run::TensorView& tensor : file.tensors()) {
      std::size_t elements = 1;
      for (const std::int64_t n : tensor.shape) elements *= static_cast<std::size_t>(n);
      fuzz::require(tensor.bytes.size() == elements * run::dtype_size(tensor.dtype),
                    "whole tensors");
      run::tensor_hash(tensor);  // reads every byte
      fuzz::require(file.find(tensor.name) != nullptr, "found by name");
    }
  });
  return 0;
}

#pragma once
// Tensors <-> the bytes of a checkpoint.

#include <span>
#include <vector>

#include "retake/nn/tensor_map.hpp"
#include "run/safetensors.hpp"

namespace retake::nn {

/// CPU, contiguous copies that views can borrow bytes of; keeps them alive.
class TensorBytes {
 public:
  void add(const std::string& name, const at::Tensor& tensor);
  void add(const std::string& prefix, const TensorMap& tensors);
  /// Valid as long as this object is and nothing is added.
  std::vector<run::TensorView> views() const;

 private:
  std::vector<std::pair<std::string, at::Tensor>> tensors_;
};

/// A view that borrows the tensor's bytes; CPU and contiguous.
run::TensorView view_of(const std::string& name, const at::Tensor& tensor);
/// A copy on the CPU.
at::Tensor tensor_of(const run::TensorView& view);
/// The tensors under `prefix`, which is taken off their names.
TensorMap with_prefix(const run::SafeTensors& file, const std::string& prefix);

}  // namespace retake::nn

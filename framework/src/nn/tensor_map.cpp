#include "retake/nn/tensor_map.hpp"

#include <ATen/ATen.h>

#include "retake/error.hpp"

namespace retake {

const at::Tensor* TensorMap::find(std::string_view name) const {
  for (const auto& [key, tensor] : entries_) {
    if (key == name) return &tensor;
  }
  return nullptr;
}

const at::Tensor& TensorMap::at(std::string_view name) const {
  if (const at::Tensor* tensor = find(name)) return *tensor;
  std::string known;
  for (const auto& [key, tensor] : entries_) known += (known.empty() ? "" : ", ") + key;
  throw Error(ExitCode::unexpected,
              Diagnostic{Severity::error,
                         "E601",
                         "no tensor named `" + std::string(name) + "`",
                         {},
                         {},
                         {"there are: " + (known.empty() ? "none" : known)},
                         "wire a component that gives it, or remove the one that reads it"});
}

void TensorMap::set(std::string name, at::Tensor tensor) {
  for (auto& [key, old] : entries_) {
    if (key == name) {
      old = std::move(tensor);
      return;
    }
  }
  entries_.emplace_back(std::move(name), std::move(tensor));
}

TensorMap TensorMap::to(const std::string& device) const {
  TensorMap moved;
  const c10::Device where(device);
  for (const auto& [key, tensor] : entries_) {
    moved.set(key, tensor.defined() ? tensor.to(where) : tensor);
  }
  return moved;
}

}  // namespace retake

#include "retake/nn/tensor_map.hpp"

#include "retake/error.hpp"
#include "retake/nn/torch.hpp"

namespace retake {

const at::Tensor* TensorMap::find(std::string_view name) const {
  for (const Entry& entry : entries_) {
    if (entry.first == name) return &entry.second;
  }
  return nullptr;
}

const at::Tensor& TensorMap::at(std::string_view name) const {
  if (const at::Tensor* tensor = find(name)) return *tensor;
  std::string have;
  for (const Entry& entry : entries_) have += (have.empty() ? "" : ", ") + entry.first;
  Diagnostic d;
  d.id = "E151";
  d.message =
      "a component asked for the tensor `" + std::string(name) + "`, which nothing provides";
  d.facts = {"there are: " + (have.empty() ? std::string("none") : have)};
  d.help = "wire a model, loss or trainer that provides it (retake plugins info KIND/NAME)";
  throw ConfigError(std::move(d));
}

void TensorMap::set(std::string name, at::Tensor tensor) {
  for (Entry& entry : entries_) {
    if (entry.first == name) {
      entry.second = std::move(tensor);
      return;
    }
  }
  entries_.emplace_back(std::move(name), std::move(tensor));
}

TensorMap TensorMap::to(const std::string& device) const {
  TensorMap out;
  const at::Device target(device);
  for (const auto& [name, tensor] : entries_) {
    out.entries_.emplace_back(name, tensor.device() == target
                                        ? tensor
                                        : tensor.to(target, /*non_blocking=*/target.is_cuda()));
  }
  return out;
}

}  // namespace retake

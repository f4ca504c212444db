#pragma once
// Named tensors.

#include <ATen/core/Tensor.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace retake {

/// Names -> tensors, in insertion order. Copies share the tensors.
class TensorMap {
 public:
  using Entry = std::pair<std::string, at::Tensor>;

  /// Throws Error naming the missing tensor and those there are.
  const at::Tensor& at(std::string_view name) const;
  const at::Tensor* find(std::string_view name) const;
  bool contains(std::string_view name) const { return find(name) != nullptr; }
  void set(std::string name, at::Tensor tensor);
  bool empty() const { return entries_.empty(); }
  std::size_t size() const { return entries_.size(); }
  auto begin() const { return entries_.begin(); }
  auto end() const { return entries_.end(); }
  /// Every tensor moved to `device` ("cpu", "cuda:0").
  TensorMap to(const std::string& device) const;

 private:
  std::vector<Entry> entries_;
};

}  // namespace retake

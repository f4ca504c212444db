#include "nn/tensor_io.hpp"

#include <cstring>

#include "retake/error.hpp"
#include "retake/nn/torch.hpp"

namespace retake::nn {
namespace {

struct Pairing {
  run::DType file;
  at::ScalarType torch;
};
constexpr Pairing kTypes[] = {
    {run::DType::boolean, at::kBool}, {run::DType::u8, at::kByte},
    {run::DType::i8, at::kChar},      {run::DType::i16, at::kShort},
    {run::DType::i32, at::kInt},      {run::DType::i64, at::kLong},
    {run::DType::f16, at::kHalf},     {run::DType::bf16, at::kBFloat16},
    {run::DType::f32, at::kFloat},    {run::DType::f64, at::kDouble},
};

run::DType file_type(const std::string& name, at::ScalarType type) {
  for (const Pairing& p : kTypes) {
    if (p.torch == type) return p.file;
  }
  throw std::invalid_argument("tensor `" + name +
                              "` has a type that checkpoints do not hold: " + c10::toString(type));
}

}  // namespace

void TensorBytes::add(const std::string& name, const at::Tensor& tensor) {
  tensors_.emplace_back(name, tensor.detach().to(at::kCPU).contiguous());
}

void TensorBytes::add(const std::string& prefix, const TensorMap& tensors) {
  for (const auto& [name, tensor] : tensors) add(prefix + name, tensor);
}

std::vector<run::TensorView> TensorBytes::views() const {
  std::vector<run::TensorView> out;
  for (const auto& [name, tensor] : tensors_) out.push_back(view_of(name, tensor));
  return out;
}

run::TensorView view_of(const std::string& name, const at::Tensor& tensor) {
  run::TensorView view;
  view.name = name;
  view.dtype = file_type(name, tensor.scalar_type());
  view.shape.assign(tensor.sizes().begin(), tensor.sizes().end());
  view.bytes = {static_cast<const std::byte*>(tensor.const_data_ptr()), tensor.nbytes()};
  return view;
}

at::Tensor tensor_of(const run::TensorView& view) {
  for (const Pairing& p : kTypes) {
    if (p.file != view.dtype) continue;
    at::Tensor out = at::empty(view.shape, at::TensorOptions(p.torch));
    if (!view.bytes.empty()) {
      std::memcpy(out.mutable_data_ptr(), view.bytes.data(), view.bytes.size());
    }
    return out;
  }
  throw DataError(file_diagnostic(
      "E607", view.name,
      "holds " + std::string(run::dtype_name(view.dtype)) + " values, which models do not use",
      "this checkpoint was not written by Retake"));
}

TensorMap with_prefix(const run::SafeTensors& file, const std::string& prefix) {
  TensorMap out;
  for (const run::TensorView& view : file.tensors()) {
    if (!view.name.starts_with(prefix)) continue;
    out.set(view.name.substr(prefix.size()), tensor_of(view));
  }
  return out;
}

}  // namespace retake::nn

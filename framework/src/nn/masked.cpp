#include "retake/nn/masked.hpp"

#include <ATen/ATen.h>

namespace retake {

namespace {
at::Tensor at_least_fp32(const at::Tensor& x) {
  return x.scalar_type() == at::kDouble ? x : x.to(at::kFloat);
}
}  // namespace

at::Tensor masked_mean(const at::Tensor& values, const at::Tensor& mask) {
  const at::Tensor wide = mask.expand_as(values);
  const at::Tensor kept = at_least_fp32(values).masked_fill(wide.logical_not(), 0);
  return kept.sum() / wide.sum().clamp_min(1).to(kept.scalar_type());
}

at::Tensor masked_mean(const at::Tensor& values, const at::Tensor& mask,
                       const at::Tensor& weights) {
  const at::Tensor off = mask.expand_as(values).logical_not();
  const at::Tensor kept = at_least_fp32(values).masked_fill(off, 0);
  const at::Tensor w = weights.expand_as(values).to(kept.scalar_type()).masked_fill(off, 0);
  const at::Tensor total = w.sum();
  return (kept * w).sum() / at::where(total > 0, total, at::ones_like(total));
}

at::Tensor apply_mask(const at::Tensor& x_BTD, const at::Tensor& mask_BT) {
  return x_BTD.masked_fill(mask_BT.logical_not().unsqueeze(-1), 0);
}

at::Tensor stride_mask(const at::Tensor& mask_BT, std::int64_t stride) {
  return mask_BT.slice(1, 0, c10::nullopt, stride);
}

at::Tensor length_mask(const at::Tensor& lengths_B, std::int64_t length) {
  return at::arange(length, lengths_B.options()).unsqueeze(0) < lengths_B.unsqueeze(1);
}

}  // namespace retake

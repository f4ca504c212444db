#pragma once
// Reductions over valid positions. Every loss and every pooled feature of the project uses these.

#include <ATen/core/Tensor.h>

namespace retake {

/// Mean of `values` over the positions where `mask` is true: the ONE masked mean. `mask` is boolean
/// and has the shape of `values` or broadcasts to it. Values under a false mask never matter, NaN
/// included, and get a zero gradient. No valid position at all gives 0 with a zero gradient.
/// Scalar, fp32 at least.
at::Tensor masked_mean(const at::Tensor& values, const at::Tensor& mask);

/// Weighted: sum(w * v) / sum(w) over valid positions, weights >= 0, 0 when they sum to 0.
at::Tensor masked_mean(const at::Tensor& values, const at::Tensor& mask, const at::Tensor& weights);

/// `x_BTD` with 0 where `mask_BT` is false.
at::Tensor apply_mask(const at::Tensor& x_BTD, const at::Tensor& mask_BT);

/// The mask after a stride: position t is valid when the source position t * stride is. [B, ceil(T
/// / stride)].
at::Tensor stride_mask(const at::Tensor& mask_BT, std::int64_t stride);

/// Boolean [B, length]: true before each row's own length.
at::Tensor length_mask(const at::Tensor& lengths_B, std::int64_t length);

}  // namespace retake

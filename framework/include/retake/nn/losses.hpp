#pragma once
// What the loss plugins share: per-position losses that the masked mean then reduces.

#include <ATen/core/Tensor.h>

namespace retake {

/// Binary cross-entropy of logits against targets in [0, 1], per position, in fp32, times
/// `positive_weight` for the positive part and (1 - p_true)^gamma (focal loss, Lin et al. 2017).
/// gamma 0 and weight 1 is plain cross-entropy.
at::Tensor binary_cross_entropy(const at::Tensor& logits, const at::Tensor& targets,
                                double positive_weight = 1.0, double gamma = 0.0);

/// Cross-entropy of logits [..., K] against classes [...] (int64; negative ones give 0), per
/// position, in fp32, with label smoothing in [0, 1).
at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& classes,
                         double smoothing = 0.0);

}  // namespace retake

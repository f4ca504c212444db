#include "retake/nn/losses.hpp"

#include <ATen/ATen.h>

namespace retake {

at::Tensor binary_cross_entropy(const at::Tensor& logits, const at::Tensor& targets,
                                double positive_weight, double gamma) {
  const at::Tensor x = logits.to(at::kFloat), y = targets.to(at::kFloat);
  // -log sigmoid(x) = softplus(-x), which neither overflows nor rounds to infinity.
  at::Tensor positive = at::softplus(-x) * positive_weight, negative = at::softplus(x);
  if (gamma > 0) {
    const at::Tensor p = at::sigmoid(x);
    positive = positive * (1 - p).pow(gamma);
    negative = negative * p.pow(gamma);
  }
  return y * positive + (1 - y) * negative;
}

at::Tensor cross_entropy(const at::Tensor& logits, const at::Tensor& classes, double smoothing) {
  const at::Tensor log_p = at::log_softmax(logits.to(at::kFloat), -1);
  const at::Tensor known = classes >= 0;
  const at::Tensor picked = log_p.gather(-1, classes.clamp_min(0).unsqueeze(-1)).squeeze(-1);
  at::Tensor loss = -(1 - smoothing) * picked;
  if (smoothing > 0) loss = loss - smoothing * log_p.mean(-1);
  return loss.masked_fill(known.logical_not(), 0);
}

}  // namespace retake

#pragma once
// Banded attention on the CPU without gathering the bands: what LibTorch's operations would copy
// out (queries x band x 2 width numbers, and as many again backwards) is read where it lies.

#include <utility>

#include "retake/nn/torch.hpp"

namespace retake::nn {

/// For each query a softmax over its band of keys and its global scores together. Float32 on the
/// CPU; differentiable in q, keys_values, position_bias and global_scores.
///
///   q              [Q, D]     scaled already
///   keys_values    [B, N, 2D] keys, then values, each as H heads of E = D / H channels
///   mask           [B, N]     bool: positions that there are
///   centre, item   [Q]        int64: middle of the band, batch item that it lies in
///   position_bias  [H, 2R+1]  added to the scores of the band
///   global_scores  [Q, H, G]  further scores; undefined when there are none
///
/// Returns the band's part of the mixture [Q, D] and the weights of the globals [Q, H, G]
/// (undefined without globals). A query that sees nothing gives zeros. The sums have a fixed order:
/// results don't depend on the number of threads.
std::pair<at::Tensor, at::Tensor> banded_attention(
    const at::Tensor& q_QD, const at::Tensor& keys_values, const at::Tensor& mask_BN,
    const at::Tensor& centre_Q, const at::Tensor& item_Q, const at::Tensor& position_bias,
    const at::Tensor& global_scores);

}  // namespace retake::nn

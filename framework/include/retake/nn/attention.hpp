#pragma once
// Attention blocks whose cost is linear in the length of the recording. All of them take masks and
// give results that do not depend on padding or batch mates (<= 1e-5).
//
// Shapes: B batch, N keys, T queries, D model width, H heads, E = D / H, G globals, R band radius.

#include <utility>

#include "retake/nn/torch.hpp"

namespace retake {

/// Linear attention with the feature map ELU(u) + 1 (Katharopoulos et al., "Transformers are RNNs",
/// 2020). State and normaliser are kept in fp32 and divided by the number of keys, so that a
/// million positions neither overflow nor lose precision.
class LinearAttentionImpl : public torch::nn::Module {
 public:
  /// `causal`: position t sees only positions <= t. D must be a multiple of `heads`.
  LinearAttentionImpl(std::int64_t width, std::int64_t heads, bool causal = false);
  /// x [B, T, D], mask [B, T] (true = valid) -> [B, T, D]; O(T). Invalid rows are 0.
  at::Tensor forward(const at::Tensor& x_BTD, const at::Tensor& mask_BT);

 private:
  at::Tensor everywhere(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                        const at::Tensor& mask_BT) const;
  at::Tensor causally(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v) const;

  std::int64_t heads_;
  bool causal_;
  torch::nn::Linear query_{nullptr}, key_{nullptr}, value_{nullptr}, out_{nullptr};
};
TORCH_MODULE(LinearAttention);

/// A fixed number of global tokens, each a softmax-weighted mean of the sequence under a learned
/// query: O(D^2) weights whatever the length.
class GlobalTokensImpl : public torch::nn::Module {
 public:
  GlobalTokensImpl(std::int64_t width, std::int64_t heads, std::int64_t tokens);
  /// x [B, N, D], mask [B, N] -> [B, G, D].
  at::Tensor forward(const at::Tensor& x_BND, const at::Tensor& mask_BN);

 private:
  std::int64_t heads_;
  at::Tensor queries_GD_;
  torch::nn::Linear key_{nullptr}, value_{nullptr}, out_{nullptr};
};
TORCH_MODULE(GlobalTokens);

/// Causal self-attention over the last `window` positions, with a learned bias per distance.
/// Computed in blocks of `window` queries against two blocks of keys: O(T * window).
class CausalWindowAttentionImpl : public torch::nn::Module {
 public:
  CausalWindowAttentionImpl(std::int64_t width, std::int64_t heads, std::int64_t window);

  /// Keys and values of the positions before a block, for stateful use: [B, P, 2 D] and their mask
  /// [B, P], P <= window. Empty at the start of a sequence.
  struct Cache {
    at::Tensor keys_values;
    at::Tensor mask;
  };
  /// x [B, T, D], mask [B, T] -> [B, T, D]. `visible` [B, T] (may be undefined): number of earlier
  /// positions that position t may see, which hides history. `before` continues a sequence.
  /// `cache` receives the block's own keys and values.
  at::Tensor forward(const at::Tensor& x_BTD, const at::Tensor& mask_BT,
                     const at::Tensor& visible_BT = {}, const Cache* before = nullptr,
                     Cache* cache = nullptr);
  /// The cache after the first `taken` positions of a block that was computed on `before`.
  Cache advance(const Cache& before, const Cache& block, std::int64_t taken) const;
  std::int64_t window() const { return window_; }

 private:
  std::int64_t heads_, window_;
  at::Tensor distance_bias_;  ///< [H, window + 1]
  torch::nn::Linear query_{nullptr}, key_value_{nullptr}, out_{nullptr};
};
TORCH_MODULE(CausalWindowAttention);

/// Cross-attention of each query to the memory positions within `radius` of its own centre, and to
/// the global tokens, with a learned bias per relative position. Bands are gathered in blocks of
/// queries, so nothing is T x N: O(T * (2 R + 1 + G)).
class BandedCrossAttentionImpl : public torch::nn::Module {
 public:
  BandedCrossAttentionImpl(std::int64_t width, std::int64_t heads, std::int64_t radius);

  /// Memory prepared once for many queries.
  struct Memory {
    at::Tensor keys_values;  ///< [B, N, 2 D]
    at::Tensor mask;         ///< [B, N]
    at::Tensor globals;      ///< [B, G, 2 D]; undefined without globals
  };
  /// memory [B, N, D], mask [B, N], globals [B, G, D] (may be undefined).
  Memory prepare(const at::Tensor& memory_BND, const at::Tensor& mask_BN,
                 const at::Tensor& globals_BGD);
  /// x [M, T, D], centre [M, T] (int64 memory positions; outside the memory there is nothing to
  /// see), item [M] (which batch item each row reads) -> [M, T, D].
  at::Tensor forward(const at::Tensor& x_MTD, const Memory& memory, const at::Tensor& centre_MT,
                     const at::Tensor& item_M);

 private:
  /// One block of queries: what it gathers from its bands, and its weights on the globals.
  std::pair<at::Tensor, at::Tensor> block(const at::Tensor& q_QD, const Memory& memory,
                                          const at::Tensor& centre_Q, const at::Tensor& item_Q,
                                          const at::Tensor& global_scores_QHG) const;

  std::int64_t heads_, radius_;
  at::Tensor position_bias_;  ///< [H, 2 R + 1]
  at::Tensor global_bias_;    ///< [H]
  torch::nn::Linear query_{nullptr}, key_value_{nullptr}, global_key_value_{nullptr}, out_{nullptr};
};
TORCH_MODULE(BandedCrossAttention);

}  // namespace retake

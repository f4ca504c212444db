#pragma once
// The encoder of a raw recording that the editing models share: full-rate features to one token per
// 8 frames (93 ms on the standard grid), with the whole recording as context, in O(S).
//
// Shapes: B batch, S raw frames, N = ceil(S / 8) tokens, F frame features, C slow features, D
// width.

#include "retake/nn/attention.hpp"
#include "retake/nn/torch.hpp"

namespace retake {

/// Raw frames per token.
inline constexpr std::int64_t kTokenFrames = 8;
/// Raw frames per row of the slow features.
inline constexpr std::int64_t kSlowFrames = 16;

/// x + W2 gelu(dilated convolution(norm(x))), masked.
class ResidualConvImpl : public torch::nn::Module {
 public:
  ResidualConvImpl(std::int64_t width, std::int64_t kernel, std::int64_t dilation, double dropout);
  /// [B, T, D], [B, T] -> [B, T, D]
  at::Tensor forward(const at::Tensor& x_BTD, const at::Tensor& mask_BT);

 private:
  torch::nn::LayerNorm norm_{nullptr};
  torch::nn::Conv1d conv_{nullptr};
  torch::nn::Linear out_{nullptr};
  torch::nn::Dropout dropout_{nullptr};
};
TORCH_MODULE(ResidualConv);

/// Convolution of stride 2, layer norm, GELU; output t is centred on input 2 t.
class DownsampleImpl : public torch::nn::Module {
 public:
  DownsampleImpl(std::int64_t in, std::int64_t out, std::int64_t kernel = 5);
  /// [B, T, in] with T even, mask of the input [B, T] -> [B, T / 2, out]
  at::Tensor forward(const at::Tensor& x_BTD, const at::Tensor& mask_BT);

 private:
  torch::nn::Conv1d conv_{nullptr};
  torch::nn::LayerNorm norm_{nullptr};
};
TORCH_MODULE(Downsample);

/// Linear -> GELU -> dropout -> linear, with a norm before and a residual around.
class FeedForwardImpl : public torch::nn::Module {
 public:
  FeedForwardImpl(std::int64_t width, std::int64_t hidden, double dropout);
  at::Tensor forward(const at::Tensor& x);

 private:
  torch::nn::LayerNorm norm_{nullptr};
  torch::nn::Linear in_{nullptr}, out_{nullptr};
  torch::nn::Dropout dropout_{nullptr};
};
TORCH_MODULE(FeedForward);

/// Pre-norm encoder layer: linear attention, a short depthwise convolution (linear attention alone
/// has no sense of place), feed-forward.
class LinearEncoderLayerImpl : public torch::nn::Module {
 public:
  LinearEncoderLayerImpl(std::int64_t width, std::int64_t heads, std::int64_t hidden,
                         double dropout);
  at::Tensor forward(const at::Tensor& x_BTD, const at::Tensor& mask_BT);

 private:
  torch::nn::LayerNorm attention_norm_{nullptr}, local_norm_{nullptr};
  LinearAttention attention_{nullptr};
  torch::nn::Conv1d local_{nullptr};
  FeedForward feed_forward_{nullptr};
  torch::nn::Dropout dropout_{nullptr};
};
TORCH_MODULE(LinearEncoderLayer);

struct RawEncoderOptions {
  std::int64_t frame_width = 128;  ///< F
  std::int64_t slow_width = 0;     ///< C; 0: no slow features
  std::int64_t width = 128;        ///< D
  std::int64_t heads = 4;
  std::int64_t hidden = 256;        ///< of the feed-forward layers
  std::int64_t dilated_layers = 8;  ///< at 0.37 s, dilations 1, 2, 4, ... : 8 see +-95 s
  std::int64_t context_layers = 1;  ///< linear-attention layers at 0.37 s
  std::int64_t token_layers = 0;    ///< linear-attention layers at 93 ms
  double dropout = 0.1;
};

struct EncodedRaw {
  at::Tensor tokens;  ///< [B, N, D]; token n is centred on frame 8 n; 0 where invalid
  at::Tensor mask;    ///< [B, N]
  at::Tensor fine;    ///< [B, ceil(S / 32) * 16, fine_width()]: every second frame
};

/// Deterministic in evaluation mode. Any S >= 1.
class RawEncoderImpl : public torch::nn::Module {
 public:
  explicit RawEncoderImpl(const RawEncoderOptions& options);
  /// frames [B, S, F] in [0, 1], slow [B, ceil(S / 16), C] (ignored when C is 0), mask [B, S].
  EncodedRaw forward(const at::Tensor& frames_BSF, const at::Tensor& slow_BRC,
                     const at::Tensor& mask_BS);
  std::int64_t fine_width() const { return 64; }

 private:
  RawEncoderOptions options_;
  Downsample half_{nullptr}, quarter_{nullptr}, token_{nullptr}, slow_rate_{nullptr},
      context_rate_{nullptr};
  torch::nn::Linear slow_in_{nullptr}, context_out_{nullptr};
  torch::nn::LayerNorm slow_norm_{nullptr}, last_norm_{nullptr};
  std::vector<ResidualConv> local_, dilated_, merged_;
  std::vector<LinearEncoderLayer> context_, tokens_;
};
TORCH_MODULE(RawEncoder);

}  // namespace retake

#include "retake/nn/raw_encoder.hpp"

#include "retake/error.hpp"
#include "retake/nn/masked.hpp"

namespace retake {

namespace nn = torch::nn;

namespace {

constexpr std::int64_t kContextTokens = 4;                      // tokens per context row
constexpr std::int64_t kPadTo = kTokenFrames * kContextTokens;  // frames
constexpr std::int64_t kFineChannels = 64, kQuarterChannels = 96;
constexpr std::int64_t kLocalKernel = 15;

at::Tensor convolve(nn::Conv1d& conv, const at::Tensor& x_BTD) {
  return conv(x_BTD.transpose(1, 2)).transpose(1, 2);
}

nn::LayerNorm layer_norm(std::int64_t width) {
  return nn::LayerNorm(nn::LayerNormOptions({width}));
}

/// Every row `times` times: [B, T, D] -> [B, T * times, D].
at::Tensor repeat_rows(const at::Tensor& x_BTD, std::int64_t times) {
  return x_BTD.unsqueeze(2)
      .expand({x_BTD.size(0), x_BTD.size(1), times, x_BTD.size(2)})
      .reshape({x_BTD.size(0), x_BTD.size(1) * times, x_BTD.size(2)});
}

/// Zeros behind dimension 1 up to `length`, or cut to it.
at::Tensor fit_length(const at::Tensor& x, std::int64_t length) {
  if (x.size(1) >= length) return x.narrow(1, 0, length);
  std::vector<std::int64_t> padding(static_cast<std::size_t>(2 * (x.dim() - 1)), 0);
  padding.back() = length - x.size(1);
  return at::constant_pad_nd(x, padding);
}

}  // namespace

ResidualConvImpl::ResidualConvImpl(std::int64_t width, std::int64_t kernel, std::int64_t dilation,
                                   double dropout) {
  norm_ = register_module("norm", layer_norm(width));
  conv_ = register_module("conv", nn::Conv1d(nn::Conv1dOptions(width, width, kernel)
                                                 .dilation(dilation)
                                                 .padding(dilation * (kernel / 2))));
  out_ = register_module("out", nn::Linear(width, width));
  dropout_ = register_module("dropout", nn::Dropout(dropout));
}

at::Tensor ResidualConvImpl::forward(const at::Tensor& x_BTD, const at::Tensor& mask_BT) {
  const at::Tensor h = at::gelu(convolve(conv_, apply_mask(norm_(x_BTD), mask_BT)));
  return apply_mask(x_BTD + dropout_(out_(h)), mask_BT);
}

DownsampleImpl::DownsampleImpl(std::int64_t in, std::int64_t out, std::int64_t kernel) {
  conv_ = register_module(
      "conv", nn::Conv1d(nn::Conv1dOptions(in, out, kernel).stride(2).padding(kernel / 2)));
  norm_ = register_module("norm", layer_norm(out));
}

at::Tensor DownsampleImpl::forward(const at::Tensor& x_BTD, const at::Tensor& mask_BT) {
  return apply_mask(at::gelu(norm_(convolve(conv_, x_BTD))), stride_mask(mask_BT, 2));
}

FeedForwardImpl::FeedForwardImpl(std::int64_t width, std::int64_t hidden, double dropout) {
  norm_ = register_module("norm", layer_norm(width));
  in_ = register_module("in", nn::Linear(width, hidden));
  out_ = register_module("out", nn::Linear(hidden, width));
  dropout_ = register_module("dropout", nn::Dropout(dropout));
}

at::Tensor FeedForwardImpl::forward(const at::Tensor& x) {
  return x + dropout_(out_(dropout_(at::gelu(in_(norm_(x))))));
}

LinearEncoderLayerImpl::LinearEncoderLayerImpl(std::int64_t width, std::int64_t heads,
                                               std::int64_t hidden, double dropout) {
  attention_norm_ = register_module("attention_norm", layer_norm(width));
  attention_ = register_module("attention", LinearAttention(width, heads));
  local_norm_ = register_module("local_norm", layer_norm(width));
  local_ = register_module(
      "local",
      nn::Conv1d(
          nn::Conv1dOptions(width, width, kLocalKernel).groups(width).padding(kLocalKernel / 2)));
  feed_forward_ = register_module("feed_forward", FeedForward(width, hidden, dropout));
  dropout_ = register_module("dropout", nn::Dropout(dropout));
}

at::Tensor LinearEncoderLayerImpl::forward(const at::Tensor& x_BTD, const at::Tensor& mask_BT) {
  at::Tensor x = x_BTD + dropout_(attention_(attention_norm_(x_BTD), mask_BT));
  x = x + dropout_(at::gelu(convolve(local_, apply_mask(local_norm_(x), mask_BT))));
  return apply_mask(feed_forward_(x), mask_BT);
}

RawEncoderImpl::RawEncoderImpl(const RawEncoderOptions& options) : options_(options) {
  const auto& o = options_;
  if (o.frame_width <= 0) {
    throw ConfigError(Diagnostic{Severity::error,
                                 "E160",
                                 "the model reads no feature block: its `frames` is empty",
                                 {},
                                 {},
                                 {},
                                 "name blocks,  frames = [\"mel.mel\"]"});
  }
  half_ = register_module("half", Downsample(o.frame_width, kFineChannels));
  quarter_ = register_module("quarter", Downsample(kFineChannels, kQuarterChannels));
  token_ = register_module("token", Downsample(kQuarterChannels, o.width));
  slow_rate_ = register_module("slow_rate", Downsample(o.width, o.width));
  context_rate_ = register_module("context_rate", Downsample(o.width, o.width));
  if (o.slow_width > 0) {
    slow_in_ = register_module("slow_in", nn::Linear(o.slow_width, o.width));
    slow_norm_ = register_module("slow_norm", layer_norm(o.width));
  }
  for (std::int64_t i = 0; i < 2; ++i) {
    local_.push_back(register_module("local_" + std::to_string(i),
                                     ResidualConv(o.width, 5, std::int64_t{1} << i, o.dropout)));
    merged_.push_back(register_module("merged_" + std::to_string(i),
                                      ResidualConv(o.width, 5, std::int64_t{1} << i, o.dropout)));
  }
  for (std::int64_t i = 0; i < o.dilated_layers; ++i) {
    dilated_.push_back(register_module("dilated_" + std::to_string(i),
                                       ResidualConv(o.width, 3, std::int64_t{1} << i, o.dropout)));
  }
  for (std::int64_t i = 0; i < o.context_layers; ++i) {
    context_.push_back(register_module("context_" + std::to_string(i),
                                       LinearEncoderLayer(o.width, o.heads, o.hidden, o.dropout)));
  }
  for (std::int64_t i = 0; i < o.token_layers; ++i) {
    tokens_.push_back(register_module("tokens_" + std::to_string(i),
                                      LinearEncoderLayer(o.width, o.heads, o.hidden, o.dropout)));
  }
  context_out_ = register_module("context_out", nn::Linear(o.width, o.width));
  last_norm_ = register_module("last_norm", layer_norm(o.width));
}

EncodedRaw RawEncoderImpl::forward(const at::Tensor& frames_BSF, const at::Tensor& slow_BRC,
                                   const at::Tensor& mask_BS) {
  const std::int64_t frames = frames_BSF.size(1);
  const std::int64_t padded = (frames + kPadTo - 1) / kPadTo * kPadTo;
  const at::Tensor mask = fit_length(mask_BS, padded);
  // Features in [0, 1] to about unit scale; invalid frames are 0 like the padding of convolutions.
  const at::Tensor x = apply_mask((fit_length(frames_BSF, padded) - 0.5) * 4, mask);

  EncodedRaw out;
  out.fine = half_(x, mask);
  const at::Tensor half_mask = stride_mask(mask, 2);
  const at::Tensor quarter = quarter_(out.fine, half_mask);
  at::Tensor token = token_(quarter, stride_mask(mask, 4));
  const at::Tensor token_mask = stride_mask(mask, kTokenFrames);
  for (auto& layer : local_) token = layer(token, token_mask);

  const at::Tensor slow_mask = stride_mask(mask, kSlowFrames);
  at::Tensor context = slow_rate_(token, token_mask), slow;
  if (options_.slow_width > 0) {
    slow = at::gelu(slow_norm_(slow_in_(fit_length(slow_BRC, slow_mask.size(1)))));
    slow = apply_mask(slow, slow_mask);
    context = context + slow;
  }
  context = context_rate_(context, slow_mask);
  const at::Tensor context_mask = stride_mask(mask, kPadTo);
  for (auto& layer : dilated_) context = layer(context, context_mask);
  for (auto& layer : context_) context = layer(context, context_mask);

  token = token + repeat_rows(context_out_(context), kContextTokens);
  if (slow.defined()) token = token + repeat_rows(slow, kSlowFrames / kTokenFrames);
  token = apply_mask(token, token_mask);
  for (auto& layer : merged_) token = layer(token, token_mask);
  for (auto& layer : tokens_) token = layer(token, token_mask);

  const std::int64_t tokens = (frames + kTokenFrames - 1) / kTokenFrames;
  out.mask = token_mask.narrow(1, 0, tokens);
  out.tokens = apply_mask(last_norm_(token.narrow(1, 0, tokens)), out.mask);
  return out;
}

}  // namespace retake

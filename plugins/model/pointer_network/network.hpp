#pragma once
// The modules of the pointer network.
//
// Shapes: B recordings, S raw frames, N tokens (8 frames), C bins (Q frames), M rows of output
// windows, T output frames, U = T / 8 output tokens, J jumps, D width, E pointing width.

#include "retake/nn/attention.hpp"
#include "retake/nn/raw_encoder.hpp"
#include "retake/nn/torch.hpp"

namespace pointer_network {

struct Sizes {
  retake::RawEncoderOptions encoder;
  std::int64_t decoder_layers = 2;
  std::int64_t decoder_window = 64;  ///< output tokens
  std::int64_t band_radius = 32;     ///< raw tokens
  std::int64_t global_tokens = 64;
  std::int64_t pointing_width = 64;
  std::int64_t max_delta = 64;
  std::int64_t bin_frames = 16;
  std::int64_t kinds = 12;
};

/// Everything about the raw that the decoder reads.
struct Memory {
  std::int64_t frames = 0;
  at::Tensor frame_count;   ///< [B]: of each recording, less the padding
  at::Tensor tokens, mask;  ///< [B, N, D], [B, N]
  at::Tensor around;        ///< [B, F, D]: the raw around every second frame, and behind the end
  at::Tensor token_look;    ///< [B, N, D]: tokens as output frames see them
  at::Tensor keep, start;   ///< [B, N]: logits of these heads on the raw timeline
  at::Tensor bin_keys;      ///< [B, C, E]
  at::Tensor bin_bias;      ///< [B, C]; far below 0 where the recording has no frame
  std::vector<retake::BandedCrossAttentionImpl::Memory> bands;  ///< per decoder layer
};

/// History per decoder layer, and where the last output token began.
struct History {
  std::vector<retake::CausalWindowAttentionImpl::Cache> layers;
  at::Tensor last_start;  ///< [M]; undefined at the start
};

/// What the decoder knows of each output frame.
struct Decoded {
  at::Tensor frames;    ///< [M, T, D]
  at::Tensor query;     ///< [M, T, E]
  at::Tensor use_jump;  ///< [M, T]: logit of a jump, from what is known of the place and the frame
};

class DecoderLayerImpl : public torch::nn::Module {
 public:
  explicit DecoderLayerImpl(const Sizes& sizes);
  at::Tensor forward(const at::Tensor& x_MUD, const at::Tensor& mask_MU,
                     const at::Tensor& visible_MU,
                     const retake::BandedCrossAttentionImpl::Memory& band,
                     const at::Tensor& centre_MU, const at::Tensor& item_M,
                     const retake::CausalWindowAttentionImpl::Cache* before,
                     retake::CausalWindowAttentionImpl::Cache* block);
  retake::CausalWindowAttention self{nullptr};
  retake::BandedCrossAttention cross{nullptr};

 private:
  torch::nn::LayerNorm self_norm_{nullptr}, cross_norm_{nullptr};
  retake::FeedForward feed_forward_{nullptr};
  torch::nn::Dropout dropout_{nullptr};
};
TORCH_MODULE(DecoderLayer);

class NetworkImpl : public torch::nn::Module {
 public:
  explicit NetworkImpl(const Sizes& sizes);

  Memory encode(const at::Tensor& frames_BSF, const at::Tensor& slow_BRC,
                const at::Tensor& mask_BS);
  /// Output frames whose running pointers are `running` [M, T]; row m reads recording item[m].
  /// `visible` [M, U] limits the history (undefined: the window). `before` and `block` as of
  /// CausalWindowAttention.
  Decoded decode(const Memory& memory, const at::Tensor& running_MT, const at::Tensor& mask_MT,
                 const at::Tensor& item_M, const at::Tensor& visible_MU, const History* before,
                 History* block);
  /// Logits [J, C] of the bins of recording item[j], seen from `from`.
  at::Tensor bin_logits(const Memory& memory, const at::Tensor& query_JE, const at::Tensor& from_J,
                        const at::Tensor& item_J);
  /// Logits [J, Q] of the frames of bin[j]; far below 0 behind the recording's end.
  at::Tensor fine_logits(const Memory& memory, const at::Tensor& query_JE, const at::Tensor& bin_J,
                         const at::Tensor& item_J);
  History advance(const History& before, const History& block, std::int64_t tokens);
  const Sizes& sizes() const { return sizes_; }

  torch::nn::Linear delta{nullptr}, stop{nullptr}, op{nullptr};
  torch::nn::Linear end{nullptr}, kind{nullptr};

 private:
  /// What the raw looks like around frames [M, T], at frame resolution: [M, T, D].
  at::Tensor look(const Memory& memory, const at::Tensor& frame_MT, const at::Tensor& item_M);
  at::Tensor nearest_tokens(const Memory& memory, const at::Tensor& x_BND,
                            const at::Tensor& frame_MT, const at::Tensor& item_M) const;
  at::Tensor distance_bias();
  at::Tensor gather_rows(const at::Tensor& x_BND, const at::Tensor& row_MT,
                         const at::Tensor& item_M) const;

  Sizes sizes_;
  torch::nn::Linear use_jump_{nullptr}, keep_{nullptr}, start_{nullptr};
  at::Tensor start_prior_, keep_prior_;
  retake::RawEncoder encoder_{nullptr};
  retake::GlobalTokens globals_{nullptr};
  std::vector<DecoderLayer> layers_;
  torch::nn::Conv1d fine_in_{nullptr};
  torch::nn::Linear token_in_{nullptr}, decoder_in_{nullptr};
  torch::nn::Embedding phase_{nullptr}, jumped_{nullptr}, distance_steps_{nullptr};
  torch::nn::LayerNorm frame_norm_{nullptr};
  torch::nn::Linear frame_hidden_{nullptr}, frame_out_{nullptr}, query_{nullptr};
  torch::nn::Linear bin_key_{nullptr}, bin_bias_{nullptr};
  torch::nn::Linear fine_query_{nullptr}, fine_key_{nullptr};
  torch::nn::Dropout dropout_{nullptr};
};
TORCH_MODULE(Network);

}  // namespace pointer_network

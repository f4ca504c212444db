#include "network.hpp"

#include <cmath>

#include "retake/nn/masked.hpp"

namespace pointer_network {

namespace nn = torch::nn;
using retake::kTokenFrames;

namespace {

constexpr std::int64_t kFineFrames = 2;  // frames per fine row
constexpr std::int64_t kFineReach = 3;   // fine rows seen to each side of a frame
constexpr std::int64_t kDistances = 24;  // powers of two, per direction
constexpr double kNever = -1e4;          // a logit that no softmax notices

nn::LayerNorm layer_norm(std::int64_t width) {
  return nn::LayerNorm(nn::LayerNormOptions({width}));
}

/// Signed logarithmic class of a distance in bins: [0, 2 kDistances).
at::Tensor distance_class(const at::Tensor& bins) {
  const at::Tensor size =
      at::log2(bins.abs().to(at::kFloat) + 1).to(at::kLong).clamp_max(kDistances - 1);
  return at::where(bins >= 0, size + kDistances, kDistances - 1 - size);
}

}  // namespace

DecoderLayerImpl::DecoderLayerImpl(const Sizes& s) {
  const std::int64_t d = s.encoder.width;
  self_norm_ = register_module("self_norm", layer_norm(d));
  self =
      register_module("self", retake::CausalWindowAttention(d, s.encoder.heads, s.decoder_window));
  cross_norm_ = register_module("cross_norm", layer_norm(d));
  cross = register_module("cross", retake::BandedCrossAttention(d, s.encoder.heads, s.band_radius));
  feed_forward_ =
      register_module("feed_forward", retake::FeedForward(d, s.encoder.hidden, s.encoder.dropout));
  dropout_ = register_module("dropout", nn::Dropout(s.encoder.dropout));
}

at::Tensor DecoderLayerImpl::forward(const at::Tensor& x_MUD, const at::Tensor& mask_MU,
                                     const at::Tensor& visible_MU,
                                     const retake::BandedCrossAttentionImpl::Memory& band,
                                     const at::Tensor& centre_MU, const at::Tensor& item_M,
                                     const retake::CausalWindowAttentionImpl::Cache* before,
                                     retake::CausalWindowAttentionImpl::Cache* block) {
  at::Tensor x = x_MUD + dropout_(self(self_norm_(x_MUD), mask_MU, visible_MU, before, block));
  x = x + dropout_(cross(cross_norm_(x), band, centre_MU, item_M));
  return feed_forward_(x);
}

NetworkImpl::NetworkImpl(const Sizes& sizes) : sizes_(sizes) {
  const std::int64_t d = sizes_.encoder.width, e = sizes_.pointing_width;
  encoder_ = register_module("encoder", retake::RawEncoder(sizes_.encoder));
  if (sizes_.global_tokens > 0) {
    globals_ = register_module("globals",
                               retake::GlobalTokens(d, sizes_.encoder.heads, sizes_.global_tokens));
  }
  for (std::int64_t i = 0; i < sizes_.decoder_layers; ++i) {
    layers_.push_back(register_module("decoder_" + std::to_string(i), DecoderLayer(sizes_)));
  }
  auto linear = [&](const char* name, std::int64_t in, std::int64_t out) {
    return register_module(name, nn::Linear(in, out));
  };
  fine_in_ = register_module(
      "fine_in", nn::Conv1d(nn::Conv1dOptions(encoder_->fine_width(), d, 2 * kFineReach + 1)));
  token_in_ = linear("token_in", d, d);
  decoder_in_ = linear("decoder_in", d, d);
  phase_ = register_module("phase", nn::Embedding(sizes_.bin_frames, d));
  jumped_ = register_module("jumped", nn::Embedding(2, d));
  distance_steps_ = register_module("distance_steps", nn::Embedding(2 * kDistances, 1));
  frame_norm_ = register_module("frame_norm", layer_norm(d));
  frame_hidden_ = linear("frame_hidden", d, 2 * d);
  frame_out_ = linear("frame_out", 2 * d, d);
  query_ = linear("query", d, e);
  bin_key_ = linear("bin_key", d * sizes_.bin_frames / kTokenFrames, e);
  bin_bias_ = linear("bin_bias", d * sizes_.bin_frames / kTokenFrames, 1);
  fine_query_ = linear("fine_query", e, e);
  fine_key_ = linear("fine_key", d, e);
  dropout_ = register_module("dropout", nn::Dropout(sizes_.encoder.dropout));
  delta = linear("delta", d, 2 * sizes_.max_delta + 1);
  use_jump_ = linear("use_jump", d, 1);
  stop = linear("stop", d, 1);
  op = linear("op", d, 7);
  // What the heads on the raw timeline know is where jumping begins to learn.
  start_prior_ = register_parameter("start_prior", at::ones({}));
  keep_prior_ = register_parameter("keep_prior", at::ones({}));
  keep_ = linear("keep", d, 1);
  start_ = linear("start", d, 1);
  end = linear("end", d, 1);
  kind = linear("kind", d, sizes_.kinds);
  const at::NoGradGuard no_grad;
  distance_steps_->weight.zero_();
}

Memory NetworkImpl::encode(const at::Tensor& frames_BSF, const at::Tensor& slow_BRC,
                           const at::Tensor& mask_BS) {
  const retake::EncodedRaw raw = encoder_(frames_BSF, slow_BRC, mask_BS);
  Memory m;
  m.frames = frames_BSF.size(1);
  m.frame_count = mask_BS.sum(1);
  m.tokens = raw.tokens;
  m.mask = raw.mask;
  // Once per place of the raw, not once per output frame that looks there. Rows behind the end are
  // convolved too: the frame behind the last one looks back from there.
  const at::Tensor fine =
      at::constant_pad_nd(raw.fine, {0, 0, kFineReach, 2 * kFineReach}).transpose(1, 2);
  m.around = fine_in_(fine).transpose(1, 2).contiguous();
  m.token_look = token_in_(raw.tokens);
  m.keep = keep_(raw.tokens).squeeze(-1);
  m.start = start_(raw.tokens).squeeze(-1);
  const std::int64_t per_bin = sizes_.bin_frames / kTokenFrames;
  const std::int64_t bins = (m.frames + sizes_.bin_frames - 1) / sizes_.bin_frames;
  const std::int64_t missing = bins * per_bin - raw.tokens.size(1);
  const at::Tensor joined =
      at::constant_pad_nd(raw.tokens, {0, 0, 0, missing}).view({raw.tokens.size(0), bins, -1});
  m.bin_keys = bin_key_(joined);
  const at::Tensor real = retake::stride_mask(mask_BS, sizes_.bin_frames);
  const at::Tensor starts =
      at::constant_pad_nd(m.start.masked_fill(m.mask.logical_not(), kNever), {0, missing}, kNever)
          .view({m.start.size(0), bins, per_bin})
          .logsumexp(-1);
  m.bin_bias = (bin_bias_(joined).squeeze(-1) + start_prior_ * starts)
                   .masked_fill(real.logical_not(), kNever);
  at::Tensor globals;
  if (!globals_.is_empty()) globals = globals_(raw.tokens, raw.mask);
  for (auto& layer : layers_)
    m.bands.push_back(layer->cross->prepare(raw.tokens, raw.mask, globals));
  return m;
}

at::Tensor NetworkImpl::gather_rows(const at::Tensor& x_BND, const at::Tensor& row_MT,
                                    const at::Tensor& item_M) const {
  const std::int64_t rows = x_BND.size(1);
  const at::Tensor flat = (item_M.unsqueeze(1) * rows + row_MT.clamp(0, rows - 1)).flatten();
  return x_BND.reshape({-1, x_BND.size(2)})
      .index_select(0, flat)
      .view({row_MT.size(0), row_MT.size(1), x_BND.size(2)});
}

/// The row of x_BND (one per token) nearest to each frame, the last one behind the end of the
/// recording: without this the result behind the end would depend on the padding.
at::Tensor NetworkImpl::nearest_tokens(const Memory& memory, const at::Tensor& x_BND,
                                       const at::Tensor& frame_MT, const at::Tensor& item_M) const {
  const at::Tensor last = (memory.mask.sum(1) - 1).index_select(0, item_M).unsqueeze(1);
  const at::Tensor token = (frame_MT + kTokenFrames / 2).div(kTokenFrames, "floor");
  return gather_rows(x_BND, at::minimum(token, last), item_M);
}

at::Tensor NetworkImpl::look(const Memory& memory, const at::Tensor& frame_MT,
                             const at::Tensor& item_M) {
  const at::Tensor row = frame_MT.div(kFineFrames, "floor");
  return gather_rows(memory.around, row, item_M) +
         nearest_tokens(memory, memory.token_look, frame_MT, item_M) +
         phase_(frame_MT.remainder(sizes_.bin_frames));
}

Decoded NetworkImpl::decode(const Memory& memory, const at::Tensor& running_MT,
                            const at::Tensor& mask_MT, const at::Tensor& item_M,
                            const at::Tensor& visible_MU, const History* before, History* block) {
  const std::int64_t rows = running_MT.size(0), length = running_MT.size(1);
  const at::Tensor start_MU = running_MT.slice(1, 0, c10::nullopt, kTokenFrames);
  const at::Tensor mask_MU = mask_MT.slice(1, 0, c10::nullopt, kTokenFrames);
  const at::Tensor first = before != nullptr && before->last_start.defined()
                               ? before->last_start.unsqueeze(1)
                               : start_MU.narrow(1, 0, 1) - kTokenFrames;
  const at::Tensor previous = at::cat({first, start_MU.slice(1, 0, -1)}, 1);
  const at::Tensor jumped = (start_MU - previous != kTokenFrames).to(at::kLong);
  const at::Tensor centre = (start_MU + kTokenFrames / 2).div(kTokenFrames, "floor");
  at::Tensor x = decoder_in_(nearest_tokens(memory, memory.tokens, start_MU, item_M)) +
                 jumped_(jumped) + phase_(start_MU.remainder(sizes_.bin_frames));
  if (block != nullptr) {
    block->layers.resize(layers_.size());
    block->last_start = start_MU;
  }
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const auto* cache =
        before != nullptr && i < before->layers.size() ? &before->layers[i] : nullptr;
    x = layers_[i](x, mask_MU, visible_MU, memory.bands[i], centre, item_M, cache,
                   block != nullptr ? &block->layers[i] : nullptr);
  }
  const at::Tensor repeated = x.unsqueeze(2)
                                  .expand({rows, x.size(1), kTokenFrames, x.size(2)})
                                  .reshape({rows, length, x.size(2)});
  const at::Tensor seen = repeated + look(memory, running_MT, item_M);
  Decoded out;
  out.frames = seen + dropout_(frame_out_(dropout_(at::gelu(frame_hidden_(frame_norm_(seen))))));
  out.query = query_(out.frames);
  out.use_jump =
      use_jump_(out.frames).squeeze(-1) -
      keep_prior_ *
          nearest_tokens(memory, memory.keep.unsqueeze(-1), running_MT, item_M).squeeze(-1);
  return out;
}

/// Learnt per class of distance, each on top of the next nearer one: classes that no recording of
/// the training reached go on as the farthest that one did.
at::Tensor NetworkImpl::distance_bias() {
  const at::Tensor steps = distance_steps_->weight.squeeze(-1);
  const at::Tensor ones = at::ones({kDistances, kDistances}, steps.options());
  return at::cat({ones.triu().matmul(steps.narrow(0, 0, kDistances)),  // backward, farthest first
                  ones.tril().matmul(steps.narrow(0, kDistances, kDistances))});
}

/// Before anything is learnt, every octave of distance is as likely: with the same chance for every
/// bin, jumps of a longer recording would go anywhere.
at::Tensor NetworkImpl::bin_logits(const Memory& memory, const at::Tensor& query_JE,
                                   const at::Tensor& from_J, const at::Tensor& item_J) {
  const std::int64_t bins = memory.bin_keys.size(1);
  const double scale = 1.0 / std::sqrt(static_cast<double>(sizes_.pointing_width));
  const at::Tensor place = at::arange(bins, from_J.options());
  const at::Tensor distance = place - from_J.div(sizes_.bin_frames, "floor").unsqueeze(1);
  const at::Tensor near =
      distance_bias().index_select(0, distance_class(distance).flatten()).view_as(distance) -
      at::log1p(distance.abs().to(at::kFloat));
  // All recordings are scored and one row picked: batches hold few recordings, and gathering keys
  // per query would hold J x C x E numbers.
  at::Tensor logits = at::zeros({query_JE.size(0), bins}, query_JE.options());
  for (std::int64_t b = 0; b < memory.bin_keys.size(0); ++b) {
    const at::Tensor scores =
        at::matmul(query_JE, memory.bin_keys[b].transpose(0, 1)) * scale + memory.bin_bias[b];
    logits = at::where((item_J == b).unsqueeze(1), scores, logits);
  }
  return logits + near;
}

at::Tensor NetworkImpl::fine_logits(const Memory& memory, const at::Tensor& query_JE,
                                    const at::Tensor& bin_J, const at::Tensor& item_J) {
  const std::int64_t q = sizes_.bin_frames;
  const at::Tensor frame_JQ = bin_J.clamp_min(0).unsqueeze(1) * q + at::arange(q, bin_J.options());
  const at::Tensor keys = fine_key_(look(memory, frame_JQ, item_J));  // [J, Q, E]
  const double scale = 1.0 / std::sqrt(static_cast<double>(sizes_.pointing_width));
  const at::Tensor scores =
      at::matmul(keys, fine_query_(query_JE).unsqueeze(-1)).squeeze(-1) * scale;
  // Behind the end of this very recording, not of the longest in the batch.
  const at::Tensor outside = frame_JQ >= memory.frame_count.index_select(0, item_J).unsqueeze(1);
  return scores.masked_fill(outside, kNever);
}

History NetworkImpl::advance(const History& before, const History& block, std::int64_t tokens) {
  History h;
  if (tokens == 0) return before;
  for (std::size_t i = 0; i < layers_.size(); ++i) {
    const retake::CausalWindowAttentionImpl::Cache none;
    h.layers.push_back(layers_[i]->self->advance(i < before.layers.size() ? before.layers[i] : none,
                                                 block.layers[i], tokens));
  }
  h.last_start = block.last_start.select(1, tokens - 1);
  return h;
}

}  // namespace pointer_network

#include "pointer_network.hpp"

#include "retake/data/pair_set.hpp"

namespace pointer_network {

using retake::kTokenFrames;
using retake::TensorMap;

namespace {

struct EncodedMemory final : retake::PointerMemory {
  Memory memory;
  std::int64_t frames() const override { return memory.frames; }
};

struct DecoderState final : retake::PointerState {
  History history;
};

const Memory& memory_of(const retake::PointerMemory& memory) {
  return dynamic_cast<const EncodedMemory&>(memory).memory;
}

const History& history_of(const retake::PointerState& state) {
  return dynamic_cast<const DecoderState&>(state).history;
}

/// Item 0 for each of `count` queries.
at::Tensor first_item(std::int64_t count, const at::Tensor& like) {
  return at::zeros({count}, like.options().dtype(at::kLong));
}

}  // namespace

void Params::describe(retake::Schema<Params>& s) {
  s.field(&Params::frames, "frames", "feature blocks on the standard grid, as table.block");
  s.field(&Params::slow, "slow", "feature blocks on coarser grids, as table.block; may be empty");
  s.field(&Params::d_model, "d_model", "channels")
      .range(8, 2048)
      .unit("channels")
      .multiple_of(&Params::n_heads)
      .synonyms({"width"});
  s.field(&Params::n_heads, "n_heads", "attention heads").range(1, 32).synonyms({"heads"});
  s.field(&Params::dim_feedforward, "dim_feedforward", "channels of the feed-forward layers")
      .range(8, 8192)
      .unit("channels")
      .synonyms({"hidden"});
  s.field(&Params::encoder_layers, "encoder_layers", "linear-attention layers at 93 ms")
      .range(0, 24)
      .synonyms({"n_encoder_layers"});
  s.field(&Params::context_layers, "context_layers", "linear-attention layers at 0.37 s")
      .range(0, 12);
  s.field(&Params::dilated_layers, "dilated_layers",
          "convolutions with dilations 1, 2, 4, ... at 0.37 s; 8 see 95 s to each side")
      .range(0, 12);
  s.field(&Params::decoder_layers, "decoder_layers", "decoder layers")
      .range(1, 24)
      .synonyms({"n_decoder_layers"});
  s.field(&Params::decoder_window, "decoder_window", "how far back the decoder sees its own output")
      .range(1, 4096)
      .unit("tokens of 93 ms");
  s.field(&Params::attn_window_size, "attn_window_size",
          "raw frames around the running pointer that the decoder attends to")
      .range(16, 65536)
      .unit("frames");
  s.field(&Params::n_global_tokens, "n_global_tokens", "summary tokens of the whole recording")
      .range(0, 4096);
  s.field(&Params::max_delta, "max_delta", "largest step that is a delta and no jump")
      .range(0, 1024)
      .unit("frames");
  s.field(&Params::bin_frames, "bin_frames", "frames per bin of the coarse jump target")
      .one_of({16, 32})
      .unit("frames");
  s.field(&Params::pointing_width, "pointing_width", "channels of jump queries and keys")
      .range(8, 1024)
      .unit("channels");
  s.field(&Params::history_dropout, "history_dropout",
          "share of training windows in which the decoder does not see its own output")
      .range(0.0, 1.0);
  s.field(&Params::dropout, "dropout", "share of activations dropped in training").range(0.0, 0.9);
}

void Params::check(const Params& p, retake::Problems& problems) {
  if (p.frames.empty()) problems.add("frames", "no feature block", "frames = [\"mel.mel\"]");
}

PointerNetwork::PointerNetwork(const Params& params)
    : params_(params), layout_{params.frames, params.slow} {}
PointerNetwork::~PointerNetwork() = default;

std::vector<std::string> PointerNetwork::wanted_features() const {
  std::vector<std::string> all = layout_.frames;
  all.insert(all.end(), layout_.slow.begin(), layout_.slow.end());
  return all;
}

void PointerNetwork::build(const retake::ModelInputs& inputs) {
  Sizes s;
  s.encoder.frame_width = retake::total_width(inputs, layout_.frames);
  s.encoder.slow_width = retake::total_width(inputs, layout_.slow);
  s.encoder.width = params_.d_model;
  s.encoder.heads = params_.n_heads;
  s.encoder.hidden = params_.dim_feedforward;
  s.encoder.dilated_layers = params_.dilated_layers;
  s.encoder.context_layers = params_.context_layers;
  s.encoder.token_layers = params_.encoder_layers;
  s.encoder.dropout = params_.dropout;
  s.decoder_layers = params_.decoder_layers;
  s.decoder_window = params_.decoder_window;
  s.band_radius = params_.attn_window_size / kTokenFrames / 2;
  s.global_tokens = params_.n_global_tokens;
  s.pointing_width = params_.pointing_width;
  s.max_delta = params_.max_delta;
  s.bin_frames = params_.bin_frames;
  s.kinds = static_cast<std::int64_t>(retake::material_kinds().size());
  network_ = Network(s);
}

Memory PointerNetwork::encode_batch(const TensorMap& inputs) {
  const at::Tensor* slow = inputs.find("slow");
  return network_->encode(inputs.at("frames"), slow != nullptr ? *slow : at::Tensor(),
                          inputs.at("frame_mask"));
}

void PointerNetwork::raw_heads(const Memory& memory, TensorMap& out) {
  out.set("keep", memory.keep);
  out.set("start", memory.start);
  out.set("end", network_->end(memory.tokens).squeeze(-1));
  out.set("kind", network_->kind(memory.tokens));
  out.set("token_mask", memory.mask);
}

/// In training some windows hide the history, so that the decoder also decides well right after a
/// jump and along paths it has not seen.
at::Tensor PointerNetwork::visible_history(std::int64_t rows, std::int64_t tokens,
                                           const at::Tensor& like) const {
  if (!network_->is_training() || params_.history_dropout <= 0) return {};
  const at::Tensor hidden =
      at::rand({rows, 1}, like.options().dtype(at::kFloat)) < *params_.history_dropout;
  return at::where(hidden, at::zeros({}, like.options()),
                   at::full({}, *params_.decoder_window, like.options()))
      .expand({rows, tokens});
}

TensorMap PointerNetwork::forward(const TensorMap& inputs) {
  const Memory memory = encode_batch(inputs);
  TensorMap out;
  raw_heads(memory, out);
  if (!inputs.contains("running")) return out;

  const at::Tensor& running_BWT = inputs.at("running");
  const std::int64_t batch = running_BWT.size(0), windows = running_BWT.size(1),
                     length = running_BWT.size(2);
  const at::Tensor running = running_BWT.view({batch * windows, length});
  const at::Tensor mask = inputs.at("window_mask").view({batch * windows, length});
  const at::Tensor items = at::arange(batch, running.options());
  const at::Tensor item_M = items.repeat_interleave(windows);
  const Decoded decoded = network_->decode(
      memory, running, mask, item_M,
      visible_history(batch * windows, length / kTokenFrames, running), nullptr, nullptr);
  auto shaped = [&](const at::Tensor& x) { return x.view({batch, windows, length, x.size(-1)}); };
  out.set("delta", shaped(network_->delta(decoded.frames)));
  out.set("use_jump", decoded.use_jump.view({batch, windows, length}));
  out.set("stop", shaped(network_->stop(decoded.frames)).squeeze(-1));
  out.set("op", shaped(network_->op(decoded.frames)));

  const at::Tensor& index_BJ = inputs.at("jump_index");
  const std::int64_t jumps = index_BJ.size(1);
  const at::Tensor flat = (index_BJ + items.unsqueeze(1) * (windows * length)).flatten();
  const at::Tensor query =
      decoded.query.reshape({-1, params_.pointing_width}).index_select(0, flat);
  const at::Tensor from = running.reshape({-1}).index_select(0, flat);
  const at::Tensor item_J = items.repeat_interleave(jumps);
  out.set("jump_bin", network_->bin_logits(memory, query, from, item_J).view({batch, jumps, -1}));
  out.set("jump_fine", network_->fine_logits(memory, query, inputs.at("jump_bin").flatten(), item_J)
                           .view({batch, jumps, -1}));
  return out;
}

std::shared_ptr<const retake::PointerMemory> PointerNetwork::encode(const TensorMap& inputs) {
  auto encoded = std::make_shared<EncodedMemory>();
  encoded->memory = encode_batch(inputs);
  return encoded;
}

TensorMap PointerNetwork::timeline(const retake::PointerMemory& memory) {
  TensorMap batch, one;
  raw_heads(memory_of(memory), batch);
  for (const auto& [name, value] : batch) one.set(name, value.squeeze(0));
  return one;
}

std::shared_ptr<const retake::PointerState> PointerNetwork::start(const retake::PointerMemory&) {
  return std::make_shared<DecoderState>();
}

retake::PointerScores PointerNetwork::score(const retake::PointerMemory& memory,
                                            const retake::PointerState& before,
                                            const at::Tensor& running,
                                            std::shared_ptr<const retake::PointerState>& block) {
  auto made = std::make_shared<DecoderState>();
  const at::Tensor mask = at::ones({1, running.size(0)}, running.options().dtype(at::kBool));
  const Decoded decoded =
      network_->decode(memory_of(memory), running.unsqueeze(0), mask, first_item(1, running), {},
                       &history_of(before), &made->history);
  block = made;
  const at::Tensor frames = decoded.frames.squeeze(0);
  return {network_->delta(frames), decoded.use_jump.squeeze(0), network_->stop(frames).squeeze(-1),
          decoded.query.squeeze(0)};
}

std::shared_ptr<const retake::PointerState> PointerNetwork::advance(
    const retake::PointerState& before, const retake::PointerState& block, std::int64_t frames) {
  auto next = std::make_shared<DecoderState>();
  next->history = network_->advance(history_of(before), history_of(block), frames / kTokenFrames);
  return next;
}

at::Tensor PointerNetwork::jump_bins(const retake::PointerMemory& memory, const at::Tensor& queries,
                                     const at::Tensor& from) {
  return at::log_softmax(
      network_->bin_logits(memory_of(memory), queries, from, first_item(queries.size(0), from)),
      -1);
}

at::Tensor PointerNetwork::jump_fine(const retake::PointerMemory& memory, const at::Tensor& queries,
                                     const at::Tensor& bins) {
  return at::log_softmax(
      network_->fine_logits(memory_of(memory), queries, bins, first_item(queries.size(0), bins)),
      -1);
}

retake::Traits PointerNetwork::traits() {
  retake::Traits t;
  t.inputs = {
      {"frames", "f32", "B, S, F", "feature blocks on the standard grid"},
      {"slow", "f32", "B, ceil(S/16), C", "feature blocks on coarser grids", true},
      {"frame_mask", "bool", "B, S", "true where there is a recording"},
      {"running", "i64", "B, W, T", "raw frame that a plain copy would take next", true},
      {"window_mask", "bool", "B, W, T", "true where the window has a frame", true},
      {"jump_index", "i64", "B, J", "positions in W*T whose jump target is wanted", true},
      {"jump_bin", "i64", "B, J", "true bin, in which the fine target is looked for", true}};
  t.outputs = {{"delta", "f32", "B, W, T, 2*max_delta+1", "logits of the step"},
               {"use_jump", "f32", "B, W, T", "logit: jump instead of a step"},
               {"stop", "f32", "B, W, T", "logit: the edit ends before this frame"},
               {"op", "f32", "B, W, T, 7", "logits of the operation codes"},
               {"jump_bin", "f32", "B, J, ceil(S/bin_frames)", "logits of the coarse target"},
               {"jump_fine", "f32", "B, J, bin_frames", "logits of the frame inside the bin"},
               {"keep", "f32", "B, ceil(S/8)", "logit: this token is kept"},
               {"start", "f32", "B, ceil(S/8)", "logit: the edit enters the raw here"},
               {"end", "f32", "B, ceil(S/8)", "logit: the edit leaves the raw here"},
               {"kind", "f32", "B, ceil(S/8), K", "logits of the kind of material"},
               {"token_mask", "bool", "B, ceil(S/8)", "true where there is a recording"}};
  return t;
}

}  // namespace pointer_network

#include "retake/nn/attention.hpp"

#include <cmath>

#include "nn/banded_attention.hpp"
#include "retake/nn/masked.hpp"

namespace retake {

namespace {

/// [B, T, D] -> [B, H, T, E].
at::Tensor split_heads(const at::Tensor& x_BTD, std::int64_t heads) {
  return x_BTD.view({x_BTD.size(0), x_BTD.size(1), heads, x_BTD.size(2) / heads}).transpose(1, 2);
}

/// [B, H, T, E] -> [B, T, D].
at::Tensor merge_heads(const at::Tensor& x) {
  const at::Tensor y = x.transpose(1, 2);
  return y.reshape({y.size(0), y.size(1), y.size(2) * y.size(3)});
}

at::Tensor feature_map(const at::Tensor& x) {
  return at::elu(x.to(at::kFloat)) + 1;
}

constexpr double kTiny = 1e-6;
constexpr std::int64_t kCausalChunk = 128;
constexpr std::int64_t kQueryBlock = 1024;

}  // namespace

// ---- linear attention ----

LinearAttentionImpl::LinearAttentionImpl(std::int64_t width, std::int64_t heads, bool causal)
    : heads_(heads), causal_(causal) {
  TORCH_CHECK(heads >= 1 && width % heads == 0, "width ", width, " is no multiple of ", heads,
              " heads");
  query_ = register_module("query", torch::nn::Linear(width, width));
  key_ = register_module("key", torch::nn::Linear(width, width));
  value_ = register_module("value", torch::nn::Linear(width, width));
  out_ = register_module("out", torch::nn::Linear(width, width));
}

at::Tensor LinearAttentionImpl::forward(const at::Tensor& x_BTD, const at::Tensor& mask_BT) {
  const at::Tensor q = feature_map(split_heads(query_(x_BTD), heads_));
  const at::Tensor off = mask_BT.logical_not().unsqueeze(1).unsqueeze(-1);
  const at::Tensor k = feature_map(split_heads(key_(x_BTD), heads_)).masked_fill(off, 0);
  const at::Tensor v = split_heads(value_(x_BTD), heads_).to(at::kFloat).masked_fill(off, 0);
  const at::Tensor mixed = causal_ ? causally(q, k, v) : everywhere(q, k, v, mask_BT);
  return apply_mask(out_(merge_heads(mixed).to(x_BTD.scalar_type())), mask_BT);
}

at::Tensor LinearAttentionImpl::everywhere(const at::Tensor& q, const at::Tensor& k,
                                           const at::Tensor& v, const at::Tensor& mask_BT) const {
  const at::Tensor count =
      mask_BT.sum(1).clamp_min(1).to(at::kFloat).view({mask_BT.size(0), 1, 1, 1});
  const at::Tensor state = at::matmul(k.transpose(2, 3), v) / count;  // [B, H, E, E]
  const at::Tensor total = k.sum(2, /*keepdim=*/true) / count;        // [B, H, 1, E]
  return at::matmul(q, state) / ((q * total).sum(-1, /*keepdim=*/true) + kTiny);
}

// Within chunks the masked products, between chunks the running state: O(T * chunk).
at::Tensor LinearAttentionImpl::causally(const at::Tensor& q, const at::Tensor& k,
                                         const at::Tensor& v) const {
  const std::int64_t length = q.size(2), chunk = std::min(kCausalChunk, length);
  const std::int64_t chunks = (length + chunk - 1) / chunk, padding = chunks * chunk - length;
  auto cut = [&](const at::Tensor& x) {  // [B, H, chunks, chunk, E]
    return at::constant_pad_nd(x, {0, 0, 0, padding})
        .view({x.size(0), x.size(1), chunks, chunk, x.size(3)});
  };
  const at::Tensor qc = cut(q), kc = cut(k), vc = cut(v);
  const at::Tensor states = at::matmul(kc.transpose(3, 4), vc);
  const at::Tensor totals = kc.sum(3, /*keepdim=*/true);
  const at::Tensor before = states.cumsum(2) - states, total_before = totals.cumsum(2) - totals;
  const at::Tensor inner = at::matmul(qc, kc.transpose(3, 4)).tril();
  const at::Tensor numerator = at::matmul(inner, vc) + at::matmul(qc, before);
  const at::Tensor denominator =
      inner.sum(-1, /*keepdim=*/true) + (qc * total_before).sum(-1, /*keepdim=*/true);
  return (numerator / (denominator + kTiny))
      .view({q.size(0), q.size(1), chunks * chunk, q.size(3)})
      .narrow(2, 0, length);
}

// ---- global tokens ----

GlobalTokensImpl::GlobalTokensImpl(std::int64_t width, std::int64_t heads, std::int64_t tokens)
    : heads_(heads) {
  TORCH_CHECK(heads >= 1 && width % heads == 0, "width ", width, " is no multiple of ", heads,
              " heads");
  queries_GD_ = register_parameter("queries", at::randn({tokens, width}) * 0.5);
  key_ = register_module("key", torch::nn::Linear(width, width));
  value_ = register_module("value", torch::nn::Linear(width, width));
  out_ = register_module("out", torch::nn::Linear(width, width));
}

at::Tensor GlobalTokensImpl::forward(const at::Tensor& x_BND, const at::Tensor& mask_BN) {
  const at::Tensor k = split_heads(key_(x_BND), heads_), v = split_heads(value_(x_BND), heads_);
  const at::Tensor q = split_heads(queries_GD_.unsqueeze(0), heads_);  // [1, H, G, E]
  const double scale = 1.0 / std::sqrt(static_cast<double>(k.size(3)));
  const at::Tensor scores = (at::matmul(q, k.transpose(2, 3)) * scale).to(at::kFloat);
  const at::Tensor off = mask_BN.logical_not().unsqueeze(1).unsqueeze(1);
  // An item without any valid position attends to nothing: its weights are 0, not NaN.
  const at::Tensor weights =
      at::softmax(scores.masked_fill(off, -1e30), -1).masked_fill(off, 0).to(v.scalar_type());
  return out_(merge_heads(at::matmul(weights, v)));
}

// ---- causal windowed self-attention ----

CausalWindowAttentionImpl::CausalWindowAttentionImpl(std::int64_t width, std::int64_t heads,
                                                     std::int64_t window)
    : heads_(heads), window_(window) {
  TORCH_CHECK(heads >= 1 && width % heads == 0 && window >= 1, "width ", width,
              " must be a multiple of ", heads, " heads and the window ", window, " >= 1");
  distance_bias_ = register_parameter("distance_bias", at::zeros({heads, window + 1}));
  query_ = register_module("query", torch::nn::Linear(width, width));
  key_value_ = register_module("key_value", torch::nn::Linear(width, 2 * width));
  out_ = register_module("out", torch::nn::Linear(width, width));
}

at::Tensor CausalWindowAttentionImpl::forward(const at::Tensor& x_BTD, const at::Tensor& mask_BT,
                                              const at::Tensor& visible_BT, const Cache* before,
                                              Cache* cache) {
  const std::int64_t batch = x_BTD.size(0), length = x_BTD.size(1), width = x_BTD.size(2);
  const std::int64_t w = window_, blocks = (length + w - 1) / w, padded = blocks * w;
  const at::Tensor own = key_value_(x_BTD);
  if (cache != nullptr) *cache = {own, mask_BT};

  // Keys on a line of w earlier positions, then the block, padded to whole blocks.
  const std::int64_t known = before != nullptr && before->mask.defined() ? before->mask.size(1) : 0;
  at::Tensor line = own, line_mask = mask_BT;
  if (known > 0) {
    line = at::cat({before->keys_values, own}, 1);
    line_mask = at::cat({before->mask, mask_BT}, 1);
  }
  line = at::constant_pad_nd(line, {0, 0, w - known, padded - length});
  line_mask = at::constant_pad_nd(line_mask, {w - known, padded - length});

  const std::int64_t e = width / heads_;
  const at::Tensor kv =  // [B, blocks, 2, H, 2w, E]
      line.unfold(1, 2 * w, w).view({batch, blocks, 2, heads_, e, 2 * w}).transpose(4, 5);
  const at::Tensor q = at::constant_pad_nd(query_(x_BTD), {0, 0, 0, padded - length})
                           .view({batch, blocks, w, heads_, e})
                           .transpose(2, 3);
  at::Tensor scores = at::matmul(q, kv.select(2, 0).transpose(3, 4)) /
                      std::sqrt(static_cast<double>(e));  // [B, blocks, H, w, 2w]

  const auto index = at::TensorOptions().dtype(at::kLong).device(x_BTD.device());
  const at::Tensor distance = at::arange(w, index).unsqueeze(1) + w - at::arange(2 * w, index);
  const at::Tensor in_band = (distance >= 0).logical_and(distance <= w);  // [w, 2w]
  const at::Tensor bias =
      distance_bias_.index_select(1, distance.clamp(0, w).flatten()).view({heads_, w, 2 * w});
  at::Tensor seen = line_mask.unfold(1, 2 * w, w).unsqueeze(2).unsqueeze(2).logical_and(in_band);
  if (visible_BT.defined()) {
    const at::Tensor limit =
        at::constant_pad_nd(visible_BT, {0, padded - length}).view({batch, blocks, 1, w, 1});
    seen = seen.logical_and(distance <= limit);
  }
  const at::Tensor off = seen.logical_not();
  const at::Tensor weights = at::softmax((scores + bias).to(at::kFloat).masked_fill(off, -1e30), -1)
                                 .masked_fill(off, 0)
                                 .to(kv.scalar_type());
  const at::Tensor mixed = at::matmul(weights, kv.select(2, 1))  // [B, blocks, H, w, E]
                               .transpose(2, 3)
                               .reshape({batch, padded, width})
                               .narrow(1, 0, length);
  return apply_mask(out_(mixed), mask_BT);
}

CausalWindowAttentionImpl::Cache CausalWindowAttentionImpl::advance(const Cache& before,
                                                                    const Cache& block,
                                                                    std::int64_t taken) const {
  at::Tensor keys = block.keys_values.narrow(1, 0, taken), mask = block.mask.narrow(1, 0, taken);
  if (before.mask.defined()) {
    keys = at::cat({before.keys_values, keys}, 1);
    mask = at::cat({before.mask, mask}, 1);
  }
  const std::int64_t kept = std::min(window_, mask.size(1)), first = mask.size(1) - kept;
  // Cloned: a view would keep every earlier block alive.
  return {keys.narrow(1, first, kept).clone(), mask.narrow(1, first, kept).clone()};
}

// ---- banded cross-attention ----

BandedCrossAttentionImpl::BandedCrossAttentionImpl(std::int64_t width, std::int64_t heads,
                                                   std::int64_t radius)
    : heads_(heads), radius_(radius) {
  TORCH_CHECK(heads >= 1 && width % heads == 0 && radius >= 0, "width ", width,
              " must be a multiple of ", heads, " heads and the radius ", radius, " >= 0");
  position_bias_ = register_parameter("position_bias", at::zeros({heads, 2 * radius + 1}));
  global_bias_ = register_parameter("global_bias", at::zeros({heads}));
  query_ = register_module("query", torch::nn::Linear(width, width));
  key_value_ = register_module("key_value", torch::nn::Linear(width, 2 * width));
  global_key_value_ = register_module("global_key_value", torch::nn::Linear(width, 2 * width));
  out_ = register_module("out", torch::nn::Linear(width, width));
}

BandedCrossAttentionImpl::Memory BandedCrossAttentionImpl::prepare(const at::Tensor& memory_BND,
                                                                   const at::Tensor& mask_BN,
                                                                   const at::Tensor& globals_BGD) {
  Memory m{key_value_(memory_BND), mask_BN, {}};
  if (globals_BGD.defined()) m.globals = global_key_value_(globals_BGD);
  return m;
}

at::Tensor BandedCrossAttentionImpl::forward(const at::Tensor& x_MTD, const Memory& memory,
                                             const at::Tensor& centre_MT,
                                             const at::Tensor& item_M) {
  const std::int64_t rows = x_MTD.size(0), length = x_MTD.size(1), width = x_MTD.size(2);
  const std::int64_t e = width / heads_;
  const at::Tensor q = query_(x_MTD) / std::sqrt(static_cast<double>(e));
  const at::Tensor q_flat = q.reshape({rows * length, width});
  const at::Tensor centre = centre_MT.reshape({-1});
  const at::Tensor item = item_M.unsqueeze(1).expand({rows, length}).reshape({-1});

  // The globals are few and shared by a row: scored by rows, before the bands.
  at::Tensor global_scores, global_values;
  if (memory.globals.defined()) {
    const at::Tensor g = memory.globals.view({-1, memory.globals.size(1), 2, heads_, e})
                             .index_select(0, item_M);  // [M, G, 2, H, E]
    global_values = g.select(2, 1).transpose(1, 2);     // [M, H, G, E]
    global_scores = at::matmul(split_heads(q, heads_), g.select(2, 0).permute({0, 2, 3, 1})) +
                    global_bias_.view({heads_, 1, 1});  // [M, H, T, G]
    global_scores = global_scores.transpose(1, 2).reshape({rows * length, heads_, -1});
  }
  // What gathers its bands goes by blocks of queries: it holds band x width numbers for each.
  const bool gathers = !q_flat.device().is_cpu() || q_flat.scalar_type() != at::kFloat ||
                       memory.keys_values.scalar_type() != at::kFloat;
  const std::int64_t size = gathers ? kQueryBlock : std::max<std::int64_t>(1, q_flat.size(0));
  std::vector<at::Tensor> parts, global_weights;
  for (std::int64_t begin = 0; begin < q_flat.size(0); begin += size) {
    const std::int64_t n = std::min(size, q_flat.size(0) - begin);
    const at::Tensor queries = q_flat.narrow(0, begin, n), at_centre = centre.narrow(0, begin, n),
                     of_item = item.narrow(0, begin, n),
                     scores =
                         global_scores.defined() ? global_scores.narrow(0, begin, n) : at::Tensor();
    auto [mixed, weights] = gathers
                                ? block(queries, memory, at_centre, of_item, scores)
                                : nn::banded_attention(queries, memory.keys_values, memory.mask,
                                                       at_centre, of_item, position_bias_, scores);
    parts.push_back(mixed);
    if (weights.defined()) global_weights.push_back(weights);
  }
  at::Tensor mixed = at::cat(parts, 0).view({rows, length, width});
  if (global_scores.defined()) {
    const at::Tensor w =
        at::cat(global_weights, 0).view({rows, length, heads_, -1}).transpose(1, 2);
    mixed = mixed + merge_heads(at::matmul(w, global_values));
  }
  return out_(mixed);
}

std::pair<at::Tensor, at::Tensor> BandedCrossAttentionImpl::block(
    const at::Tensor& q_QD, const Memory& memory, const at::Tensor& centre_Q,
    const at::Tensor& item_Q, const at::Tensor& global_scores_QHG) const {
  const std::int64_t queries = q_QD.size(0), band = 2 * radius_ + 1, e = q_QD.size(1) / heads_;
  const std::int64_t positions = memory.mask.size(1);
  const at::Tensor place =
      centre_Q.unsqueeze(1) + at::arange(-radius_, radius_ + 1, centre_Q.options());
  const at::Tensor flat =
      (item_Q.unsqueeze(1) * positions + place.clamp(0, positions - 1)).flatten();
  at::Tensor seen = (place >= 0).logical_and(place < positions);
  seen = seen.logical_and(memory.mask.reshape({-1}).index_select(0, flat).view({queries, band}));
  const at::Tensor kv = memory.keys_values.reshape({-1, 2 * heads_ * e})
                            .index_select(0, flat)
                            .view({queries, band, 2, heads_, e});
  const at::Tensor q = q_QD.view({queries, heads_, 1, e});
  at::Tensor scores =  // [Q, H, band]
      at::matmul(q, kv.select(2, 0).permute({0, 2, 3, 1})).squeeze(2) + position_bias_;
  if (global_scores_QHG.defined()) {
    scores = at::cat({scores, global_scores_QHG}, -1);
    seen = at::cat({seen, at::ones({queries, global_scores_QHG.size(2)}, seen.options())}, 1);
  }
  const at::Tensor off = seen.logical_not().unsqueeze(1);
  const at::Tensor weights = at::softmax(scores.to(at::kFloat).masked_fill(off, -1e30), -1)
                                 .masked_fill(off, 0)
                                 .to(kv.scalar_type());
  const at::Tensor values = kv.select(2, 1).transpose(1, 2);  // [Q, H, band, E]
  const at::Tensor mixed =
      at::matmul(weights.narrow(2, 0, band).unsqueeze(2), values).reshape({queries, heads_ * e});
  at::Tensor rest;
  if (global_scores_QHG.defined()) rest = weights.slice(2, band);
  return {mixed, rest};
}

}  // namespace retake

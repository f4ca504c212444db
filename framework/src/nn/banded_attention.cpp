#include "nn/banded_attention.hpp"

#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <cmath>
#include <vector>

namespace retake::nn {

namespace {

constexpr int kLanes = 8;  // partial sums that the compiler keeps in one register

float dot(const float* a, const float* b, std::int64_t n) {
  float lanes[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (int l = 0; l < kLanes; ++l) lanes[l] += a[i + l] * b[i + l];
  }
  float sum = 0;
  for (const float lane : lanes) sum += lane;
  for (; i < n; ++i) sum += a[i] * b[i];
  return sum;
}

void add_scaled(float* to, float scale, const float* from, std::int64_t n) {
  for (std::int64_t i = 0; i < n; ++i) to[i] += scale * from[i];
}

/// The sizes, and where everything lies. All tensors are contiguous.
struct Layout {
  std::int64_t queries, items, positions, heads, channels, band, globals;
  const float* q;
  const float* kv;
  const bool* mask;
  const std::int64_t* centre;
  const std::int64_t* item;

  std::int64_t width() const { return heads * channels; }
  const float* query(std::int64_t i, std::int64_t h) const {
    return q + i * width() + h * channels;
  }
  /// Offset of the key of head `h` at a position; its value lies width() further.
  std::int64_t key(std::int64_t b, std::int64_t position, std::int64_t h) const {
    return (b * positions + position) * 2 * width() + h * channels;
  }
  /// Band indices [first, last) of a query that lie inside the memory.
  std::pair<std::int64_t, std::int64_t> inside(std::int64_t i) const {
    const std::int64_t begin = centre[i] - band / 2;
    const std::int64_t first = std::clamp<std::int64_t>(-begin, 0, band);
    return {first, std::clamp<std::int64_t>(positions - begin, first, band)};
  }
  std::int64_t position(std::int64_t i, std::int64_t j) const { return centre[i] - band / 2 + j; }
  bool seen(std::int64_t i, std::int64_t j) const {
    return mask[item[i] * positions + position(i, j)];
  }
};

Layout layout_of(const at::Tensor& q, const at::Tensor& kv, const at::Tensor& mask,
                 const at::Tensor& centre, const at::Tensor& item, std::int64_t heads,
                 std::int64_t band, std::int64_t globals) {
  return {q.size(0),
          kv.size(0),
          kv.size(1),
          heads,
          q.size(1) / heads,
          band,
          globals,
          q.data_ptr<float>(),
          kv.data_ptr<float>(),
          mask.data_ptr<bool>(),
          centre.data_ptr<std::int64_t>(),
          item.data_ptr<std::int64_t>()};
}

/// Softmax of one query and head over the band's scores in `w` (where seen) and the globals'.
void softmax(const Layout& l, std::int64_t i, float* w, const float* scores, float* global_w) {
  const auto [first, last] = l.inside(i);
  float top = -INFINITY;
  for (std::int64_t j = first; j < last; ++j) {
    if (l.seen(i, j)) top = std::max(top, w[j]);
  }
  for (std::int64_t g = 0; g < l.globals; ++g) top = std::max(top, scores[g]);
  float sum = 0;
  for (std::int64_t j = first; j < last; ++j) {
    w[j] = l.seen(i, j) ? std::exp(w[j] - top) : 0.0F;
    sum += w[j];
  }
  for (std::int64_t g = 0; g < l.globals; ++g) sum += global_w[g] = std::exp(scores[g] - top);
  const float scale = sum > 0 ? 1 / sum : 0.0F;
  for (std::int64_t j = first; j < last; ++j) w[j] *= scale;
  for (std::int64_t g = 0; g < l.globals; ++g) global_w[g] *= scale;
}

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

class BandedFunction : public torch::autograd::Function<BandedFunction> {
 public:
  static variable_list forward(AutogradContext* context, const at::Tensor& q,
                               const at::Tensor& keys_values, const at::Tensor& mask,
                               const at::Tensor& centre, const at::Tensor& item,
                               const at::Tensor& position_bias, const at::Tensor& global_scores) {
    const std::int64_t heads = position_bias.size(0), band = position_bias.size(1);
    const at::Tensor bias = position_bias.contiguous(), scores = global_scores.contiguous();
    const Layout l =
        layout_of(q, keys_values, mask, centre, item, heads, band, global_scores.size(2));
    at::Tensor mixed = at::zeros_like(q),
               weights = at::zeros({l.queries, heads, band}, q.options()),
               global_weights = at::empty_like(scores);
    const float* bias_at = bias.data_ptr<float>();
    const float* scores_at = scores.data_ptr<float>();
    float *mixed_at = mixed.data_ptr<float>(), *weights_at = weights.data_ptr<float>(),
          *global_at = global_weights.data_ptr<float>();
    at::parallel_for(0, l.queries, 64, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = begin; i < end; ++i) {
        const auto [first, last] = l.inside(i);
        for (std::int64_t h = 0; h < heads; ++h) {
          float* w = weights_at + (i * heads + h) * band;
          for (std::int64_t j = first; j < last; ++j) {
            const float* key = l.kv + l.key(l.item[i], l.position(i, j), h);
            w[j] = dot(l.query(i, h), key, l.channels) + bias_at[h * band + j];
          }
          const std::int64_t g = (i * heads + h) * l.globals;
          softmax(l, i, w, scores_at + g, global_at + g);
          float* out = mixed_at + i * l.width() + h * l.channels;
          for (std::int64_t j = first; j < last; ++j) {
            if (w[j] == 0) continue;
            const float* key = l.kv + l.key(l.item[i], l.position(i, j), h);
            add_scaled(out, w[j], key + l.width(), l.channels);
          }
        }
      }
    });
    context->save_for_backward({q, keys_values, mask, centre, item, weights, global_weights});
    return {mixed, global_weights};
  }

  static variable_list backward(AutogradContext* context, variable_list gradients) {
    const variable_list saved = context->get_saved_variables();
    const at::Tensor &q = saved[0], &keys_values = saved[1], &weights = saved[5],
                     &global_weights = saved[6];
    const std::int64_t heads = weights.size(1), band = weights.size(2);
    const Layout l = layout_of(q, keys_values, saved[2], saved[3], saved[4], heads, band,
                               global_weights.size(2));
    const auto given = [](const at::Tensor& gradient, const at::Tensor& like) {
      return gradient.defined() ? gradient.contiguous() : at::zeros_like(like);
    };
    const at::Tensor d_mixed = given(gradients[0], q),
                     d_global_weights = given(gradients[1], global_weights);
    at::Tensor d_q = at::zeros_like(q), d_kv = at::zeros_like(keys_values),
               d_bias = at::zeros({l.items, heads, band}, q.options()),
               d_scores = at::empty_like(global_weights);
    const float *dm = d_mixed.data_ptr<float>(), *dgw = d_global_weights.data_ptr<float>(),
                *w_at = weights.data_ptr<float>(), *gw = global_weights.data_ptr<float>();
    float *dq = d_q.data_ptr<float>(), *dkv = d_kv.data_ptr<float>(),
          *db = d_bias.data_ptr<float>(), *ds = d_scores.data_ptr<float>();
    // A task per item and head: no two write to the same place, and each adds in query order.
    at::parallel_for(0, l.items * heads, 1, [&](std::int64_t begin, std::int64_t end) {
      std::vector<float> d_weight(static_cast<std::size_t>(band));
      for (std::int64_t task = begin; task < end; ++task) {
        const std::int64_t b = task / heads, h = task % heads;
        for (std::int64_t i = 0; i < l.queries; ++i) {
          if (l.item[i] != b) continue;
          const float* w = w_at + (i * heads + h) * band;
          const float* out = dm + i * l.width() + h * l.channels;
          const auto [first, last] = l.inside(i);
          float sum = 0;  // of weight times its gradient, over band and globals
          for (std::int64_t j = first; j < last; ++j) {
            const std::int64_t key = l.key(b, l.position(i, j), h);
            d_weight[static_cast<std::size_t>(j)] = dot(out, l.kv + key + l.width(), l.channels);
            sum += w[j] * d_weight[static_cast<std::size_t>(j)];
          }
          const std::int64_t at_globals = (i * heads + h) * l.globals;
          for (std::int64_t g = at_globals; g < at_globals + l.globals; ++g) sum += gw[g] * dgw[g];
          for (std::int64_t g = at_globals; g < at_globals + l.globals; ++g) {
            ds[g] = gw[g] * (dgw[g] - sum);
          }
          for (std::int64_t j = first; j < last; ++j) {
            if (w[j] == 0) continue;
            const std::int64_t key = l.key(b, l.position(i, j), h);
            const float d_score = w[j] * (d_weight[static_cast<std::size_t>(j)] - sum);
            add_scaled(dq + i * l.width() + h * l.channels, d_score, l.kv + key, l.channels);
            add_scaled(dkv + key, d_score, l.query(i, h), l.channels);
            add_scaled(dkv + key + l.width(), w[j], out, l.channels);
            db[task * band + j] += d_score;
          }
        }
      }
    });
    return {d_q, d_kv, {}, {}, {}, d_bias.sum(0), d_scores};
  }
};

}  // namespace

std::pair<at::Tensor, at::Tensor> banded_attention(
    const at::Tensor& q_QD, const at::Tensor& keys_values, const at::Tensor& mask_BN,
    const at::Tensor& centre_Q, const at::Tensor& item_Q, const at::Tensor& position_bias,
    const at::Tensor& global_scores) {
  const bool globals = global_scores.defined();
  const at::Tensor scores =
      globals ? global_scores : at::zeros({q_QD.size(0), position_bias.size(0), 0}, q_QD.options());
  const variable_list out =
      BandedFunction::apply(q_QD.contiguous(), keys_values.contiguous(), mask_BN.contiguous(),
                            centre_Q.contiguous(), item_Q.contiguous(), position_bias, scores);
  return {out[0], globals ? out[1] : at::Tensor()};
}

}  // namespace retake::nn

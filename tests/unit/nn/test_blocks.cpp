// The building blocks against naive dense references, and the properties all of them promise: no
// dependence on padding or batch mates, gradients that reach every parameter.

#include <torch/csrc/autograd/autograd.h>

#include "catch.hpp"
#include "retake/nn/attention.hpp"
#include "retake/nn/masked.hpp"
#include "retake/nn/raw_encoder.hpp"

using namespace retake;

namespace {

double gap(const at::Tensor& a, const at::Tensor& b) {
  return (a - b).abs().max().item<double>();
}

at::Tensor all_valid(std::int64_t batch, std::int64_t length) {
  return at::ones({batch, length}, at::kBool);
}

void require_gradients(const torch::nn::Module& module) {
  for (const auto& item : module.named_parameters()) {
    INFO(item.key());
    REQUIRE(item.value().grad().defined());
    REQUIRE(item.value().grad().abs().max().item<double>() > 0);
  }
}

/// Rows [B, T] hidden from each query by distance and history: naive dense attention.
at::Tensor dense_attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                           const at::Tensor& bias, const at::Tensor& seen) {
  const double scale = 1.0 / std::sqrt(static_cast<double>(q.size(-1)));
  const at::Tensor scores = at::matmul(q, k.transpose(-1, -2)) * scale + bias;
  const at::Tensor weights = at::softmax(scores.masked_fill(seen.logical_not(), -1e30), -1);
  return at::matmul(weights.masked_fill(seen.logical_not(), 0), v);
}

at::Tensor heads_of(const at::Tensor& x, std::int64_t heads) {
  return x.view({x.size(0), x.size(1), heads, -1}).transpose(1, 2);
}

}  // namespace

TEST_CASE("masked mean ignores what is masked, NaN included") {
  at::Tensor values = at::tensor({1.0F, 2.0F, NAN, 7.0F}).requires_grad_();
  const at::Tensor mask = at::tensor({1, 1, 0, 0}).to(at::kBool);
  const at::Tensor mean = masked_mean(values, mask);
  CHECK(mean.item<double>() == Approx(1.5));
  mean.backward();
  CHECK(values.grad()[0].item<double>() == Approx(0.5));
  CHECK(values.grad()[2].item<double>() == 0.0);
  CHECK(masked_mean(values, at::zeros({4}, at::kBool)).item<double>() == 0.0);
  const at::Tensor weights = at::tensor({3.0F, 1.0F, 5.0F, 5.0F});
  CHECK(masked_mean(values, mask, weights).item<double>() == Approx(1.25));
  CHECK(masked_mean(values, mask, at::zeros({4})).item<double>() == 0.0);
}

TEST_CASE("linear attention equals its quadratic definition") {
  at::manual_seed(1);
  const bool causal = GENERATE(false, true);
  LinearAttention attention(16, 4, causal);
  const at::Tensor x = at::randn({2, 300, 16});
  const at::Tensor mask = length_mask(at::tensor({300, 170}), 300);
  const auto p = attention->named_parameters();
  auto project = [&](const char* name) {
    const std::string n = name;
    return heads_of(at::linear(x, p[n + ".weight"], p[n + ".bias"]), 4);
  };
  const at::Tensor q = at::elu(project("query")) + 1, v = project("value");
  const at::Tensor k =
      (at::elu(project("key")) + 1).masked_fill(mask.logical_not().view({2, 1, 300, 1}), 0);
  at::Tensor weights = at::matmul(q, k.transpose(2, 3));
  if (causal) weights = weights.tril();
  const at::Tensor mixed = at::matmul(weights, v) / (weights.sum(-1, true) + 1e-9);
  const at::Tensor expected = apply_mask(
      at::linear(mixed.transpose(1, 2).reshape({2, 300, 16}), p["out.weight"], p["out.bias"]),
      mask);
  CHECK(gap(attention(x, mask), expected) < 1e-4);
}

TEST_CASE("linear attention stays finite and exact at a million positions") {
  at::NoGradGuard no_grad;
  at::manual_seed(2);
  LinearAttention attention(8, 2);
  const at::Tensor one = at::randn({1, 1000, 8});
  const at::Tensor many = one.repeat({1, 1000, 1});
  const at::Tensor a = attention(one, all_valid(1, 1000));
  const at::Tensor b = attention(many, all_valid(1, 1000000)).narrow(1, 0, 1000);
  CHECK(gap(a, b) < 1e-4);  // repeating the sequence changes nothing but the rounding
}

TEST_CASE("causal windowed attention equals dense attention, whole or in pieces") {
  at::manual_seed(3);
  const std::int64_t length = 53, window = 7;
  CausalWindowAttention attention(16, 4, window);
  for (auto& item : attention->named_parameters()) {
    if (item.key() == "distance_bias") at::NoGradGuard(), item.value().data().normal_();
  }
  const at::Tensor x = at::randn({2, length, 16});
  const at::Tensor mask = length_mask(at::tensor({length, std::int64_t{30}}), length);
  const at::Tensor visible = at::randint(0, window + 1, {2, length});
  const auto p = attention->named_parameters();
  const at::Tensor q = heads_of(at::linear(x, p["query.weight"], p["query.bias"]), 4);
  const at::Tensor kv = at::linear(x, p["key_value.weight"], p["key_value.bias"]);
  const at::Tensor t = at::arange(length);
  const at::Tensor distance = t.unsqueeze(1) - t;
  const at::Tensor band = (distance >= 0).logical_and(distance <= window);
  const at::Tensor bias = p["distance_bias"]
                              .index_select(1, distance.clamp(0, window).flatten())
                              .view({4, length, length});
  const at::Tensor seen = band.logical_and(mask.view({2, 1, 1, length}))
                              .logical_and(distance <= visible.view({2, 1, length, 1}));
  const at::Tensor mixed =
      dense_attention(q, heads_of(kv.slice(2, 0, 16), 4), heads_of(kv.slice(2, 16), 4), bias, seen);
  const at::Tensor expected = apply_mask(
      at::linear(mixed.transpose(1, 2).reshape({2, length, 16}), p["out.weight"], p["out.bias"]),
      mask);
  CHECK(gap(attention(x, mask, visible), expected) < 1e-5);

  CausalWindowAttentionImpl::Cache cache;
  std::vector<at::Tensor> pieces;
  for (std::int64_t begin = 0; begin < length;) {
    const std::int64_t n = std::min<std::int64_t>(length - begin, 11);
    const std::int64_t taken = std::min<std::int64_t>(n, 4 + begin % 5);  // the rest rolled back
    CausalWindowAttentionImpl::Cache block;
    const at::Tensor y = attention(x.narrow(1, begin, n), mask.narrow(1, begin, n),
                                   visible.narrow(1, begin, n), &cache, &block);
    pieces.push_back(y.narrow(1, 0, taken));
    cache = attention->advance(cache, block, taken);
    begin += taken;
  }
  CHECK(gap(at::cat(pieces, 1), expected) < 1e-5);
}

TEST_CASE("banded cross-attention equals dense attention with a band mask") {
  at::manual_seed(4);
  const std::int64_t positions = 40, radius = 5, rows = 3, length = 9, globals = 4;
  BandedCrossAttention attention(16, 4, radius);
  for (auto& item : attention->named_parameters()) item.value().data().normal_(0, 0.3);
  const at::Tensor memory = at::randn({2, positions, 16}).requires_grad_(),
                   tokens = at::randn({2, globals, 16}).requires_grad_();
  const at::Tensor mask = length_mask(at::tensor({positions, std::int64_t{22}}), positions);
  const at::Tensor x = at::randn({rows, length, 16}).requires_grad_();
  const at::Tensor item = at::tensor({1, 0, 1}, at::kLong);
  const at::Tensor centre = at::randint(-3, positions + 3, {rows, length}, at::kLong);
  const at::Tensor got = attention(x, attention->prepare(memory, mask, tokens), centre, item);

  const auto p = attention->named_parameters();
  const at::Tensor q = heads_of(at::linear(x, p["query.weight"], p["query.bias"]), 4);
  const at::Tensor kv = at::linear(memory, p["key_value.weight"], p["key_value.bias"]);
  const at::Tensor gkv =
      at::linear(tokens, p["global_key_value.weight"], p["global_key_value.bias"]);
  const at::Tensor all = at::cat({kv, gkv}, 1).index_select(0, item);
  const at::Tensor distance = at::arange(positions) - centre.unsqueeze(-1);  // [rows, T, N]
  at::Tensor seen = (distance.abs() <= radius).logical_and(mask.index_select(0, item).unsqueeze(1));
  seen = at::cat({seen, at::ones({rows, length, globals}, at::kBool)}, 2).unsqueeze(1);
  const at::Tensor near = p["position_bias"]
                              .index_select(1, (distance.clamp(-radius, radius) + radius).flatten())
                              .view({4, rows, length, positions})
                              .transpose(0, 1);
  const at::Tensor bias =
      at::cat({near, p["global_bias"].view({1, 4, 1, 1}).expand({rows, 4, length, globals})}, 3);
  const at::Tensor mixed = dense_attention(q, heads_of(all.slice(2, 0, 16), 4),
                                           heads_of(all.slice(2, 16), 4), bias, seen);
  const at::Tensor expected =
      at::linear(mixed.transpose(1, 2).reshape({rows, length, 16}), p["out.weight"], p["out.bias"]);
  CHECK(gap(got, expected) < 1e-5);
  std::vector<at::Tensor> inputs = attention->parameters();
  inputs.insert(inputs.end(), {memory, tokens, x});
  const auto ours = torch::autograd::grad({got.square().sum()}, inputs);
  const auto dense = torch::autograd::grad({expected.square().sum()}, inputs);
  for (std::size_t i = 0; i < inputs.size(); ++i) CHECK(gap(ours[i], dense[i]) < 1e-4);
}

TEST_CASE("banded cross-attention is the same by gathering, and without anything to see") {
  at::manual_seed(6);
  BandedCrossAttention attention(16, 4, 3);
  const at::Tensor memory = at::randn({2, 30, 16}), mask = all_valid(2, 30);
  const at::Tensor x = at::randn({2, 7, 16}), item = at::tensor({0, 1}, at::kLong);
  const at::Tensor centre = at::randint(-9, 39, {2, 7}, at::kLong);
  const auto run = [&](at::ScalarType type) {
    attention->to(type);
    return attention(x.to(type), attention->prepare(memory.to(type), mask, {}), centre, item);
  };
  // Doubles take the way that gathers.
  CHECK(gap(run(at::kFloat), run(at::kDouble).to(at::kFloat)) < 1e-5);
  const at::Tensor nothing = at::zeros({2, 30}, at::kBool);
  attention->to(at::kFloat);
  CHECK(gap(attention(x, attention->prepare(memory, nothing, {}), centre, item),
            attention(x, attention->prepare(memory * 0, mask, {}), centre + 1000, item)) < 1e-6);
}

TEST_CASE("global tokens do not see padding") {
  at::manual_seed(5);
  GlobalTokens pool(16, 4, 6);
  const at::Tensor x = at::randn({1, 50, 16});
  const at::Tensor alone = pool(x, all_valid(1, 50));
  const at::Tensor padded = at::cat({x, at::randn({1, 30, 16}) * 100}, 1);
  const at::Tensor mask = length_mask(at::tensor({std::int64_t{50}, std::int64_t{80}}), 80);
  const at::Tensor together = pool(at::cat({padded, at::randn({1, 80, 16})}, 0), mask);
  CHECK(alone.sizes() == at::IntArrayRef({1, 6, 16}));
  CHECK(gap(alone[0], together[0]) < 1e-5);
  const at::Tensor none = pool(x, at::zeros({1, 50}, at::kBool));
  CHECK(none.isfinite().all().item<bool>());
}

TEST_CASE("the raw encoder does not depend on padding or batch mates, and trains all of itself") {
  at::manual_seed(6);
  RawEncoderOptions options;
  options.frame_width = 20;
  options.slow_width = 5;
  options.width = 32;
  options.hidden = 48;
  options.dilated_layers = 4;
  options.token_layers = 1;
  RawEncoder encoder(options);
  const std::int64_t frames = GENERATE(1, 7, 333, 512);
  const std::int64_t longer = frames + 517;
  const at::Tensor x = at::rand({1, frames, 20});
  const at::Tensor slow = at::rand({1, (frames + 15) / 16, 5});
  encoder->eval();
  const EncodedRaw alone = encoder(x, slow, all_valid(1, frames));
  CHECK(alone.tokens.size(1) == (frames + 7) / 8);

  at::Tensor batch = at::rand({3, longer, 20}), batch_slow = at::rand({3, (longer + 15) / 16, 5});
  batch.narrow(0, 1, 1).narrow(1, 0, frames).copy_(x);
  batch_slow.narrow(0, 1, 1).narrow(1, 0, slow.size(1)).copy_(slow);
  const at::Tensor mask = length_mask(at::tensor({longer, frames, longer}), longer);
  const EncodedRaw together = encoder(batch, batch_slow, mask);
  CHECK(gap(together.tokens.narrow(0, 1, 1).narrow(1, 0, alone.tokens.size(1)), alone.tokens) <
        1e-5);
  CHECK(together.tokens[1].slice(0, alone.tokens.size(1)).abs().max().item<double>() == 0.0);

  encoder->train();
  const EncodedRaw trained = encoder(batch, batch_slow, mask);
  (trained.tokens * at::randn_like(trained.tokens)).sum().backward();
  require_gradients(*encoder);
}

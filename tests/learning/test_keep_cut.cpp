#include <cmath>

#include "catch.hpp"
#include "editor/keep_cut_decode/decode.hpp"
#include "model/keep_cut/keep_cut.hpp"
#include "retake/data/pair_set.hpp"
#include "retake/nn/masked.hpp"
#include "retake/nn/torch.hpp"
#include "retake/rng.hpp"

using namespace keep_cut_decode;

namespace {

double value_of(const Scores& s, const Ranges& ranges, double price) {
  double sum = 0;
  const auto n = static_cast<std::int64_t>(s.keep.size());
  for (const auto& [begin, end] : ranges) {
    sum += static_cast<double>(s.start[static_cast<std::size_t>(begin)]);
    if (end < n) sum += static_cast<double>(s.end[static_cast<std::size_t>(end)]);
    for (std::int64_t t = begin; t < end; ++t) {
      sum += static_cast<double>(s.keep[static_cast<std::size_t>(t)]) - price;
    }
  }
  return sum;
}

/// The best over all 2^n keep/cut strings that respect the minimum lengths.
double best_by_trying(const Scores& s, const Limits& limits, double price) {
  const auto n = static_cast<std::int64_t>(s.keep.size());
  double best = 0;
  for (std::uint64_t bits = 0; bits < (std::uint64_t{1} << n); ++bits) {
    Ranges ranges;
    bool valid = true;
    for (std::int64_t t = 0; t < n;) {
      std::int64_t end = t;
      const bool kept = (bits >> t) & 1;
      while (end < n && (((bits >> end) & 1) != 0) == kept) ++end;
      if (kept) {
        valid = valid && end - t >= limits.min_kept;
        ranges.emplace_back(t, end);
      } else if (t > 0 && end < n) {
        valid = valid && end - t >= limits.min_cut;
      }
      t = end;
    }
    if (valid) best = std::max(best, value_of(s, ranges, price));
  }
  return best;
}

Scores random_scores(std::int64_t n, retake::Rng& rng) {
  Scores s;
  for (std::int64_t t = 0; t < n; ++t) {
    s.keep.push_back(static_cast<float>(rng.normal()));
    s.start.push_back(static_cast<float>(rng.normal() - 1));
    s.end.push_back(static_cast<float>(rng.normal() - 1));
  }
  return s;
}

retake::TensorMap inputs_of(std::int64_t batch, std::int64_t frames, const at::Tensor& mask) {
  retake::TensorMap m;
  m.set("frames", at::rand({batch, frames, 16}));
  m.set("slow", at::rand({batch, (frames + 15) / 16, 6}));
  m.set("frame_mask", mask);
  return m;
}

keep_cut::KeepCut& small_model(keep_cut::KeepCut& model) {
  retake::ModelInputs inputs;
  inputs.feature_widths = {{"mel.mel", 16}, {"similarity.later", 6}};
  model.build(inputs);
  return model;
}

keep_cut::Params small_params() {
  keep_cut::Params p;
  p.slow = {"similarity.later"};
  p.width = 32;
  p.hidden = 32;
  p.dilated_layers = 3;
  p.dropout = 0.0;
  return p;
}

}  // namespace

TEST_CASE("decoding finds the best ranges there are") {
  retake::Rng rng(3);
  for (int round = 0; round < 60; ++round) {
    const std::int64_t n = rng.integer(1, 13);
    const Scores s = random_scores(n, rng);
    const Limits limits{rng.integer(1, 4), rng.integer(1, 4)};
    const double price = rng.uniform(-1, 1);
    const Ranges ranges = best_ranges(s, limits, price);
    for (const auto& [begin, end] : ranges) REQUIRE(end - begin >= limits.min_kept);
    REQUIRE(value_of(s, ranges, price) == Approx(best_by_trying(s, limits, price)).margin(1e-4));
  }
}

TEST_CASE("a target length is met and an edit is never empty") {
  retake::Rng rng(4);
  const Scores s = random_scores(3000, rng);
  const Limits limits{10, 5};
  for (std::int64_t target : {200, 1000, 2500}) {
    CHECK(std::abs(kept_tokens(ranges_of_length(s, limits, target)) - target) < 60);
  }
  Scores bad = s;
  for (float& v : bad.keep) v = -5.0F;
  CHECK(best_ranges(bad, limits, 0.0).empty());
  CHECK(!some_ranges(bad, limits, 0.0).empty());
  CHECK((some_ranges(random_scores(4, rng), limits, 0.0) == Ranges{{0, 4}}));
  CHECK(some_ranges({}, limits, 0.0).empty());
}

TEST_CASE("keep_cut: shapes, padding, batch mates, gradients") {
  at::manual_seed(1);
  keep_cut::KeepCut model(small_params());
  small_model(model);
  model.module().eval();
  const std::int64_t frames = 700;
  retake::TensorMap alone = inputs_of(1, frames, at::ones({1, frames}, at::kBool));
  const auto out = model.forward(alone);
  CHECK(out.at("keep").sizes() == at::IntArrayRef({1, 88}));
  CHECK(out.at("kind").size(2) == static_cast<std::int64_t>(retake::material_kinds().size()));
  const at::Tensor mask = retake::length_mask(at::tensor({frames, std::int64_t{1400}}), 1400);
  retake::TensorMap both = inputs_of(2, 1400, mask);
  both.at("frames")[0].narrow(0, 0, frames).copy_(alone.at("frames")[0]);
  both.at("slow")[0].narrow(0, 0, 44).copy_(alone.at("slow")[0]);
  const auto together = model.forward(both);
  for (const char* head : {"keep", "start", "end", "kind"}) {
    INFO(head);
    const at::Tensor d = together.at(head)[0].narrow(0, 0, 88) - out.at(head)[0];
    CHECK(d.abs().max().item<double>() < 1e-5);
  }
  model.module().train();
  const auto trained = model.forward(both);
  (trained.at("keep").square().sum() + trained.at("start").square().sum() +
   trained.at("end").square().sum() + trained.at("kind").square().sum())
      .backward();
  for (const auto& item : model.module().named_parameters()) {
    INFO(item.key());
    REQUIRE(item.value().grad().defined());
    REQUIRE(item.value().grad().abs().max().item<double>() > 0);
  }
}

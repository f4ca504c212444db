#include "catch.hpp"
#include "retake/error.hpp"
#include "retake/nn/inputs.hpp"
#include "retake/nn/losses.hpp"
#include "retake/nn/torch.hpp"

using namespace retake;

namespace {

/// Value of row t, column c: 1000 t + c.
FeatureTable table(std::int64_t hop, std::int64_t rate, std::int64_t rows, std::int64_t columns) {
  TimeGrid grid;
  grid.hop = hop;
  grid.rate = rate;
  grid.rows = rows;
  std::vector<float> values;
  for (std::int64_t t = 0; t < rows; ++t) {
    for (std::int64_t c = 0; c < columns; ++c) {
      values.push_back(static_cast<float>(1000 * t + c));
    }
  }
  return {grid, {{"a", 0, 1, ""}, {"b", 1, columns - 1, ""}}, values, {}};
}

}  // namespace

TEST_CASE("recordings become tensors: blocks in order, coarse tables by time") {
  std::map<std::string, FeatureTable> features;
  features["mel"] = table(256, 22050, 100, 3);
  features["slow"] = table(4096, 22050, 7, 2);
  features["other"] = table(2048, 44100, 200, 2);  // twice the row rate of `slow` times two
  const InputLayout layout{{"mel.b", "mel.a"}, {"slow.a", "other.b"}};
  CHECK(raw_frames(features, layout) == 100);
  const TensorMap t = recording_inputs(features, layout, 32, 50);
  CHECK(t.at("frames").sizes() == at::IntArrayRef({50, 3}));
  CHECK(t.at("frames")[3][0].item<float>() == 35001.0F);
  CHECK(t.at("frames")[3][2].item<float>() == 35000.0F);
  CHECK(t.at("slow").sizes() == at::IntArrayRef({4, 2}));
  CHECK(t.at("slow")[1][0].item<float>() == 3000.0F);   // frame 48 is row 3
  CHECK(t.at("slow")[1][1].item<float>() == 12001.0F);  // and row 12 at four times the rate
  const TensorMap shorter = recording_inputs(features, layout, 0, 20);
  const std::vector<TensorMap> two{t, shorter};
  const TensorMap batch = batch_inputs(two);
  CHECK(batch.at("frames").sizes() == at::IntArrayRef({2, 50, 3}));
  CHECK(batch.at("frame_mask")[1].sum().item<std::int64_t>() == 20);
  CHECK(batch.at("frames")[1].slice(0, 20).abs().sum().item<float>() == 0.0F);
}

TEST_CASE("features that do not fit are refused with their name") {
  std::map<std::string, FeatureTable> features;
  features["mel"] = table(256, 22050, 100, 3);
  features["coarse"] = table(512, 22050, 50, 3);
  CHECK_THROWS_AS(raw_frames(features, {{"mel.a", "coarse.a"}, {}}), DataError);
  CHECK_THROWS_AS(raw_frames(features, {{"mel.a"}, {"similarity.later"}}), DataError);
  CHECK_THROWS_AS(raw_frames(features, {{"mel"}, {}}), DataError);
  CHECK_THROWS_AS(recording_inputs(features, {{"mel.a"}, {}}, 90, 20), Error);
  ModelInputs inputs;
  inputs.feature_widths = {{"mel.a", 1}, {"mel.b", 2}};
  CHECK(total_width(inputs, {"mel.a", "mel.b"}) == 3);
  CHECK_THROWS_AS(total_width(inputs, {"mel.c"}), ConfigError);
}

TEST_CASE("per-position losses: values, extremes, ignored classes") {
  const at::Tensor x = at::tensor({0.0F, 100.0F, -100.0F, 2.0F});
  const at::Tensor y = at::tensor({1.0F, 0.0F, 0.0F, 0.5F});
  const at::Tensor loss = retake::binary_cross_entropy(x, y);
  CHECK(loss[0].item<double>() == Approx(0.6931472));
  CHECK(loss[1].item<double>() == Approx(100.0));
  CHECK(loss[2].item<double>() == Approx(0.0).margin(1e-6));
  CHECK(loss[3].item<double>() == Approx(0.5 * 0.126928 + 0.5 * 2.126928).epsilon(1e-4));
  CHECK(retake::binary_cross_entropy(x, y, 3.0)[0].item<double>() == Approx(3 * 0.6931472));
  CHECK(retake::binary_cross_entropy(x, y, 1.0, 2.0)[0].item<double>() == Approx(0.25 * 0.6931472));
  const at::Tensor logits = at::tensor({1.0F, 2.0F, 3.0F, 1.0F, 1.0F, 1.0F}).view({2, 3});
  const at::Tensor ce = cross_entropy(logits, at::tensor({2, -1}).to(at::kLong), 0.0);
  CHECK(ce[0].item<double>() == Approx(0.407606).epsilon(1e-4));
  CHECK(ce[1].item<double>() == 0.0);
  CHECK(cross_entropy(logits, at::tensor({2, 0}).to(at::kLong), 0.3)[1].item<double>() ==
        Approx(1.098612).epsilon(1e-5));
}

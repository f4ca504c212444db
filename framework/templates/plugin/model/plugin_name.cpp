// A small keep/cut model: one strided convolution takes the feature frames to tokens (8 frames,
// 93 ms), residual convolutions with dilations 1, 2, 4, ... look around, and three heads say of
// each token whether the edit keeps it, enters there or leaves there.
//
// Shapes: B batch, S raw frames, F features, N = ceil(S / 8) tokens, D width.

#include <memory>

#include "retake/kinds/model.hpp"
#include "retake/nn/inputs.hpp"
#include "retake/nn/masked.hpp"
#include "retake/nn/raw_encoder.hpp"
#include "retake/nn/tensor_map.hpp"
#include "retake/nn/torch.hpp"
#include "retake/plugin.hpp"

namespace {

// A parameter is declared once: its default here, its range, unit and text below. `Param` lets the
// host tell who sets one that nobody reads.
struct Settings {
  retake::Param<std::vector<std::string>> frames = std::vector<std::string>{"mel.mel"};
  retake::Param<std::int64_t> width = 64;
  retake::Param<std::int64_t> kernel = 15;
  retake::Param<std::int64_t> layers = 4;

  static void describe(retake::Schema<Settings>& s) {
    s.field(&Settings::frames, "frames", "feature blocks on the standard grid, as table.block");
    s.field(&Settings::width, "width", "channels").range(4, 1024).unit("channels");
    s.field(&Settings::kernel, "kernel", "length of the first convolution, odd")
        .range(9, 255)
        .unit("frames")
        .odd();
    s.field(&Settings::layers, "layers", "residual convolutions; each sees twice as far")
        .range(0, 12);
  }
};

class Net : public torch::nn::Module {
 public:
  Net(std::int64_t features, const Settings& p) {
    namespace nn = torch::nn;
    first_ = register_module("first", nn::Conv1d(nn::Conv1dOptions(features, *p.width, *p.kernel)
                                                     .stride(retake::kTokenFrames)
                                                     .padding(*p.kernel / 2)));
    for (std::int64_t i = 0; i < p.layers; ++i) {
      layers_.push_back(register_module(
          "layer" + std::to_string(i), retake::ResidualConv(*p.width, 3, std::int64_t{1} << i, 0)));
    }
    heads_ = register_module("heads", nn::Linear(*p.width, 3));
  }

  retake::TensorMap forward(const retake::TensorMap& inputs) {
    // What lies behind a false mask must not reach the convolution.
    const at::Tensor frames_BSF = retake::apply_mask(inputs.at("frames"), inputs.at("frame_mask"));
    const at::Tensor mask_BN = retake::stride_mask(inputs.at("frame_mask"), retake::kTokenFrames);
    at::Tensor x_BND = at::gelu(first_(frames_BSF.transpose(1, 2)).transpose(1, 2));
    for (auto& layer : layers_) x_BND = layer(x_BND, mask_BN);
    const std::vector<at::Tensor> heads_BN = heads_(x_BND).unbind(-1);
    retake::TensorMap out;
    out.set("keep", heads_BN[0]);
    out.set("start", heads_BN[1]);
    out.set("end", heads_BN[2]);
    out.set("token_mask", mask_BN);
    return out;
  }

 private:
  torch::nn::Conv1d first_{nullptr};
  std::vector<retake::ResidualConv> layers_;
  torch::nn::Linear heads_{nullptr};
};

class PluginName final : public retake::Model, public retake::ReadsRecording {
 public:
  using Params = Settings;
  explicit PluginName(const Params& params) : params_(params), layout_{*params.frames, {}} {}

  const retake::InputLayout& layout() const override { return layout_; }
  std::vector<std::string> wanted_features() const override { return layout_.frames; }
  void build(const retake::ModelInputs& inputs) override {
    net_ = std::make_shared<Net>(retake::total_width(inputs, layout_.frames), params_);
  }
  torch::nn::Module& module() override { return *net_; }
  retake::TensorMap forward(const retake::TensorMap& inputs) override {
    return net_->forward(inputs);
  }

  // What goes in and comes out: `retake check` compares it with trainer, losses and editor.
  static retake::Traits traits() {
    retake::Traits t;
    t.inputs = {{"frames", "f32", "B, S, F", "feature blocks on the standard grid"},
                {"frame_mask", "bool", "B, S", "true where there is a recording"}};
    t.outputs = {{"keep", "f32", "B, ceil(S/8)", "logit: this token is kept"},
                 {"start", "f32", "B, ceil(S/8)", "logit: the edit enters the raw here"},
                 {"end", "f32", "B, ceil(S/8)", "logit: the edit leaves the raw here"},
                 {"token_mask", "bool", "B, ceil(S/8)", "true where there is a recording"}};
    return t;
  }

 private:
  Params params_;
  retake::InputLayout layout_;
  std::shared_ptr<Net> net_;
};

}  // namespace

RETAKE_PLUGIN("plugin_name", "0.1.0", registrar) {
  registrar.add<PluginName>("plugin_name", "Dilated convolutions on the raw timeline.");
}

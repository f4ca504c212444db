// A small policy: observation -> logits of one head, and a value.

#include "retake/error.hpp"
#include "retake/kinds/model.hpp"
#include "retake/nn/tensor_map.hpp"
#include "retake/nn/torch.hpp"
#include "retake/plugin.hpp"

namespace {

struct Params {
  retake::Param<int> context = 3;
  retake::Param<int> hidden = 64;
  retake::Param<int> choices = 2;

  static void describe(retake::Schema<Params>& s) {
    s.field(&Params::context, "context", "units seen to each side of the cursor")
        .range(0, 64)
        .unit("units");
    s.field(&Params::hidden, "hidden", "width of the hidden layer").range(4, 4096);
    s.field(&Params::choices, "choices", "choices of the action space's head").range(2, 512);
  }
};

struct Net : torch::nn::Module {
  torch::nn::Linear input{nullptr}, policy{nullptr}, value{nullptr};

  Net(std::int64_t width, const Params& p) {
    input = register_module("input", torch::nn::Linear(width, p.hidden));
    policy = register_module("policy", torch::nn::Linear(p.hidden, p.choices));
    value = register_module("value", torch::nn::Linear(p.hidden, 1));
  }
};

class MlpPolicy final : public retake::Model {
 public:
  using Params = ::Params;
  explicit MlpPolicy(const ::Params& params) : params_(params) {}

  static retake::Traits traits() {
    retake::Traits t;
    t.inputs.push_back({"observation", "f32", "N, (2*context+1)*F + 4", "what the agent sees"});
    t.outputs.push_back({"logits", "f32", "N, choices", "of the action head"});
    t.outputs.push_back({"value", "f32", "N", "expected return"});
    return t;
  }

  void build(const retake::ModelInputs& inputs) override {
    std::int64_t width = 0;
    for (const auto& [name, w] : inputs.feature_widths) width += w;
    net_ = std::make_shared<Net>((2 * params_.context + 1) * width + 4, params_);
  }

  torch::nn::Module& module() override { return *net_; }

  retake::TensorMap forward(const retake::TensorMap& inputs) override {
    const at::Tensor& observation = inputs.at("observation");
    const std::int64_t wanted = net_->input->weight.size(1);
    if (observation.size(-1) != wanted) {
      retake::Diagnostic d;
      d.id = "E158";
      d.message = "mlp_policy expects observations of " + std::to_string(wanted) + " values, got " +
                  std::to_string(observation.size(-1));
      d.help = "set model.context to the trainer's context";
      throw retake::ConfigError(std::move(d));
    }
    const at::Tensor hidden = net_->input(observation).tanh();
    retake::TensorMap out;
    out.set("logits", net_->policy(hidden));
    out.set("value", net_->value(hidden).squeeze(-1));
    return out;
  }

 private:
  ::Params params_;
  std::shared_ptr<Net> net_;
};

}  // namespace

RETAKE_PLUGIN("mlp_policy", "1.0.0", registrar) {
  registrar.add<MlpPolicy>("mlp_policy", "A perceptron policy with one action head and a value.");
}

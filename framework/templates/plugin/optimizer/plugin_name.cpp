// Stochastic gradient descent with momentum and weight decay: v = momentum v + g + decay w,
// w = w - lr v.

#include <vector>

#include "retake/kinds/optimizer.hpp"
#include "retake/nn/tensor_map.hpp"
#include "retake/nn/torch.hpp"
#include "retake/plugin.hpp"

namespace {

class PluginName final : public retake::Optimizer {
 public:
  // A parameter is declared once: its default here, its range, unit and text below. `Param` lets
  // the host tell who sets one that nobody reads.
  struct Params {
    retake::Param<double> lr = 0.01;
    retake::Param<double> momentum = 0.9;
    retake::Param<double> weight_decay = 0.0;

    static void describe(retake::Schema<Params>& s) {
      s.field(&Params::lr, "lr", "base learning rate, before the schedule")
          .range(0.0, 10.0)
          .open_min()
          .log_scale()
          .synonyms({"learning_rate"});
      s.field(&Params::momentum, "momentum", "share of the last update that goes on")
          .range(0.0, 1.0)
          .open_max();
      s.field(&Params::weight_decay, "weight_decay",
              "pull towards zero; not applied to biases, norms and embeddings")
          .range(0.0, 10.0);
    }
  };

  explicit PluginName(const Params& params) : params_(params) {}

  void attach(std::vector<retake::NamedParameter> parameters) override {
    for (const retake::NamedParameter& p : parameters) {
      slots_.push_back({p, at::zeros_like(*p.tensor)});
    }
  }

  double learning_rate() const override { return params_.lr; }

  void step(double learning_rate) override {
    const at::NoGradGuard no_grad;
    for (Slot& slot : slots_) {
      at::Tensor& weight = *slot.parameter.tensor;
      if (!weight.grad().defined()) continue;  // it took no part in this step
      slot.velocity.mul_(*params_.momentum).add_(weight.grad());
      if (slot.parameter.decay) slot.velocity.add_(weight, *params_.weight_decay);
      weight.add_(slot.velocity, -learning_rate);
      weight.mutable_grad().reset();
    }
  }

  void save(retake::TensorMap& state) const override {
    for (const Slot& slot : slots_) state.set(slot.parameter.name + "/velocity", slot.velocity);
  }

  void load(const retake::TensorMap& state) override {
    for (Slot& slot : slots_) slot.velocity.copy_(state.at(slot.parameter.name + "/velocity"));
  }

 private:
  struct Slot {
    retake::NamedParameter parameter;
    at::Tensor velocity;
  };
  Params params_;
  std::vector<Slot> slots_;
};

}  // namespace

RETAKE_PLUGIN("plugin_name", "0.1.0", registrar) {
  registrar.add<PluginName>("plugin_name", "Gradient descent with momentum.");
}

// AdamW: Loshchilov and Hutter, "Decoupled Weight Decay Regularization", ICLR 2019, through
// LibTorch's fused kernel: one pass over each tensor.

#include <vector>

#include "retake/error.hpp"
#include "retake/kinds/optimizer.hpp"
#include "retake/nn/tensor_map.hpp"
#include "retake/nn/torch.hpp"
#include "retake/plugin.hpp"

namespace {

struct Params {
  double lr = 3e-4;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double eps = 1e-8;
  double weight_decay = 0.01;

  static void describe(retake::Schema<Params>& s) {
    s.field(&Params::lr, "lr", "base learning rate, before the schedule")
        .range(0.0, 1.0)
        .open_min()
        .log_scale()
        .synonyms({"learning_rate"});
    s.field(&Params::beta1, "beta1", "decay of the gradient's average").range(0.0, 1.0).open_max();
    s.field(&Params::beta2, "beta2", "decay of the squared gradient's average")
        .range(0.0, 1.0)
        .open_max();
    s.field(&Params::eps, "eps", "added to the root of the squared average")
        .range(0.0, 1.0)
        .open_min()
        .log_scale();
    s.field(&Params::weight_decay, "weight_decay",
            "decay per step and learning rate; not applied to biases, norms and embeddings")
        .range(0.0, 10.0)
        .synonyms({"wd"});
  }
};

/// Parameters that share their settings, in the form the kernel takes.
struct Group {
  double weight_decay = 0.0;
  std::vector<std::string> names;
  std::vector<at::Tensor> parameters, averages, squares, steps;
};

class AdamW final : public retake::Optimizer {
 public:
  explicit AdamW(const ::Params& params) : params_(params) {}
  using Params = ::Params;

  void attach(std::vector<retake::NamedParameter> parameters) override {
    groups_.assign(2, {});
    groups_[0].weight_decay = params_.weight_decay;
    for (const retake::NamedParameter& p : parameters) {
      Group& group = groups_[p.decay ? 0 : 1];
      group.names.push_back(p.name);
      group.parameters.push_back(*p.tensor);
      group.averages.push_back(at::zeros_like(*p.tensor));
      group.squares.push_back(at::zeros_like(*p.tensor));
      group.steps.push_back(at::zeros({}, p.tensor->options().dtype(at::kFloat)));
    }
  }

  double learning_rate() const override { return params_.lr; }

  void step(double learning_rate) override {
    const at::NoGradGuard no_grad;
    for (Group& group : groups_) update(group, learning_rate);
  }

  void save(retake::TensorMap& state) const override {
    for (const Group& group : groups_) {
      for (std::size_t i = 0; i < group.names.size(); ++i) {
        state.set(group.names[i] + "/exp_avg", group.averages[i]);
        state.set(group.names[i] + "/exp_avg_sq", group.squares[i]);
        state.set(group.names[i] + "/step", group.steps[i]);
      }
    }
  }

  void load(const retake::TensorMap& state) override {
    const at::NoGradGuard no_grad;
    for (Group& group : groups_) {
      for (std::size_t i = 0; i < group.names.size(); ++i) {
        group.averages[i].copy_(state.at(group.names[i] + "/exp_avg"));
        group.squares[i].copy_(state.at(group.names[i] + "/exp_avg_sq"));
        group.steps[i].copy_(state.at(group.names[i] + "/step"));
      }
    }
  }

 private:
  void update(Group& group, double learning_rate) {
    // A parameter without a gradient took no part in this step and keeps its state.
    std::vector<at::Tensor> parameters, gradients, averages, squares, steps;
    for (std::size_t i = 0; i < group.parameters.size(); ++i) {
      const at::Tensor& gradient = group.parameters[i].grad();
      if (!gradient.defined()) continue;
      parameters.push_back(group.parameters[i]);
      gradients.push_back(gradient);
      averages.push_back(group.averages[i]);
      squares.push_back(group.squares[i]);
      steps.push_back(group.steps[i]);
    }
    if (parameters.empty()) return;
    at::_foreach_add_(steps, 1);  // the kernel reads the step and leaves counting to the caller
    at::_fused_adamw_(parameters, gradients, averages, squares, {}, steps, learning_rate,
                      params_.beta1, params_.beta2, group.weight_decay, params_.eps,
                      /*amsgrad=*/false, /*maximize=*/false);
    for (at::Tensor& parameter : parameters) parameter.mutable_grad().reset();
  }

  ::Params params_;
  std::vector<Group> groups_;
};

}  // namespace

RETAKE_PLUGIN("adamw", "1.0.0", registrar) {
  registrar.add<AdamW>("adamw", "AdamW with decoupled weight decay, fused.");
}

// The parts that a training stands on, working until one is told to fail: the model learns to say
// zero of a one.
#include <atomic>
#include <cmath>
#include <memory>

#include "defects.hpp"
#include "retake/kinds/dataset.hpp"
#include "retake/kinds/lr_schedule.hpp"
#include "retake/kinds/model.hpp"
#include "retake/kinds/optimizer.hpp"
#include "retake/kinds/trainer.hpp"
#include "retake/nn/step.hpp"
#include "retake/nn/torch.hpp"

namespace {

using hostile::fails;

class Net : public torch::nn::Module {
 public:
  Net() { weight = register_parameter("weight", at::ones({1})); }
  at::Tensor weight;
};

class HostileModel final : public retake::Model {
 public:
  using Params = hostile::DefectParams;
  explicit HostileModel(const Params& params) : params_(params) {}
  void build(const retake::ModelInputs&) override { net_ = std::make_shared<Net>(); }
  torch::nn::Module& module() override { return *net_; }
  retake::TensorMap forward(const retake::TensorMap& inputs) override {
    const double factor = fails(params_, calls_++) ? std::nan("") : 1.0;
    retake::TensorMap out;
    out.set("y", inputs.at("x") * net_->weight * factor);
    return out;
  }

 private:
  Params params_;
  std::shared_ptr<Net> net_;
  std::int64_t calls_ = 0;
};

class HostileTrainer final : public retake::Trainer {
 public:
  using Params = hostile::DefectParams;
  explicit HostileTrainer(const Params& params) : params_(params) {}
  static retake::Traits traits() {
    retake::Traits t;
    retake::MetricInfo loss;
    loss.name = "val/loss";
    loss.doc = "the square of what the model says";
    loss.goal = "min";
    retake::MetricInfo odd;
    odd.name = "val/odd";
    odd.doc = "a metric that nobody can watch";
    odd.trend = "sideways";
    t.metrics = {loss, odd};
    return t;
  }
  void set_up(const retake::TrainerSetup& setup) override { model_ = setup.model; }
  retake::TensorMap next_batch(const retake::StepPosition&) override {
    retake::TensorMap batch;
    batch.set("x", at::ones({2}) * (fails(params_, calls_++) ? std::nan("") : 1.0));
    return batch;
  }
  retake::StepResult step(const retake::StepPosition&, const retake::TensorMap& batch) override {
    retake::StepResult result;
    result.terms.push_back({"square", 1.0, model_->forward(batch).at("y").pow(2).mean()});
    return result;
  }
  retake::Metrics validate(const retake::StepPosition&) override {
    retake::TensorMap batch;
    batch.set("x", at::ones({2}));
    retake::Metrics out = {
        {"val/loss", model_->forward(batch).at("y").pow(2).mean().item<double>()}};
    if (params_.defect == "nan_metric") out["val/odd"] = std::nan("");
    return out;
  }

 private:
  Params params_;
  retake::Model* model_ = nullptr;
  std::int64_t calls_ = 0;
};

class HostileOptimizer final : public retake::Optimizer {
 public:
  using Params = hostile::DefectParams;
  explicit HostileOptimizer(const Params& params) : params_(params) {}
  void attach(std::vector<retake::NamedParameter> parameters) override { all_ = parameters; }
  double learning_rate() const override { return 0.01; }
  void step(double learning_rate) override {
    const at::NoGradGuard no_grad;
    const double rate = fails(params_, calls_++) ? std::nan("") : learning_rate;
    for (retake::NamedParameter& p : all_) {
      p.tensor->add_(p.tensor->grad(), -rate);
      p.tensor->mutable_grad().reset();
    }
  }
  void save(retake::TensorMap&) const override {}
  void load(const retake::TensorMap&) override {}

 private:
  Params params_;
  std::vector<retake::NamedParameter> all_;
  std::int64_t calls_ = 0;
};

class HostileSchedule final : public retake::LrSchedule {
 public:
  using Params = hostile::DefectParams;
  explicit HostileSchedule(const Params& params) : params_(params) {}
  double factor(std::int64_t step, std::int64_t) const override {
    const double worst = fails(params_, step) ? std::nan("") : -0.5;
    return step < params_.at_call || params_.defect == "none" ||
                   std::getenv("RETAKE_TEST_TAME") != nullptr
               ? 1.0
               : worst;
  }

 private:
  Params params_;
};

/// The pairs of a folder, if it comes to that.
class HostileDataset final : public retake::Dataset {
 public:
  struct Params {
    hostile::DefectParams how;
    std::string root;

    static void describe(retake::Schema<Params>& s) {
      s.field(&Params::root, "root", "folder of pairs");
      s.field(&Params::how, "how", "how it fails");
    }
  };
  explicit HostileDataset(const Params& params) : params_(params) {}
  retake::PairSet pairs(const retake::Context&) override {
    fails(params_.how, 0);
    retake::PairSet set = retake::read_pair_set(params_.root);
    for (retake::Pair& pair : set.pairs) {
      if (params_.how.defect == "slash_ids") pair.id = "../../" + pair.id;
      if (params_.how.defect == "leak") pair.group = "one";
    }
    return set;
  }

 private:
  Params params_;
};

}  // namespace

RETAKE_PLUGIN("in_training", "1.0.0", registrar) {
  registrar.add<HostileModel>("hostile", "Works until it is told to fail.");
  registrar.add<HostileTrainer>("hostile", "Works until it is told to fail.");
  registrar.add<HostileOptimizer>("hostile", "Works until it is told to fail.");
  registrar.add<HostileDataset>("hostile", "Works until it is told to fail.");
  registrar.add<HostileSchedule>("hostile", "Works until it is told to fail.");
}

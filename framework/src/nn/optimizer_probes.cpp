// What `retake plugins check` asks of optimizers, and where it asks trainers.

#include <cmath>

#include "nn/probe_tensors.hpp"
#include "plugin/probe.hpp"
#include "retake/kinds/optimizer.hpp"
#include "retake/kinds/trainer.hpp"
#include "retake/nn/torch.hpp"

namespace retake::nn {
namespace {

using plugin::expect;
using plugin::Subject;

/// A least-squares problem of two parameters, and an optimizer attached to them.
struct Problem {
  at::Tensor weight, bias, unused;
  std::unique_ptr<Optimizer> optimizer;

  explicit Problem(const Subject& subject) : optimizer(subject.make<Optimizer>()) {
    at::manual_seed(4);
    weight = at::randn({3, 4}).requires_grad_(true);
    bias = at::randn({3}).requires_grad_(true);
    unused = at::ones({2}).requires_grad_(true);
    optimizer->attach(
        {{"layer.weight", &weight, true}, {"layer.bias", &bias, false}, {"unused", &unused, true}});
  }

  at::Tensor loss() const {
    at::manual_seed(5);
    const at::Tensor input = at::randn({16, 4}), target = at::randn({16, 3});
    return (input.mm(weight.t()) + bias - target).pow(2).mean();
  }
  void train(int steps) {
    for (int i = 0; i < steps; ++i) {
      loss().backward();
      optimizer->step(optimizer->learning_rate());
    }
  }
  TensorMap parameters() const {
    TensorMap out;
    out.set("weight", weight);
    out.set("bias", bias);
    return out;
  }
};

void learning_rate(const Subject& subject) {
  const double rate = subject.make<Optimizer>()->learning_rate();
  expect(std::isfinite(rate) && rate > 0, "its learning rate is " + format_double(rate),
         "give the base learning rate of its parameters");
}

void descends(const Subject& subject) {
  Problem problem(subject);
  const double before = problem.loss().item<double>();
  problem.train(50);
  const double after = problem.loss().item<double>();
  expect(std::isfinite(after) && after < before,
         "50 steps took a least-squares loss from " + format_double(before) + " to " +
             format_double(after),
         "step against the gradient");
}

void clears_gradients(const Subject& subject) {
  Problem problem(subject);
  problem.train(1);
  for (const at::Tensor& p : {problem.weight, problem.bias}) {
    expect(!p.grad().defined() || p.grad().abs().sum().item<double>() == 0,
           "gradients are still there after a step", "clear them in step()");
  }
  expect(at::equal(problem.unused, at::ones({2})), "a parameter without a gradient changed",
         "leave it as it is");
}

void same_bits(const Subject& subject) {
  Problem one(subject), two(subject);
  one.train(5);
  two.train(5);
  expect(equal_bits(one.parameters(), two.parameters()), "the same gradients gave other bits",
         "keep nothing outside the object");
}

void round_trip(const Subject& subject) {
  Problem whole(subject), first(subject);
  whole.train(8);
  first.train(4);
  TensorMap state;
  first.optimizer->save(state);
  for (const auto& [name, tensor] : state) {
    expect(name.starts_with("layer.") || name.starts_with("unused/"),
           "its state holds `" + name + "`", "name state \"parameter/slot\"");
  }
  Problem second(subject);
  {
    const at::NoGradGuard no_grad;
    second.weight.copy_(first.weight);
    second.bias.copy_(first.bias);
  }
  TensorMap copy;
  for (const auto& [name, tensor] : state) copy.set(name, tensor.clone());
  second.optimizer->load(copy);
  second.train(4);
  expect(equal_bits(whole.parameters(), second.parameters()),
         "4 steps, saved, loaded and 4 more differ from 8 steps",
         "save all that a step depends on");
}

void nan_gradients(const Subject& subject) {
  Problem problem(subject);
  (problem.loss() * std::nan("")).backward();
  plugin::result_or_error([&] { problem.optimizer->step(problem.optimizer->learning_rate()); });
}

const plugin::RegisterProbes optimizers(Optimizer::kind,
                                        {{"the learning rate is finite and above 0", learning_rate},
                                         {"steps lower a least-squares loss", descends},
                                         {"a step clears gradients, and leaves unused parameters",
                                          clears_gradients},
                                         {"the same gradients give the same bits", same_bits},
                                         {"state saved and loaded goes on bit for bit", round_trip},
                                         {"NaN gradients do not crash it", nan_gradients}});

/// A trainer does nothing without data, a model and losses: an experiment wires them.
void needs_experiment(const Subject&) {
  throw plugin::ProbeSkipped("a trainer is asked in an experiment",
                             "retake plugins check FILE --experiment EXP");
}

const plugin::RegisterProbes trainers(Trainer::kind, {{"trains, resumes and declares its metrics",
                                                       needs_experiment}});

}  // namespace
}  // namespace retake::nn

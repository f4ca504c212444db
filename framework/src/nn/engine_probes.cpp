// What the engine does beside training: trying out a few steps.

#include <algorithm>
#include <cmath>
#include <set>

#include "nn/device.hpp"
#include "nn/engine.hpp"

namespace retake::nn {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double median(std::vector<double> values) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[values.size() / 2];
}

double gradient_norm(torch::nn::Module& module) {
  double sum = 0;
  for (const at::Tensor& p : module.parameters()) {
    if (p.grad().defined()) sum += p.grad().to(at::kFloat).square().sum().item<double>();
  }
  return std::sqrt(sum);
}

/// Removes from `silent` those that have a gradient now; adds those whose gradient is not finite.
void note_gradients(torch::nn::Module& module, std::set<std::string>& silent,
                    std::set<std::string>& not_finite) {
  for (const auto& item : module.named_parameters()) {
    const at::Tensor& grad = item.value().grad();
    if (!grad.defined()) continue;
    if (grad.count_nonzero().item<std::int64_t>() > 0) silent.erase(item.key());
    if (!at::isfinite(grad).all().item<bool>()) not_finite.insert(item.key());
  }
}

}  // namespace

std::vector<LossShare> Engine::loss_shares() {
  seed_torch(parts_.context->seed("torch/step", 0));
  const TensorMap batch = parts_.trainer->next_batch(at(0)).to(parts_.device);
  const StepResult result = parts_.trainer->step(at(0), batch);
  std::vector<LossShare> out;
  torch::nn::Module& module = parts_.model->module();
  for (const LossTerm& term : result.terms) {
    LossShare share{term.name, term.weight, term.value.item<double>(), 0};
    if (term.value.requires_grad()) {
      module.zero_grad();
      (term.value.to(at::kFloat) * term.weight).backward({}, /*retain_graph=*/true);
      share.gradient_norm = gradient_norm(module);
    }
    out.push_back(std::move(share));
  }
  module.zero_grad();
  return out;
}

std::int64_t Engine::checkpoint_bytes() const {
  const State saved = state();
  std::int64_t total = 0;
  for (const TensorBytes* bytes : {&saved.model, &saved.optim}) {
    for (const run::TensorView& view : bytes->views()) {
      total += static_cast<std::int64_t>(view.bytes.size());
    }
  }
  return total;
}

ProbeReport Engine::probe(const ProbeRequest& request) {
  started_ = Clock::now();
  same_batch_ = request.same_batch;
  torch::nn::Module& module = parts_.model->module();
  module.train();
  parts_.trainer->begin_iteration(at(0));
  position_.iteration_left = parts_.trainer->iteration_steps();
  ProbeReport report;
  report.losses = loss_shares();
  std::set<std::string> silent, not_finite;
  for (const auto& item : module.named_parameters()) {
    if (!item.value().requires_grad()) continue;
    silent.insert(item.key());
    report.parameters += item.value().numel();
  }
  before_update_ = [&] { note_gradients(module, silent, not_finite); };
  std::vector<double> times;
  for (int i = 0; i < request.steps && !parts_.context->stop_requested(); ++i) {
    if (i > 0 && request.max_seconds > 0 && seconds() > request.max_seconds) break;
    const auto start = Clock::now();
    report.metrics = train_step();
    times.push_back(seconds_since(start));
    report.loss_curve.push_back(report.metrics.at("train/loss"));
    parts_.context->progress("trying", i + 1, request.steps);
  }
  before_update_ = {};
  if (times.size() > 1) times.erase(times.begin());  // the first one allocates
  report.step_seconds = median(times);
  report.without_gradient.assign(silent.begin(), silent.end());
  report.not_finite.assign(not_finite.begin(), not_finite.end());
  report.checkpoint_bytes = checkpoint_bytes();
  if (request.validate) {
    const auto start = Clock::now();
    const at::NoGradGuard no_grad;
    module.eval();
    report.validation = parts_.trainer->validate(at(0));
    report.validation_seconds = seconds_since(start);
  }
  return report;
}

std::vector<LearningRatePoint> Engine::find_learning_rate(double low, double high, int steps) {
  std::vector<LearningRatePoint> curve;
  double least = INFINITY;
  for (int i = 0; i < steps && !parts_.context->stop_requested(); ++i) {
    const double rate = low * std::pow(high / low, static_cast<double>(i) / std::max(1, steps - 1));
    forced_rate_ = rate;
    double loss = NAN;
    try {
      loss = train_step().at("train/loss");
    } catch (const DivergedError&) {  // this is what the test is there to find
      break;
    }
    curve.push_back({rate, loss});
    least = std::min(least, loss);
    if (loss > 4.0 * std::abs(least) && i > steps / 10) break;
    parts_.context->progress("learning rate " + format_double(rate), i + 1, steps);
  }
  forced_rate_.reset();
  return curve;
}

}  // namespace retake::nn

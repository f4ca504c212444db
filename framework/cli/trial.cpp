#include "trial.hpp"

#include <algorithm>

#include "config/wiring.hpp"
#include "core/stop.hpp"
#include "data/noise_pairs.hpp"
#include "disk.hpp"
#include "nn_door.hpp"
#include "train_session.hpp"

namespace retake::cli {

Trial::Trial(const Arguments& arguments, const config::ResolvedExperiment& experiment,
             plugin::Registry& registry)
    : experiment_(experiment),
      registry_(registry),
      room_(open_nn_room()),
      line_(run::ProgressLine::mode_of(stderr, arguments.globals.quiet, arguments.globals.json)) {
  install_stop_signals();
  const int threads = run::resolve_threads(experiment.run.threads);
  room_.configure(threads, experiment.run.deterministic);
  context_.emplace(
      run::RunContext::Options{.seed = static_cast<std::uint64_t>(experiment.experiment.seed),
                               .threads = threads,
                               .device = room_.choose_device(experiment.run.device),
                               .run_dir = {},
                               .progress =
                                   [this](std::string_view what, double done, double total) {
                                     line_.update({std::string(what), done, total, "", ""});
                                   },
                               .show = {}});
}

void Trial::use_noise(double seconds) {
  folder_.emplace();
  const PairSet pairs = data::write_noise_pairs(folder_->path(), seconds);
  data_ = data::prepare_pairs(experiment_, pairs, registry_, arena_, *context_);
  line_.finish();
}

void Trial::use_data() {
  data_ = data::prepare_data(experiment_, registry_, arena_, *context_);
  line_.finish();
}

nn::TrainJob Trial::job() {
  nn::TrainJob job;
  job.experiment = &experiment_;
  job.registry = &registry_;
  job.arena = &arena_;
  job.context = &*context_;
  job.extractors = data_->extractors;
  job.corpus = &data_->corpus;
  job.settings = engine_settings(experiment_);
  job.resume_from = checkpoint_;
  return job;
}

nn::ProbeReport Trial::probe(const nn::ProbeRequest& request) {
  nn::TrainJob made = job();
  nn::ProbeReport report = room_.probe(made, request);
  line_.finish();
  if (stop_requested()) throw stopped("stopped before all steps were tried");
  const std::string& metric = experiment_.train.metric;
  const auto declared = declared_metrics(experiment_);
  // One that only a pattern declares may need material that noise does not have.
  if (request.validate && std::any_of(declared.begin(), declared.end(),
                                      [&](const MetricInfo& m) { return m.name == metric; })) {
    config::require_metric(metric, report.validation);
  }
  return report;
}

std::vector<nn::LearningRatePoint> Trial::find_learning_rate(double low, double high, int steps) {
  nn::TrainJob made = job();
  auto curve = room_.find_learning_rate(made, low, high, steps);
  line_.finish();
  if (stop_requested()) throw stopped("stopped before all learning rates were tried");
  return curve;
}

namespace {

Table metrics_value(const Metrics& metrics) {
  Table out;
  for (const auto& [name, value] : metrics) out[name] = value;
  return out;
}

Array names(const std::vector<std::string>& list) {
  Array out;
  for (const std::string& name : list) out.emplace_back(name);
  return out;
}

}  // namespace

Table to_value(const nn::ProbeReport& r) {
  Table out;
  out["parameters"] = r.parameters;
  out["checkpoint_bytes"] = r.checkpoint_bytes;
  out["step_seconds"] = r.step_seconds;
  out["validation_seconds"] = r.validation_seconds;
  out["metrics"] = metrics_value(r.metrics);
  out["validation"] = metrics_value(r.validation);
  Array losses;
  for (const nn::LossShare& l : r.losses) {
    Table t;
    t["name"] = l.name;
    t["weight"] = l.weight;
    t["value"] = l.value;
    t["gradient_norm"] = l.gradient_norm;
    losses.emplace_back(std::move(t));
  }
  out["losses"] = std::move(losses);
  Array curve;
  for (const double loss : r.loss_curve) curve.emplace_back(loss);
  out["loss_curve"] = std::move(curve);
  out["without_gradient"] = names(r.without_gradient);
  out["not_finite"] = names(r.not_finite);
  return out;
}

std::string probe_text(const nn::ProbeReport& r) {
  std::string text = "built  " + std::to_string(r.parameters) + " parameters   loss " +
                     run::format_number(r.loss_curve.empty() ? 0 : r.loss_curve.back()) + "   " +
                     run::format_number(r.step_seconds) + " s a step   checkpoint " +
                     format_bytes(static_cast<double>(r.checkpoint_bytes)) + "\n";
  for (const std::string& name : r.without_gradient) text += "no gradient reaches " + name + "\n";
  return text;
}

}  // namespace retake::cli

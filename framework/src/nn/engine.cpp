#include "nn/engine.hpp"

#include <algorithm>
#include <cmath>

#include "config/wiring.hpp"
#include "nn/device.hpp"
#include "nn/tensor_io.hpp"
#include "plugin/blame.hpp"
#include "retake/error.hpp"

namespace retake::nn {

Engine::Engine(EngineParts parts, EngineSettings settings, EngineSinks sinks,
               run::CheckpointStore& checkpoints, Value describe)
    : parts_(std::move(parts)),
      settings_(std::move(settings)),
      sinks_(std::move(sinks)),
      checkpoints_(checkpoints),
      describe_(std::move(describe)),
      average_(parts_.model->module(), settings_.ema),
      phases_(parts_.trainer->phases()),
      started_(std::chrono::steady_clock::now()) {
  if (phases_.empty()) throw std::logic_error("a trainer has at least one phase");
}

Engine::Timed::Timed(const Engine& engine, const char* name) : engine_(engine) {
  if (!engine_.sinks_.span) return;
  span_.name = name;
  span_.begin_us = engine_.seconds() * 1e6;
}

Engine::Timed::~Timed() {
  if (!engine_.sinks_.span) return;
  span_.end_us = engine_.seconds() * 1e6;
  engine_.sinks_.span(span_);
}

void Engine::diverged(const std::string& what, double value, const DivergenceCause& cause) const {
  Diagnostic d;
  d.id = "E901";
  d.message =
      what + " became " + format_double(value) + " at step " + std::to_string(position_.step);
  if (!cause.fact.empty()) d.facts.push_back(cause.fact);
  d.help = cause.help;
  if (saved_) {
    d.facts.push_back("the last checkpoint is from before and can be used");
    d.help +=
        "; a new run with other settings begins with its weights:  retake run EXP "
        "train.init_from=RUN:latest";
  }
  throw DivergedError(std::move(d));
}

StepPosition Engine::at(std::int64_t micro) const {
  const std::int64_t step = same_batch_ ? 0 : position_.step;
  return {phases_[position_.phase].name, step, micro, position_.iteration};
}

double Engine::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - started_).count();
}

void Engine::micro_step(std::int64_t micro, Metrics& sums, bool& stop_iteration) {
  const auto index = static_cast<std::uint64_t>(position_.step * settings_.accumulate + micro);
  seed_torch(parts_.context->seed("torch/step", index));
  TensorMap batch = [&] {
    const Timed timed(*this, "data");
    return parts_.trainer->next_batch(at(micro)).to(parts_.device);
  }();
  at::Tensor total;
  StepResult result;
  {
    const Timed timed(*this, "forward");
    const AutocastGuard autocast(settings_.precision, parts_.device);
    result = parts_.trainer->step(at(micro), batch);
    for (const LossTerm& term : result.terms) {
      require_number(term);
      const at::Tensor weighted = term.value.to(at::kFloat) * term.weight;
      total = total.defined() ? total + weighted : weighted;
    }
  }
  if (!total.defined()) throw std::logic_error("the trainer's step gave no loss term");
  const double share = 1.0 / settings_.accumulate;
  const double loss = total.item<double>();
  if (!std::isfinite(loss)) {
    diverged("the loss" + whose_fault(result), loss, what_went_in(batch));
  }
  sums["train/loss"] += loss * share;
  for (const LossTerm& term : result.terms) {
    sums["train/" + term.name + "_loss"] += term.value.item<double>() * share;
  }
  for (const auto& [name, value] : result.metrics) sums[name] += value * share;
  {
    const Timed timed(*this, "backward");
    (total * share).backward();
    total.reset();  // the graph goes with its last owner: that is the model's time too
    result.terms.clear();
  }
  {
    const Timed timed(*this, "data");
    batch = {};  // large batches are given back to the system, which takes its time
  }
  stop_iteration = stop_iteration || result.stop_iteration;
}

/// A term is one number, or nothing could be summed.
void Engine::require_number(const LossTerm& term) const {
  const bool defined = term.value.defined();
  if (defined && term.value.numel() == 1) return;
  Diagnostic d;
  d.id = "E903";
  d.message = "the loss term `" + term.name + "`" + library_of_term(term.name) + " is " +
              (defined ? "a tensor of " + std::to_string(term.value.numel()) + " numbers"
                       : std::string("undefined")) +
              ", where one number is wanted";
  d.help = "reduce it in the loss: a masked mean, for example";
  throw Error(ExitCode::unexpected, std::move(d));
}

/// " of libx.so (loss/stop)"; empty for what is built in.
std::string Engine::library_of_term(const std::string& name) const {
  const auto loss = parts_.losses.find(name);
  const std::string library = loss != parts_.losses.end() ? plugin::library_of(*loss->second)
                                                          : plugin::library_of(*parts_.trainer);
  return library.empty() ? "" : " of " + library;
}

/// " (its term `stop` of libx.so (loss/stop))": the first term that is not finite.
std::string Engine::whose_fault(const StepResult& result) const {
  for (const LossTerm& term : result.terms) {
    if (std::isfinite(term.value.item<double>())) continue;
    return " (its term `" + term.name + "`" + library_of_term(term.name) + ")";
  }
  return {};
}

/// Where a loss that is not finite can come from: the batch, the parameters, or the model itself.
DivergenceCause Engine::what_went_in(const TensorMap& batch) const {
  const auto broken = [](const at::Tensor& t) {
    return t.is_floating_point() && !at::isfinite(t).all().item<bool>();
  };
  for (const auto& [name, tensor] : batch) {
    if (broken(tensor))
      return {"`" + name + "` of the batch is not finite",
              "look at the data with  retake doctor EXP"};
  }
  for (const auto& [name, tensor] : module_state(parts_.model->module())) {
    if (!broken(tensor)) continue;
    return {"the model's `" + name + "` is not finite: an update before this step broke it"};
  }
  return {"batch and parameters are finite: it came to be in the model's forward pass or the loss"};
}

double Engine::rate_factor() const {
  if (parts_.schedule == nullptr) return 1.0;
  const double factor = parts_.schedule->factor(axis_value(), settings_.max_steps);
  if (std::isfinite(factor) && factor > 0) return factor;
  Diagnostic d;
  d.id = "E904";
  d.message = plugin::library_of(*parts_.schedule) + " gave the factor " + format_double(factor) +
              " for the learning rate at step " + std::to_string(position_.step);
  d.help = "a factor is finite and above 0 at every step; retake plugins check FILE looks for more";
  throw Error(ExitCode::unexpected, std::move(d));
}

double Engine::apply_update(double rate_factor) {
  const Timed timed(*this, "optimiser");
  std::vector<NamedOptimizer> active;
  const auto& wanted = phases_[position_.phase].optimizers;
  for (const NamedOptimizer& o : parts_.optimizers) {
    if (wanted.empty() || std::find(wanted.begin(), wanted.end(), o.name) != wanted.end()) {
      active.push_back(o);
    }
  }
  const double norm = clip_gradients(active, settings_.clip_norm);
  if (before_update_) before_update_();
  if (!std::isfinite(norm)) diverged("the gradient norm", norm, {});
  for (const NamedOptimizer& o : active) {
    o.optimizer->step(forced_rate_.value_or(o.optimizer->learning_rate() * rate_factor));
  }
  average_.update();
  return norm;
}

Metrics Engine::train_step() {
  const Timed timed(*this, "step");
  parts_.model->module().train();
  if (position_.iteration_left <= 0) {
    const Timed collecting(*this, "iteration");
    seed_torch(
        parts_.context->seed("torch/iteration", static_cast<std::uint64_t>(position_.iteration)));
    parts_.trainer->begin_iteration(at(0));
    position_.iteration_left = parts_.trainer->iteration_steps();
    ++position_.iteration;
  }
  axis_before_ = axis_value();
  Metrics metrics;
  bool stop_iteration = false;
  for (std::int64_t micro = 0; micro < settings_.accumulate; ++micro) {
    micro_step(micro, metrics, stop_iteration);
  }
  const double factor = rate_factor();
  metrics["grad_norm"] = apply_update(factor);
  for (const NamedOptimizer& o : parts_.optimizers) {
    metrics[o.name == "main" ? "lr" : "lr/" + o.name] = o.optimizer->learning_rate() * factor;
  }
  ++position_.step;
  ++position_.phase_step;
  position_.iteration_left = stop_iteration ? 0 : position_.iteration_left - 1;
  position_.validated = !validation_due();
  for (const auto& [name, value] : parts_.trainer->progress(at(0))) metrics[name] = value;
  return metrics;
}

std::int64_t Engine::axis_value() const {
  if (settings_.unit == "step") return position_.step;
  const Metrics progress = parts_.trainer->progress(at(0));
  const auto it = progress.find(settings_.unit);
  if (it == progress.end()) {
    Diagnostic d;
    d.id = "E154";
    d.message = "`train.unit` is \"" + settings_.unit + "\", which this trainer does not count";
    d.help = "use train.unit = \"step\"";
    throw ConfigError(std::move(d));
  }
  return static_cast<std::int64_t>(it->second);
}

bool Engine::validation_due() const {
  if (at_limit()) return true;
  if (settings_.val_every <= 0) return false;
  return axis_value() / settings_.val_every > axis_before_ / settings_.val_every;
}

bool Engine::at_limit() const {
  const bool last_phase = position_.phase + 1 == phases_.size();
  const TrainerPhase& phase = phases_[position_.phase];
  if (!last_phase) return false;
  if (phase.max_steps > 0 && position_.phase_step >= phase.max_steps) return true;
  if (settings_.max_steps > 0 && axis_value() >= settings_.max_steps) return true;
  if (settings_.max_epochs > 0) {
    const Metrics progress = parts_.trainer->progress(at(0));
    const auto it = progress.find("epochs");
    if (it != progress.end() && it->second >= settings_.max_epochs) return true;
  }
  return false;
}

bool Engine::next_phase() {
  const TrainerPhase& phase = phases_[position_.phase];
  if (phase.max_steps <= 0 || position_.phase_step < phase.max_steps) return false;
  if (position_.phase + 1 == phases_.size()) return false;
  ++position_.phase;
  position_.phase_step = 0;
  position_.iteration_left = 0;
  log_info("phase " + phases_[position_.phase].name + " begins at step " +
           std::to_string(position_.step));
  return true;
}

bool Engine::validate() {
  const Timed timed(*this, "validate");
  const at::NoGradGuard no_grad;
  parts_.model->module().eval();
  seed_torch(parts_.context->seed("torch/validate", static_cast<std::uint64_t>(position_.step)));
  average_.swap();
  Metrics metrics;
  try {
    metrics = parts_.trainer->validate(at(0));
  } catch (...) {
    average_.swap();
    throw;
  }
  average_.swap();
  // An interrupted validation saw a part of the songs only: its figures are not those of this step.
  if (parts_.context->stop_requested()) return false;
  position_.validated = true;
  last_validation_ = metrics;
  judge(metrics);
  record(metrics);
  return true;
}

void Engine::judge(const Metrics& metrics) {
  if (settings_.metric.empty()) return;
  config::require_metric(settings_.metric, metrics);
  const double value = metrics.at(settings_.metric);
  if (!std::isfinite(value) && !said_not_finite_) {
    said_not_finite_ = true;
    log_warning("train.metric " + settings_.metric + " is " + format_double(value) + " at step " +
                std::to_string(position_.step) + ": no checkpoint can be the best by it (" +
                std::string("W36") + ")");
  }
  const bool better =
      std::isfinite(value) &&
      (!best_ || (settings_.goal == "min" ? value < best_->value : value > best_->value));
  if (better) {
    best_ = run::BestMark{position_.step, settings_.metric, value};
    position_.without_gain = 0;
  } else {
    ++position_.without_gain;
  }
  position_.stopped_early =
      settings_.early_stop > 0 && position_.without_gain >= settings_.early_stop;
}

void Engine::record(const Metrics& metrics) {
  if (sinks_.metrics) sinks_.metrics(position_.step, metrics);
  if (sinks_.progress) sinks_.progress(position_.step, metrics, best_);
}

void Engine::trace() {
  if (!sinks_.trace || settings_.trace_every <= 0) return;
  if (position_.step % settings_.trace_every != 0) return;
  TensorBytes bytes;
  bytes.add("model.", module_state(parts_.model->module()));
  bytes.add("ema.", average_.state());
  for (const NamedOptimizer& o : parts_.optimizers) {
    TensorMap state;
    o.optimizer->save(state);
    bytes.add("optim." + o.name + ".", state);
  }
  Table hashes;
  for (const run::TensorView& view : bytes.views()) hashes[view.name] = run::tensor_hash(view);
  Table line;
  line["tensors"] = std::move(hashes);
  line["phase"] = phases_[position_.phase].name;
  line["iteration"] = position_.iteration;
  sinks_.trace(position_.step, line);
}

Engine::State Engine::state() const {
  State all;
  auto& [model, optim, values] = all;
  const TensorMap live = module_state(parts_.model->module());
  if (average_.on()) {
    // What `edit` loads is the averaged model; training goes on from the live one.
    const TensorMap average = average_.state();
    for (const auto& [name, tensor] : live) {
      model.add(name, average.contains(name) ? average.at(name) : tensor);
    }
    optim.add("live/", live);
  } else {
    model.add("", live);
  }
  for (const NamedOptimizer& o : parts_.optimizers) {
    TensorMap state;
    o.optimizer->save(state);
    optim.add("optimizer/" + o.name + "/", state);
  }
  TensorMap tensors;
  parts_.trainer->save(tensors, values);
  optim.add("trainer/", tensors);
  return all;
}

void Engine::save() {
  const Timed timed(*this, "checkpoint");
  if (sinks_.sync) sinks_.sync();
  State now = state();
  run::CheckpointContent content;
  content.step = position_.step;
  content.retake = describe_;
  Table rng;
  rng["scheme"] = "derived by name: seed(\"torch/step\", step * accumulate + micro)";
  content.rng = std::move(rng);
  Table cursor;
  cursor["phase"] = static_cast<std::int64_t>(position_.phase);
  cursor["phase_name"] = phases_[position_.phase].name;
  cursor["step"] = position_.step;
  cursor["phase_step"] = position_.phase_step;
  cursor["iteration"] = position_.iteration;
  cursor["iteration_left"] = position_.iteration_left;
  cursor["validated"] = position_.validated;
  cursor["without_gain"] = position_.without_gain;
  cursor["stopped_early"] = position_.stopped_early;
  cursor["axis_before"] = axis_before_;
  cursor["trainer"] = std::move(now.trainer);
  content.cursor = std::move(cursor);
  content.model = now.model.views();
  content.optim = now.optim.views();
  content.best = best_;
  checkpoints_.publish(content, settings_.keep);
  saved_ = true;
}

void Engine::restore(const run::Checkpoint& checkpoint) {
  saved_ = true;
  const Table& cursor = checkpoint.cursor().as_table();
  position_.phase = static_cast<std::size_t>(cursor.at("phase").as_int());
  if (position_.phase >= phases_.size() ||
      phases_[position_.phase].name != cursor.at("phase_name").as_string()) {
    throw DataError(file_diagnostic("E607", checkpoint.path().string(),
                                    "was made in a phase that this trainer does not have",
                                    "resume with the plugin version that made it"));
  }
  position_.step = cursor.at("step").as_int();
  position_.phase_step = cursor.at("phase_step").as_int();
  position_.iteration = cursor.at("iteration").as_int();
  position_.iteration_left = cursor.at("iteration_left").as_int();
  position_.validated = cursor.at("validated").as_bool();
  position_.without_gain = static_cast<int>(cursor.at("without_gain").as_int());
  position_.stopped_early = cursor.at("stopped_early").as_bool();
  axis_before_ = cursor.at("axis_before").as_int();
  best_ = checkpoint.best();
  const std::string origin = checkpoint.path().string();
  const TensorMap model = with_prefix(checkpoint.model(), "");
  if (average_.on()) {
    load_module_state(parts_.model->module(), with_prefix(checkpoint.optim(), "live/"), origin);
    average_.load(model);
  } else {
    load_module_state(parts_.model->module(), model, origin);
  }
  for (const NamedOptimizer& o : parts_.optimizers) {
    o.optimizer->load(with_prefix(checkpoint.optim(), "optimizer/" + o.name + "/"));
  }
  parts_.trainer->load(with_prefix(checkpoint.optim(), "trainer/"),
                       cursor.at("trainer").as_table());
}

std::optional<TrainingEnd> Engine::reason_to_end() {
  if (parts_.context->stop_requested()) return TrainingEnd::stopped_by_signal;
  if (position_.stopped_early && position_.validated) return TrainingEnd::early_stopped;
  if (at_limit() && position_.validated) return TrainingEnd::finished;
  if (settings_.max_seconds > 0 && seconds() >= settings_.max_seconds) {
    return TrainingEnd::time_limit;
  }
  return std::nullopt;
}

TrainingOutcome Engine::run() {
  started_ = std::chrono::steady_clock::now();
  std::int64_t saved_at = -1;
  for (;;) {
    if (const auto end = reason_to_end()) {
      if (saved_at != position_.step || !position_.validated) save();
      return {*end, position_.step, best_, last_validation_};
    }
    if (!position_.validated) {
      // Also where a run that was stopped between a step and its validation goes on.
      if (!validate()) continue;
      save();
      saved_at = position_.step;
      continue;
    }
    next_phase();
    const Metrics metrics = train_step();
    const Timed timed(*this, "log");
    record(metrics);
    trace();
  }
}

}  // namespace retake::nn

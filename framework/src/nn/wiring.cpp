#include "nn/wiring.hpp"

#include <algorithm>

#include "config/wiring.hpp"
#include "nn/device.hpp"
#include "plugin/stamp.hpp"
#include "retake/error.hpp"
#include "retake/kinds/action_space.hpp"
#include "retake/kinds/loss.hpp"
#include "retake/kinds/reward.hpp"

namespace retake::nn {
namespace {

/// The component of a kind, made into the arena; null when the experiment has no such table.
template <class T>
T* make_single(TrainJob& job) {
  const config::ResolvedComponent* c = job.experiment->find(T::kind);
  if (c == nullptr) return nullptr;
  return &job.registry->create<T>(*job.arena, *c, *job.context);
}

std::vector<NamedOptimizer> make_optimizers(TrainJob& job) {
  std::vector<NamedOptimizer> out;
  for (const config::ResolvedComponent* c : job.experiment->all(Optimizer::kind)) {
    NamedOptimizer named;
    named.name = c->name.empty() ? "main" : c->name;
    named.optimizer = &job.registry->create<Optimizer>(*job.arena, *c, *job.context);
    out.push_back(std::move(named));
  }
  return out;
}

}  // namespace

ModelInputs model_inputs(const std::vector<NamedExtractor>& extractors) {
  ModelInputs inputs;
  for (const NamedExtractor& e : extractors) {
    for (const FeatureBlock& block : e.extractor->blocks()) {
      inputs.feature_widths.emplace_back(e.name + "." + block.name, block.width);
    }
  }
  return inputs;
}

Model& build_model(const config::ResolvedComponent& component, const ModelInputs& inputs,
                   plugin::Registry& registry, plugin::Arena& arena, Context& context) {
  Model& model = registry.create<Model>(arena, component, context);
  seed_torch(context.seed("model/init"));
  model.build(inputs);
  model.module().to(at::Device(context.device()));
  return model;
}

TrainingParts wire_training(TrainJob& job) {
  std::vector<Diagnostic> faults = config::training_faults(job.experiment->components);
  if (!faults.empty()) throw ConfigError(std::move(faults));

  TrainingParts parts;
  parts.model = &build_model(*job.experiment->find(Model::kind), model_inputs(job.extractors),
                             *job.registry, *job.arena, *job.context);
  TrainerSetup setup;
  setup.model = parts.model;
  setup.editor = make_single<Editor>(job);
  setup.action_space = make_single<ActionSpace>(job);
  for (const config::ResolvedComponent* c : job.experiment->all(Loss::kind)) {
    Loss& loss = job.registry->create<Loss>(*job.arena, *c, *job.context);
    setup.losses.push_back({c->name.empty() ? c->plugin : c->name, c->weight, &loss});
    parts.losses[setup.losses.back().name] = &loss;
  }
  for (const config::ResolvedComponent* c : job.experiment->all(Reward::kind)) {
    Reward& reward = job.registry->create<Reward>(*job.arena, *c, *job.context);
    setup.rewards.push_back({c->name.empty() ? c->plugin : c->name, c->weight, &reward});
  }
  setup.corpus = job.corpus;
  setup.batch = job.experiment->train.batch;
  setup.context = job.context;
  parts.trainer = make_single<Trainer>(job);
  parts.schedule = make_single<LrSchedule>(job);
  parts.optimizers = make_optimizers(job);
  attach_optimizers(parts.model->module(), parts.optimizers);
  parts.trainer->set_up(setup);
  return parts;
}

Value describe_checkpoint(const TrainJob& job) {
  Table out;
  out["schema"] = "retake.checkpoint/1";
  out["config"] = job.config;
  out["config_hash"] = job.config_hash;
  Array features;
  for (const NamedExtractor& e : job.extractors) {
    Table feature;
    feature["table"] = e.name;
    feature["extractor"] = e.plugin;
    feature["version"] = e.extractor->algorithm_version();
    feature["params"] = e.params;
    Array blocks;
    for (const FeatureBlock& block : e.extractor->blocks()) {
      Table b;
      b["name"] = block.name;
      b["width"] = block.width;
      blocks.emplace_back(std::move(b));
    }
    feature["blocks"] = std::move(blocks);
    features.emplace_back(std::move(feature));
  }
  out["features"] = std::move(features);
  out["normaliser"] = Value();  // features of this paradigm are normalised by their extractors
  Array plugins;
  for (const config::ResolvedComponent& c : job.experiment->components) {
    if (!c.enabled) continue;
    Table p;
    p["kind"] = c.kind;
    p["name"] = c.plugin;
    p["version"] = c.info->version;
    plugins.emplace_back(std::move(p));
  }
  out["plugins"] = std::move(plugins);
  return out;
}

}  // namespace retake::nn

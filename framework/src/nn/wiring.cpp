#include "nn/wiring.hpp"

#include <algorithm>

#include "nn/device.hpp"
#include "plugin/stamp.hpp"
#include "retake/error.hpp"
#include "retake/kinds/action_space.hpp"
#include "retake/kinds/loss.hpp"
#include "retake/kinds/reward.hpp"

namespace retake::nn {
namespace {

/// One component of a kind, made into the arena; null when the experiment has no such table.
template <class T>
T* make_single(TrainJob& job, std::vector<Diagnostic>& faults) {
  const auto all = job.experiment->all(T::kind);
  if (all.empty()) return nullptr;
  if (all.size() > 1) {
    Diagnostic d;
    d.id = "E155";
    d.message = "a run takes one " + std::string(T::kind) + ", the experiment has " +
                std::to_string(all.size());
    d.help = "keep one table, or set enabled = false where the kind allows it";
    faults.push_back(std::move(d));
    return nullptr;
  }
  return &job.registry->create<T>(*job.arena, all.front()->plugin, all.front()->params,
                                  *job.context);
}

void missing(std::vector<Diagnostic>& faults, const char* kind, const char* why) {
  Diagnostic d;
  d.id = "E156";
  d.message = "the experiment has no [" + std::string(kind) + "]: " + why;
  d.help = "add a [" + std::string(kind) + "] table; retake plugins list --kind " +
           std::string(kind) + " shows what there is";
  faults.push_back(std::move(d));
}

std::vector<NamedOptimizer> make_optimizers(TrainJob& job) {
  std::vector<NamedOptimizer> out;
  for (const config::ResolvedComponent* c : job.experiment->all(Optimizer::kind)) {
    NamedOptimizer named;
    named.name = c->name.empty() ? "main" : c->name;
    named.optimizer =
        &job.registry->create<Optimizer>(*job.arena, c->plugin, c->params, *job.context);
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
  Model& model = registry.create<Model>(arena, component.plugin, component.params, context);
  seed_torch(context.seed("model/init"));
  model.build(inputs);
  model.module().to(at::Device(context.device()));
  return model;
}

TrainingParts wire_training(TrainJob& job) {
  std::vector<Diagnostic> faults;
  const auto models = job.experiment->all(Model::kind);
  if (models.empty()) missing(faults, "model", "a run trains one");
  if (models.size() > 1) {
    Diagnostic d;
    d.id = "E155";
    d.message = "a run takes one model, the experiment has " + std::to_string(models.size());
    d.help = "keep one [model] table";
    faults.push_back(std::move(d));
  }
  if (job.experiment->all(Trainer::kind).empty()) {
    missing(faults, "trainer", "it says how the model learns");
  }
  if (job.experiment->all(Optimizer::kind).empty()) {
    missing(faults, "optimizer", "it turns gradients into updates");
  }
  if (!faults.empty()) throw ConfigError(std::move(faults));

  TrainingParts parts;
  parts.model = &build_model(*models.front(), model_inputs(job.extractors), *job.registry,
                             *job.arena, *job.context);
  TrainerSetup setup;
  setup.model = parts.model;
  setup.editor = make_single<Editor>(job, faults);
  setup.action_space = make_single<ActionSpace>(job, faults);
  for (const config::ResolvedComponent* c : job.experiment->all(Loss::kind)) {
    Loss& loss = job.registry->create<Loss>(*job.arena, c->plugin, c->params, *job.context);
    setup.losses.push_back({c->name.empty() ? c->plugin : c->name, c->weight, &loss});
  }
  for (const config::ResolvedComponent* c : job.experiment->all(Reward::kind)) {
    Reward& reward = job.registry->create<Reward>(*job.arena, c->plugin, c->params, *job.context);
    setup.rewards.push_back({c->name.empty() ? c->plugin : c->name, c->weight, &reward});
  }
  setup.corpus = job.corpus;
  setup.batch = job.experiment->train.batch;
  setup.context = job.context;
  parts.trainer = make_single<Trainer>(job, faults);
  parts.schedule = make_single<LrSchedule>(job, faults);
  if (!faults.empty()) throw ConfigError(std::move(faults));
  parts.optimizers = make_optimizers(job);
  attach_optimizers(parts.model->module(), parts.optimizers);
  parts.trainer->set_up(setup);
  return parts;
}

Value describe_checkpoint(const TrainJob& job) {
  Table out;
  out["schema"] = "retake.checkpoint/1";
  out["config"] = job.config;
  out["config_hash"] = config::config_hash(*job.experiment);
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

#include "nn/room.hpp"

#include "nn/device.hpp"
#include "nn/engine.hpp"
#include "nn/inference.hpp"
#include "nn/tensor_io.hpp"
#include "nn/wiring.hpp"
#include "retake/error.hpp"

namespace retake::nn {
namespace {

/// A warm start: weights of another run. The features must be made the same way.
void start_from(Model& model, const std::filesystem::path& folder, const Value& own) {
  const run::Checkpoint checkpoint = run::Checkpoint::open(folder);
  const Value* theirs = find_path(checkpoint.retake(), "features");
  const Value* ours = find_path(own, "features");
  if (theirs == nullptr || ours == nullptr || !(*theirs == *ours)) {
    Diagnostic d = file_diagnostic(
        "E157", folder.string(),
        "`train.init_from`: that run's features were made otherwise than this experiment's",
        "copy the [feature_extractor] tables of that run's config.resolved.toml");
    throw DataError(std::move(d));
  }
  load_module_state(model.module(), with_prefix(checkpoint.model(), ""), folder.string());
}

EngineParts engine_parts(const TrainingParts& parts, const TrainJob& job) {
  return {parts.model, parts.trainer,         parts.optimizers, parts.schedule,
          job.context, job.context->device(), parts.losses};
}

/// An engine for a few steps, of which nothing is logged or saved.
template <class F>
auto without_saving(TrainJob& job, F&& use) {
  const TrainingParts parts = wire_training(job);
  run::CheckpointStore nowhere{std::filesystem::path()};
  Engine engine(engine_parts(parts, job), job.settings, {}, nowhere, Value());
  if (job.resume_from) engine.restore(run::Checkpoint::open(*job.resume_from));
  return use(engine);
}

class TorchRoom final : public Room {
 public:
  std::string choose_device(const std::string& wanted) override {
    return nn::choose_device(wanted);
  }
  void configure(int threads, bool deterministic) override {
    configure_torch(threads, deterministic);
  }
  Table environment() override { return torch_environment(); }

  TrainingOutcome train(TrainJob& job) override {
    const TrainingParts parts = wire_training(job);
    const Value description = describe_checkpoint(job);
    if (job.init_from) start_from(*parts.model, *job.init_from, description);
    Engine engine(engine_parts(parts, job), job.settings, job.sinks, *job.checkpoints, description);
    if (job.resume_from) engine.restore(run::Checkpoint::open(*job.resume_from));
    if (job.ready) job.ready(engine.checkpoint_bytes());
    return engine.run();
  }

  ProbeReport probe(TrainJob& job, const ProbeRequest& request) override {
    return without_saving(job, [&](Engine& engine) { return engine.probe(request); });
  }

  std::vector<LearningRatePoint> find_learning_rate(TrainJob& job, double low, double high,
                                                    int steps) override {
    return without_saving(
        job, [&](Engine& engine) { return engine.find_learning_rate(low, high, steps); });
  }

  std::unique_ptr<Inference> load(const std::filesystem::path& checkpoint,
                                  plugin::Registry& registry, Context& context) override {
    return load_inference(checkpoint, registry, context);
  }
};

}  // namespace
}  // namespace retake::nn

extern "C" retake::nn::Room* retake_nn_room() {
  static auto* room = new retake::nn::TorchRoom;  // never destroyed: nothing is ever unloaded
  return room;
}

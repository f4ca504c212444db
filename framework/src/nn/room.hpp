#pragma once
// The torch-free door to the nn room. The executable opens libretake_nn only when a command trains
// or infers, and speaks to it through this interface.

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "config/experiment.hpp"
#include "data/experiment_data.hpp"
#include "nn/training.hpp"
#include "plugin/registry.hpp"
#include "retake/data/corpus.hpp"
#include "retake/kinds/editor.hpp"

namespace retake::nn {

using data::NamedExtractor;

/// Everything a training needs; all of it is the caller's and outlives the call.
struct TrainJob {
  const config::ResolvedExperiment* experiment = nullptr;
  plugin::Registry* registry = nullptr;
  plugin::Arena* arena = nullptr;
  Context* context = nullptr;
  std::vector<NamedExtractor> extractors;
  const Corpus* corpus = nullptr;
  std::string config;       ///< the resolved experiment as the run keeps it; goes into checkpoints
  std::string config_hash;  ///< as the manifest has it
  EngineSettings settings;
  EngineSinks sinks;
  run::CheckpointStore* checkpoints = nullptr;
  std::optional<std::filesystem::path> resume_from;  ///< a checkpoint folder of this run
  std::optional<std::filesystem::path> init_from;    ///< weights of another run's checkpoint
  /// Called once, when everything is made and loaded and the first step is next: only now is what
  /// a resumed run wrote beyond its checkpoint given up. Gets the size of a checkpoint. May be
  /// empty.
  std::function<void(std::int64_t checkpoint_bytes)> ready;
};

/// A trained model with its editor, built from a checkpoint alone.
class Inference {
 public:
  virtual ~Inference() = default;
  /// The front end that the checkpoint was trained with.
  virtual const std::vector<NamedExtractor>& extractors() const = 0;
  virtual const config::ResolvedExperiment& experiment() const = 0;
  virtual std::int64_t step() const = 0;
  /// The experiment's editor on features that `extractors()` gave. One call at a time.
  virtual EditResult edit(const EditRequest& request) = 0;
};

class Room {
 public:
  virtual ~Room() = default;
  /// "cpu" or "cuda:N" for `run.device`. Throws ConfigError when there is no such device.
  virtual std::string choose_device(const std::string& wanted) = 0;
  /// Threads and determinism of LibTorch; once per process, before anything else.
  virtual void configure(int threads, bool deterministic) = 0;
  /// Facts for the manifest: versions, CPU capability, BLAS, threads, GPUs.
  virtual Table environment() = 0;
  virtual TrainingOutcome train(TrainJob& job) = 0;
  /// Builds everything and tries a few steps; nothing is written. With `job.resume_from` the model
  /// is that of the checkpoint.
  virtual ProbeReport probe(TrainJob& job, const ProbeRequest& request) = 0;
  virtual std::vector<LearningRatePoint> find_learning_rate(TrainJob& job, double low, double high,
                                                            int steps) = 0;
  /// Throws DataError when the checkpoint is damaged or does not fit, PluginError when a plugin it
  /// needs is missing; both say why. `catalog` outlives the result.
  virtual std::unique_ptr<Inference> load(const std::filesystem::path& checkpoint,
                                          plugin::Registry& registry, Context& context) = 0;
};

}  // namespace retake::nn

/// Exported by libretake_nn; lives as long as the process.
extern "C" retake::nn::Room* retake_nn_room();

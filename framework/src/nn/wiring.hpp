#pragma once
// From the tables of an experiment to components that know each other.

#include <map>
#include <string>
#include <vector>

#include "nn/parameters.hpp"
#include "nn/room.hpp"
#include "retake/kinds/lr_schedule.hpp"
#include "retake/kinds/trainer.hpp"

namespace retake::nn {

/// What a model will be fed: every block of every extractor, as "table.block".
ModelInputs model_inputs(const std::vector<NamedExtractor>& extractors);

/// Makes the model and its parameters, seeded by name.
Model& build_model(const config::ResolvedComponent& component, const ModelInputs& inputs,
                   plugin::Registry& registry, plugin::Arena& arena, Context& context);

/// The components of a training, in the arena of the job.
struct TrainingParts {
  Model* model = nullptr;
  Trainer* trainer = nullptr;
  LrSchedule* schedule = nullptr;
  std::vector<NamedOptimizer> optimizers;
  std::map<std::string, const Component*> losses;  ///< by the name of their table
};

/// Makes and connects them. Throws ConfigError naming every table that is missing or too many.
TrainingParts wire_training(TrainJob& job);

/// retake.json: the resolved config, feature spec and plugins that `edit` needs.
Value describe_checkpoint(const TrainJob& job);

}  // namespace retake::nn

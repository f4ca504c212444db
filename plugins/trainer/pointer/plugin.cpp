#include "retake/plugin.hpp"
#include "pointer_trainer.hpp"
#include "retake/nn/step.hpp"

RETAKE_PLUGIN("pointer_trainer", "0.1.0", registrar) {
  registrar.add<pointer_trainer::PointerTrainer>(
      "pointer",
      "Trains models that edit a raw recording: raw-timeline labels and output windows.");
}

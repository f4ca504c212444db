// Key functions of the torch kinds: their type information lives here.

#include "retake/kinds/loss.hpp"
#include "retake/kinds/model.hpp"
#include "retake/kinds/optimizer.hpp"
#include "retake/kinds/trainer.hpp"

namespace retake {

Loss::~Loss() = default;
Model::~Model() = default;
Optimizer::~Optimizer() = default;
Trainer::~Trainer() = default;

void Trainer::save(TensorMap&, Table&) const {}
void Trainer::load(const TensorMap&, const Table&) {}

}  // namespace retake

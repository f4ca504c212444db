#include "retake/nn/pointer_model.hpp"

namespace retake {

PointerMemory::~PointerMemory() = default;
PointerState::~PointerState() = default;
PointerModel::~PointerModel() = default;

}  // namespace retake

#include "retake/kinds/feature_extractor.hpp"

namespace retake {

FeatureExtractor::~FeatureExtractor() = default;

}  // namespace retake

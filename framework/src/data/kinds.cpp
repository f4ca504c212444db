// Key functions of the kinds over audio, edits and pairs: their type information lives here.

#include "retake/kinds/aligner.hpp"
#include "retake/kinds/dataset.hpp"
#include "retake/kinds/editor.hpp"
#include "retake/kinds/feature_extractor.hpp"

namespace retake {

Aligner::~Aligner() = default;
Dataset::~Dataset() = default;
PairGenerator::~PairGenerator() = default;
Editor::~Editor() = default;
FeatureExtractor::~FeatureExtractor() = default;

}  // namespace retake

#pragma once
// Kind `editor`: from a model (or none) to an EDL. Torch-free header; the code behind may not be.

#include <map>
#include <optional>

#include "retake/audio/feature_table.hpp"
#include "retake/component.hpp"
#include "retake/context.hpp"
#include "retake/edit/edl.hpp"

namespace retake {

class Model;  // retake/kinds/model.hpp

/// One recording to edit.
struct EditRequest {
  EdlSource source;                              ///< what the EDL's only source will say
  std::map<std::string, FeatureTable> features;  ///< by extractor table name, e.g. "mel"
  std::optional<double> target_seconds;          ///< wanted length of the edit
  std::string mode = "best";                     ///< best, greedy or sample
  std::uint64_t seed = 0;                        ///< for mode "sample"
};

/// What an editor gives: the EDL, and curves over raw time that plots and reports show.
struct EditResult {
  Edl edl;
  std::map<std::string, std::vector<float>> curves;  ///< e.g. "keep": one value per raw frame
};

class Editor : public Component {
 public:
  static constexpr const char* kind = "editor";
  ~Editor() override;

  /// `model` is the trained model in evaluation mode; null for editors that need none. Any length
  /// of input; the result covers the recording to its last sample.
  virtual EditResult edit(Model* model, const EditRequest& request, const Context& context) = 0;
};

}  // namespace retake

#pragma once
// Kind `dataset`: where pairs of raw recordings and edits come from.

#include "retake/component.hpp"
#include "retake/context.hpp"
#include "retake/data/pair_set.hpp"

namespace retake {

class Dataset : public Component {
 public:
  static constexpr const char* kind = "dataset";
  ~Dataset() override;

  /// Lists the pairs, creating them first where the dataset generates (idempotent, atomic, safe
  /// with several processes). Ids are unique, ascending and fit to name files; raw and edit are
  /// absolute paths; a group, and a recording, is in one split. Throws DataError naming file and
  /// remedy.
  virtual PairSet pairs(const Context& context) = 0;
};

/// Optional interface of a dataset that can write a pair set to a folder (`retake synth`).
class PairGenerator {
 public:
  virtual ~PairGenerator();
  /// Writes the guide's folder layout under `root`; pairs already there and complete are kept.
  virtual PairSet generate(const std::filesystem::path& root, const Context& context) = 0;
};

}  // namespace retake

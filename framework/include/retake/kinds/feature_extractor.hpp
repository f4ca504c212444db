#pragma once
// Kind `feature_extractor`: audio in, a FeatureTable out.

#include "retake/audio/feature_table.hpp"
#include "retake/audio/source.hpp"
#include "retake/component.hpp"
#include "retake/context.hpp"

namespace retake {

/// Pulls samples from a source, in as many passes as it needs, so that an hour never lies in
/// memory as audio. `extract` is const: the host may call it for several files at once.
class FeatureExtractor : public Component {
 public:
  static constexpr const char* kind = "feature_extractor";
  ~FeatureExtractor() override;

  /// Changes whenever the same input would give other numbers; part of the store's key.
  virtual std::string algorithm_version() const = 0;
  /// Names, widths and units of the blocks `extract` gives, known before any audio is read.
  virtual std::vector<FeatureBlock> blocks() const = 0;
  /// Throws DataError naming the source when it cannot be read. Any length >= 1 sample, any rate.
  virtual FeatureTable extract(AudioSource& source, const Context& context) const = 0;
};

}  // namespace retake

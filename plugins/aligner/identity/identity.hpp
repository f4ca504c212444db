#pragma once
// Aligner `identity`: the baseline. The edit is taken as the raw recording from its first sample
// on.

#include "retake/kinds/aligner.hpp"

namespace retake {

class Identity final : public Aligner {
 public:
  std::string algorithm_version() const override { return "1"; }
  /// Confidence is 1 where the raw has samples; beyond its end there is a gap. Nothing is compared.
  Alignment align(AudioSource& raw, AudioSource& edit, const Context& context) const override;
};

}  // namespace retake

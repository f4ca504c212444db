#pragma once
// Kind `aligner`: a raw recording and its edit in, an Alignment (EDL with confidence) out.

#include "retake/audio/source.hpp"
#include "retake/component.hpp"
#include "retake/context.hpp"
#include "retake/edit/alignment.hpp"

namespace retake {

class Aligner : public Component {
 public:
  static constexpr const char* kind = "aligner";
  ~Aligner() override;

  /// Changes whenever the same input would give another alignment; part of the store's key.
  virtual std::string algorithm_version() const = 0;
  /// Memory linear in the lengths. An edit that does not come from `raw` gives low confidence and
  /// gaps, never an exception.
  virtual Alignment align(AudioSource& raw, AudioSource& edit, const Context& context) const = 0;
};

}  // namespace retake

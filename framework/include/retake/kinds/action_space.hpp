#pragma once
// Kind `action_space`: the moves an agent has, and what each does to the EDL. Torch-free.

#include <cstdint>
#include <span>

#include "retake/component.hpp"
#include "retake/context.hpp"
#include "retake/env/episode.hpp"

namespace retake {

/// One head of a factored action: its name and the names of its choices.
struct ActionHead {
  std::string name;
  std::vector<std::string> choices;
};

class ActionSpace : public Component {
 public:
  static constexpr const char* kind = "action_space";
  ~ActionSpace() override;

  /// At least one head; heads are chosen in order (autoregressive).
  virtual std::vector<ActionHead> heads() const = 0;
  /// Which choices of `head` are allowed, given the choices already made for earlier heads.
  /// `mask` has one byte per choice; at least one stays allowed.
  virtual void mask(const Episode& episode, std::size_t head, std::span<const std::int32_t> chosen,
                    std::span<std::uint8_t> mask) const = 0;
  /// Applies a complete action (one index per head): appends to the EDL, advances the cursor.
  virtual void apply(std::span<const std::int32_t> action, Episode& episode) const = 0;
};

}  // namespace retake

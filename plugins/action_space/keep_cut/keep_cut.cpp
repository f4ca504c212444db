// Keep or cut, unit by unit.

#include <algorithm>

#include "retake/kinds/action_space.hpp"
#include "retake/plugin.hpp"

namespace {

enum Choice : std::int32_t { kCut = 0, kKeep = 1 };

class KeepCut final : public retake::ActionSpace {
 public:
  std::vector<retake::ActionHead> heads() const override { return {{"decision", {"cut", "keep"}}}; }

  void mask(const retake::Episode&, std::size_t, std::span<const std::int32_t>,
            std::span<std::uint8_t> mask) const override {
    std::fill(mask.begin(), mask.end(), std::uint8_t{1});
  }

  void apply(std::span<const std::int32_t> action, retake::Episode& episode) const override {
    const auto unit = static_cast<std::size_t>(episode.cursor);
    const std::int64_t begin = episode.task->boundaries[unit];
    const std::int64_t end = episode.task->boundaries[unit + 1];
    if (action[0] == kKeep) {
      if (!episode.segments.empty() && episode.segments.back().end == begin) {
        episode.segments.back().end = end;
      } else {
        retake::Segment segment;
        segment.begin = begin;
        segment.end = end;
        if (!episode.segments.empty()) segment.op = retake::Op::skip;
        episode.segments.push_back(segment);
      }
      episode.output_samples += end - begin;
    }
    ++episode.cursor;
  }
};

}  // namespace

RETAKE_PLUGIN("keep_cut_actions", "1.0.0", registrar) {
  registrar.add<KeepCut>("keep_cut", "Keep or cut the unit at the cursor.");
}

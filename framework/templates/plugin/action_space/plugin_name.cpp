// Three moves: cut the unit at the cursor, keep it, or keep it and the next ones up to `stretch`
// units. With the third an agent says "this take goes on" once, not unit by unit.

#include <algorithm>

#include "retake/kinds/action_space.hpp"
#include "retake/plugin.hpp"

namespace {

enum Choice : std::int32_t { kCut = 0, kKeep = 1, kKeepRun = 2 };

class PluginName final : public retake::ActionSpace {
 public:
  // A parameter is declared once: its default here, its range, unit and text below. `Param` lets
  // the host tell who sets one that nobody reads.
  struct Params {
    retake::Param<std::int64_t> stretch = 4;

    static void describe(retake::Schema<Params>& s) {
      s.field(&Params::stretch, "stretch", "units that the third move keeps, fewer at the end")
          .range(2, 1024)
          .unit("units");
    }
  };

  explicit PluginName(const Params& params) : params_(params) {}

  std::vector<retake::ActionHead> heads() const override {
    return {{"decision", {"cut", "keep", "keep_run"}}};
  }

  void mask(const retake::Episode&, std::size_t, std::span<const std::int32_t>,
            std::span<std::uint8_t> mask) const override {
    std::fill(mask.begin(), mask.end(), std::uint8_t{1});  // everything is allowed everywhere
  }

  void apply(std::span<const std::int32_t> action, retake::Episode& episode) const override {
    const std::int64_t wanted = action[0] == kKeepRun ? *params_.stretch : 1;
    const std::int64_t next = std::min(episode.cursor + wanted, episode.task->units());
    if (action[0] != kCut) keep(episode, next);
    episode.cursor = next;
  }

 private:
  static void keep(retake::Episode& episode, std::int64_t next) {
    const auto& boundaries = episode.task->boundaries;
    const std::int64_t begin = boundaries[static_cast<std::size_t>(episode.cursor)];
    const std::int64_t end = boundaries[static_cast<std::size_t>(next)];
    episode.output_samples += end - begin;
    if (!episode.segments.empty() && episode.segments.back().end == begin) {
      episode.segments.back().end = end;
      return;
    }
    retake::Segment segment;
    segment.begin = begin;
    segment.end = end;
    if (!episode.segments.empty()) segment.op = retake::Op::skip;
    episode.segments.push_back(segment);
  }

  Params params_;
};

}  // namespace

RETAKE_PLUGIN("plugin_name", "0.1.0", registrar) {
  registrar.add<PluginName>("plugin_name", "Cut, keep, or keep several units at once.");
}

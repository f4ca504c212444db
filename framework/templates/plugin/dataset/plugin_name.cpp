// Sessions of chords with faint noise between them; the edit keeps the chords. Made on demand with
// exact truth: a task that any model must learn at once, to tell a broken set-up from a hard one.

#include <algorithm>
#include <cmath>
#include <numbers>
#include <set>

#include "retake/data/pair_writer.hpp"
#include "retake/kinds/dataset.hpp"
#include "retake/plugin.hpp"

namespace {

namespace fs = std::filesystem;

constexpr double kRate = 22050.0;  // Hz

class PluginName final : public retake::Dataset {
 public:
  // A parameter is declared once: its default here, its range, unit and text below. `Param` lets
  // the host tell who sets one that nobody reads.
  struct Params {
    retake::Param<std::string> root = "data/plugin_name";
    retake::Param<std::int64_t> pairs = 8;
    retake::Param<double> seconds = 60.0;
    retake::Param<std::int64_t> seed = 0;

    static void describe(retake::Schema<Params>& s) {
      s.field(&Params::root, "root", "folder that the pairs are written to, and found in later")
          .affects_results(false);
      s.field(&Params::pairs, "pairs", "how many pairs").range(3, 100000);
      s.field(&Params::seconds, "seconds", "length of a recording").range(10.0, 7200.0).unit("s");
      s.field(&Params::seed, "seed", "of the set; a run's own seed does not change the data")
          .min(0);
    }
  };

  explicit PluginName(const Params& params) : params_(params) {}

  retake::PairSet pairs(const retake::Context& context) override {
    const fs::path root = *params_.root;
    const retake::PairWriter writer(root);
    std::vector<retake::Pair> wanted;
    for (std::int64_t i = 0; i < params_.pairs; ++i) {
      retake::Pair pair;
      pair.id = "chords_" + std::to_string(i + 1);
      pair.group = pair.id;
      wanted.push_back(std::move(pair));
    }
    retake::SplitRule rule;
    rule.test = 0.25;
    rule.val = 0.25;
    writer.place(wanted, rule);
    std::set<std::string> ours;
    for (const retake::Pair& pair : wanted) {
      ours.insert(pair.id);
      if (context.stop_requested() || writer.has(pair.id, identity(pair.id))) continue;
      make(pair, writer);
    }
    retake::PairSet set = retake::read_pair_set(root);
    std::erase_if(set.pairs, [&](const retake::Pair& p) { return ours.count(p.id) == 0; });
    return set;
  }

 private:
  /// Another identity under the same id is refused: nobody trains on pairs he did not ask for.
  std::string identity(const std::string& id) const {
    return retake::hash_text("1 " + id + " " + std::to_string(*params_.seed) + " " +
                             retake::format_double(params_.seconds));
  }

  void make(const retake::Pair& pair, const retake::PairWriter& writer) const {
    retake::Rng rng(retake::derive_seed(static_cast<std::uint64_t>(*params_.seed), {pair.id}));
    retake::PairDraft draft;
    draft.id = pair.id;
    draft.group = pair.group;
    draft.split = pair.split;
    draft.identity = identity(pair.id);
    draft.sample_rate = kRate;
    draft.channels = 1;
    draft.samples = std::llround(params_.seconds * kRate);
    const std::int64_t samples = draft.samples;
    retake::PairWriter::Session session = writer.begin(std::move(draft));
    retake::PairTruth truth;
    bool kept = false;  // a session begins with noise
    for (std::int64_t at = 0; at < samples; kept = !kept) {
      const std::int64_t length = std::llround(rng.uniform(2.0, 6.0) * kRate);
      // The first chord always fits; what is left at the end belongs to the last stretch.
      const std::int64_t end = at + 2 * length > samples && at > 0 ? samples : at + length;
      const std::vector<float> sound = kept ? chord(end - at, rng) : noise(end - at, rng);
      const std::span<const float> channel(sound);
      session.append({&channel, 1});
      truth.material.push_back({at, end, kept ? "kept" : "silence"});
      if (kept) {
        retake::Segment segment;
        segment.begin = at;
        segment.end = end;
        if (!truth.edl.segments.empty()) segment.op = retake::Op::skip;
        truth.edl.segments.push_back(segment);
      }
      at = end;
    }
    session.finish(std::move(truth));
  }

  static std::vector<float> noise(std::int64_t samples, retake::Rng& rng) {
    std::vector<float> out(static_cast<std::size_t>(samples));
    for (float& v : out) v = static_cast<float>(0.005 * rng.normal());
    return out;
  }

  /// A major triad on a random root, swelling and fading within 50 ms.
  static std::vector<float> chord(std::int64_t samples, retake::Rng& rng) {
    std::vector<float> out(static_cast<std::size_t>(samples));
    const double root = 110.0 * std::exp2(rng.uniform(0.0, 2.0));
    const double ramp = 0.05 * kRate;
    for (std::size_t i = 0; i < out.size(); ++i) {
      const auto t = static_cast<double>(i);
      const double edge = std::min(t, static_cast<double>(out.size()) - t) / ramp;
      double sum = 0;
      for (const double ratio : {1.0, 1.25, 1.5}) {
        sum += std::sin(2.0 * std::numbers::pi * root * ratio * t / kRate);
      }
      out[i] = static_cast<float>(0.2 * sum * std::min(1.0, edge));
    }
    return out;
  }

  Params params_;
};

}  // namespace

RETAKE_PLUGIN("plugin_name", "0.1.0", registrar) {
  registrar.add<PluginName>("plugin_name", "Chords with noise between them, made on demand.");
}

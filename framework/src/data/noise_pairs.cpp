#include "data/noise_pairs.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "retake/data/pair_writer.hpp"
#include "retake/rng.hpp"

namespace retake::data {
namespace {

constexpr double kRate = 44100.0;
constexpr std::int64_t kBlock = 1 << 16;

/// Stretches of two to twelve seconds, every second one kept.
PairTruth draw_truth(std::int64_t samples, Rng& rng) {
  PairTruth truth;
  bool kept = false;
  for (std::int64_t at = 0; at < samples; kept = !kept) {
    std::int64_t end = at + static_cast<std::int64_t>(kRate) * rng.integer(2, 12);
    if (samples - end < static_cast<std::int64_t>(kRate)) end = samples;
    truth.material.push_back({at, end, kept ? "kept" : "noodling"});
    if (kept) {
      Segment segment;
      segment.begin = at;
      segment.end = end;
      truth.edl.segments.push_back(segment);
    }
    at = end;
  }
  if (truth.edl.segments.empty()) {  // a raw of a few seconds: all of it is kept
    Segment segment;
    segment.end = samples;
    truth.edl.segments.push_back(segment);
    truth.material = {{0, samples, "kept"}};
  }
  return truth;
}

void write_pair(const PairWriter& writer, const std::string& id, const std::string& split,
                std::int64_t samples) {
  Rng rng(derive_seed(0, {"noise pair/" + id, std::uint64_t{0}}));
  PairDraft draft;
  draft.id = id;
  draft.group = id;
  draft.split = split;
  draft.identity = "noise";
  draft.sample_rate = kRate;
  draft.channels = 1;
  draft.samples = samples;
  PairWriter::Session session = writer.begin(draft);
  std::vector<float> block(static_cast<std::size_t>(kBlock));
  float smooth = 0.0F;
  for (std::int64_t at = 0; at < samples; at += kBlock) {
    const auto n = static_cast<std::size_t>(std::min(kBlock, samples - at));
    for (std::size_t i = 0; i < n; ++i) {
      smooth = 0.9F * smooth + 0.1F * static_cast<float>(rng.uniform(-1.0, 1.0));
      block[i] = smooth;
    }
    const std::array<std::span<const float>, 1> channels{std::span(block.data(), n)};
    session.append(channels);
  }
  session.finish(draw_truth(samples, rng));
}

}  // namespace

PairSet write_noise_pairs(const std::filesystem::path& root, double seconds) {
  const auto samples = static_cast<std::int64_t>(std::llround(std::max(1.0, seconds) * kRate));
  const PairWriter writer(root);
  std::vector<Pair> pairs(3);
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    pairs[i].id = pairs[i].group = std::string("noise_") + "abc"[i];
    pairs[i].split = i < 2 ? "train" : "val";
  }
  for (const Pair& p : pairs) write_pair(writer, p.id, p.split, samples);
  PairSet set = read_pair_set(root);
  for (Pair& p : set.pairs) p.split = p.id == "noise_c" ? "val" : "train";
  return set;
}

}  // namespace retake::data

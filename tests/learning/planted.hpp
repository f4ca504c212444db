#pragma once
// Recordings with a planted rule: bands 0 to 3 are loud where the edit keeps the material.

#include <cmath>

#include "retake/data/corpus.hpp"
#include "retake/rng.hpp"

namespace planted {

inline retake::FeatureTable features(std::int64_t frames, const std::vector<std::uint8_t>& kept,
                                     retake::Rng& rng) {
  constexpr std::int64_t kBands = 16;
  retake::TimeGrid grid;
  grid.rows = frames;
  std::vector<float> values(static_cast<std::size_t>(frames * kBands));
  for (std::int64_t t = 0; t < frames; ++t) {
    for (std::int64_t b = 0; b < kBands; ++b) {
      const double level = b < 4 && kept[static_cast<std::size_t>(t)] != 0 ? 0.9 : 0.3;
      values[static_cast<std::size_t>(t * kBands + b)] =
          static_cast<float>(level + 0.05 * rng.normal());
    }
  }
  return {grid, {{"mel", 0, kBands, "0..1", true}}, std::move(values), {}};
}

/// A recording of `frames` frames at 22,050 Hz whose kept stretches, 100 to 300 frames long, lie in
/// order with 80 to 200 frames between them.
inline retake::Song song(const std::string& id, const std::string& split, std::int64_t frames,
                         std::uint64_t seed) {
  retake::Rng rng(seed);
  retake::Song s;
  s.pair.id = id;
  s.pair.split = split;
  s.raw.sample_rate = 22050;
  s.raw.channels = 1;
  s.raw.samples = (frames - 1) * 256;
  s.raw_grid = retake::frame_grid(s.raw.samples, 22050);
  s.exact = true;
  retake::EdlSource source;
  source.path = id + "_raw.wav";
  source.sample_rate = 22050;
  source.samples = s.raw.samples;
  s.alignment.edl.sources.push_back(source);
  std::vector<std::uint8_t> kept(static_cast<std::size_t>(frames), 0);
  for (std::int64_t at = rng.integer(80, 200);;) {
    const std::int64_t end = at + rng.integer(100, 300);
    if (end + 80 > frames) break;
    retake::Segment segment;
    segment.begin = at * 256;
    segment.end = end * 256;
    s.alignment.edl.segments.push_back(segment);
    s.pair.material.push_back({segment.begin, segment.end, "kept"});
    for (std::int64_t t = at; t < end; ++t) kept[static_cast<std::size_t>(t)] = 1;
    at = end + rng.integer(80, 200);
  }
  s.edit.samples = s.alignment.edl.output_samples();
  s.edit.sample_rate = 22050;
  s.edit_grid = retake::frame_grid(s.edit.samples, 22050);
  s.alignment.grid = s.edit_grid;
  s.features["mel"] = features(frames, kept, rng);
  return s;
}

inline retake::Corpus corpus() {
  std::vector<retake::Song> songs;
  for (std::uint64_t i = 0; i < 4; ++i) {
    songs.push_back(song("train_" + std::to_string(i), "train", 3000 + 100 * (std::int64_t)i, i));
  }
  songs.push_back(song("val_0", "val", 3500, 100));
  songs.push_back(song("val_1", "val", 2500, 101));
  return retake::Corpus(std::move(songs));
}

}  // namespace planted

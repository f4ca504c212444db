#pragma once
// Pairs of raw recordings and their edits, and the one split that every paradigm shares.

#include <filesystem>
#include <string>
#include <vector>

#include "retake/value.hpp"

namespace retake {

/// What a stretch of a raw recording is, where the truth knows it (synthetic pairs).
struct MaterialSpan {
  std::int64_t begin = 0;  ///< raw samples, half open
  std::int64_t end = 0;
  std::string kind;  ///< kept, talk, silence, tuning, count_in, noodling, false_start,
                     ///< bad_take, layer, repeat, play_on
};

/// One pair. Paths are absolute; empty when there is no such file.
struct Pair {
  std::string id;
  std::string group;  ///< pairs of one song or session never cross a split
  std::string split;  ///< "train", "val", "test"
  std::filesystem::path raw;
  std::filesystem::path edit;
  std::filesystem::path truth;      ///< exact EDL: truth/{id}.edl.json
  std::filesystem::path alignment;  ///< found EDL: pointer_sequences/{id}.edl.json
  std::filesystem::path stems;
  double raw_seconds = 0.0;
  double edit_seconds = 0.0;
  std::vector<MaterialSpan> material;
};

/// A folder of pairs in the guide's layout (input/{id}_raw.*, desired_output/{id}_edit.*).
struct PairSet {
  std::filesystem::path root;
  std::vector<Pair> pairs;  ///< sorted by id

  std::vector<Pair> in_split(const std::string& split) const;
};

}  // namespace retake

#pragma once
// Pairs made ready for training and evaluation: features from the store, EDL from truth or aligner.

#include <map>
#include <string>
#include <vector>

#include "retake/audio/feature_table.hpp"
#include "retake/audio/source.hpp"
#include "retake/data/pair_set.hpp"
#include "retake/edit/alignment.hpp"

namespace retake {

/// One prepared pair. Feature tables are views of mapped files.
struct Song {
  Pair pair;
  AudioInfo raw;
  AudioInfo edit;
  std::map<std::string, FeatureTable> features;  ///< of the raw, by extractor table name
  Alignment alignment;                           ///< exact truth where there is one
  bool exact = false;                            ///< whether `alignment` is truth
  TimeGrid raw_grid;                             ///< standard grid of the raw
  TimeGrid edit_grid;                            ///< standard grid of the edit
};

/// Read-only after construction; thread-safe.
class Corpus {
 public:
  Corpus() = default;
  explicit Corpus(std::vector<Song> songs) : songs_(std::move(songs)) {}
  const std::vector<Song>& songs() const { return songs_; }
  /// Songs of "train", "val" or "test", in id order.
  std::vector<const Song*> split(const std::string& name) const;

 private:
  std::vector<Song> songs_;
};

}  // namespace retake

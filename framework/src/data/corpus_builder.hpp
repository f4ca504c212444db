#pragma once
// From a pair set to a corpus: features from the store, alignments from truth, files or an aligner.

#include <string>
#include <vector>

#include "data/feature_store.hpp"
#include "retake/context.hpp"
#include "retake/data/corpus.hpp"
#include "retake/data/pair_set.hpp"
#include "retake/kinds/aligner.hpp"
#include "retake/kinds/feature_extractor.hpp"

namespace retake::data {

/// A table that every song is to have.
struct WantedFeatures {
  std::string name;  ///< the experiment's name for it: "mel"
  const FeatureExtractor* extractor = nullptr;
  FeatureSpec spec;  ///< as spec_of gives it
};

struct CorpusRequest {
  std::vector<WantedFeatures> features;
  const Aligner* aligner = nullptr;  ///< for pairs without truth and without a stored alignment
  FeatureSpec aligner_spec;          ///< name, algorithm version and parameters of the aligner
};

/// Prepares every pair, several at a time. A pair's alignment is truth/{id}.edl.json where there is
/// one (exact), else pointer_sequences/{id}.edl.json, else the aligner's, which is kept in the
/// store. Throws DataError with everything that is wrong: audio that cannot be read, a truth that
/// belongs to another recording, a pair that nothing aligns. Stops early, with the songs made so
/// far, when the context asks to stop.
Corpus build_corpus(const PairSet& pairs, const CorpusRequest& request, const FeatureStore& store,
                    const Context& context);

/// The alignment that a stored EDL means on the grid of its edit: confidence and gain of a frame
/// are its segment's.
Alignment alignment_from_edl(Edl edl, const TimeGrid& edit_grid);

}  // namespace retake::data

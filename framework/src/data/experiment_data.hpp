#pragma once
// The data half of an experiment: dataset, extractors, aligner and the corpus they make.

#include <string>

#include "config/experiment.hpp"
#include "data/corpus_builder.hpp"
#include "plugin/arena.hpp"
#include "plugin/registry.hpp"

namespace retake::data {

/// An extractor of an experiment and the name that its table has in `Song::features`.
struct NamedExtractor {
  std::string name;  ///< of [feature_extractor.NAME]; the component's name for a single table
  const FeatureExtractor* extractor = nullptr;
  std::string plugin;
  Table params;      ///< resolved
  FeatureSpec spec;  ///< what its tables are stored under
};

/// Lets the experiment's aligner, where it has one, explain pairs that nothing else explains.
void use_aligner(CorpusRequest& request, const config::ResolvedExperiment& experiment,
                 plugin::Registry& registry, plugin::Arena& arena, Context& context);

/// What the corpus builder is to give each song.
std::vector<WantedFeatures> wanted_features(const std::vector<NamedExtractor>& extractors);

/// One file of the data as a run began with it.
struct DataFile {
  std::string path;  ///< relative to the pair set's root
  std::int64_t bytes = 0;
  std::string sha256;
};

struct ExperimentData {
  std::string dataset;  ///< component name
  PairSet pairs;
  std::vector<NamedExtractor> extractors;
  Corpus corpus;
  Table files;                  ///< "data" of the manifest
  std::vector<DataFile> index;  ///< every file that `files` counts

  const Table& account() const { return files; }
  /// Stands in for the dataset's paths in a run's identity: the content of the data.
  config::Identity identity() const;
  /// "data paired_audio: 412 pairs, 9.3 h   train 371  val 41   hash 91c0d3aa"
  std::string summary() const;
};

/// The extractors of an experiment, made into the arena.
std::vector<NamedExtractor> make_extractors(const config::ResolvedExperiment& experiment,
                                            plugin::Registry& registry, plugin::Arena& arena,
                                            Context& context);

/// Makes dataset, extractors and aligner, lists the pairs and prepares them. Stopped by a signal it
/// throws Error with the exit code of the contract. Throws ConfigError when a table is missing.
ExperimentData prepare_data(const config::ResolvedExperiment& experiment,
                            plugin::Registry& registry, plugin::Arena& arena, Context& context);
/// As above with these pairs in place of the dataset's, which is not made; what is computed goes to
/// a store below their root. They are made for the moment, so they have neither index nor account.
ExperimentData prepare_pairs(const config::ResolvedExperiment& experiment, const PairSet& pairs,
                             plugin::Registry& registry, plugin::Arena& arena, Context& context);

/// Every file of the pairs: recordings, edits and what tells how they were made, in pair order.
std::vector<DataFile> data_index(const PairSet& pairs);
/// "data" of the manifest: root, files, bytes, and the hash over every file's name and content and
/// every pair's split.
Table data_account(const PairSet& pairs, const std::vector<DataFile>& index);

}  // namespace retake::data

#pragma once
// A content-addressed cache of feature tables.

#include <filesystem>
#include <optional>
#include <string>

#include "retake/audio/feature_table.hpp"
#include "retake/component.hpp"
#include "retake/kinds/feature_extractor.hpp"

namespace retake::data {

/// Tables by what they are computed from: the decoded samples, the extractor, its algorithm version
/// and every parameter that affects results. Files appear whole (several processes may write at
/// once), are mapped when read, and are checked against their own sum when opened. A file that
/// cannot be used is reported, computed anew and replaced, never used.
/// All methods are thread-safe.
class FeatureStore {
 public:
  /// `$RETAKE_STORE`, else ROOT/.retake/store for a pair set's ROOT, else ~/.cache/retake/store
  /// ($XDG_CACHE_HOME is respected).
  static std::filesystem::path default_folder(const std::filesystem::path& root = {});

  explicit FeatureStore(std::filesystem::path folder);
  const std::filesystem::path& folder() const { return folder_; }

  /// The table of `audio`: from the store, or computed and stored. Rows of a range are read without
  /// touching the others: `table.row(t)`. When the store cannot be written the table is returned
  /// all the same, with a warning. Throws DataError as reading and extracting do.
  FeatureTable get(const std::string& audio, const FeatureExtractor& extractor,
                   const FeatureSpec& spec, const Context& context) const;
  /// Only from the store; nothing when it is not there or cannot be used (which is logged).
  std::optional<FeatureTable> find(const std::string& audio, const FeatureSpec& spec) const;
  /// Stores a table under `spec`. Throws DataError when the folder cannot be written.
  void put(const std::string& audio, const FeatureSpec& spec, const FeatureTable& table) const;

  /// sha256_pcm of a file; remembered by path, size, time of change and inode.
  std::string audio_hash(const std::string& audio) const;
  /// Where the table of `audio` and `spec` lies or would lie.
  std::filesystem::path path_of(const std::string& audio_hash, const FeatureSpec& spec) const;

 private:
  std::optional<FeatureTable> open(const std::filesystem::path& file, const std::string& audio_hash,
                                   const FeatureSpec& spec) const;
  void write(const std::filesystem::path& file, const std::string& audio_hash,
             const FeatureSpec& spec, const FeatureTable& table) const;

  std::filesystem::path folder_;
};

/// Throws DataError (E542) naming recording, block, row and the extractor's library when a value is
/// not finite: NaN that reaches the store would be found in a loss, weeks later.
void require_finite(const FeatureTable& table, const FeatureExtractor& extractor,
                    const std::string& audio);

/// What a table is stored under: the component's name, the extractor's algorithm version, and of
/// `params` (resolved, or partial with the schema's defaults filled in) those that affect results.
FeatureSpec spec_of(const ComponentInfo& info, const FeatureExtractor& extractor,
                    const Table& params);

}  // namespace retake::data

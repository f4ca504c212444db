#pragma once
// Pairs of raw recordings and their edits, and the one split that every paradigm shares.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "retake/error.hpp"
#include "retake/value.hpp"

namespace retake {

/// What a stretch of a raw recording is, where the truth knows it (synthetic pairs).
struct MaterialSpan {
  std::int64_t begin = 0;  ///< raw samples, half open
  std::int64_t end = 0;
  std::string kind;  ///< one of material_kinds()
};

/// The kinds of material in their fixed order, `kept` first: kept, talk, silence, tuning, count_in,
/// noodling, false_start, wobble, layer, drop_out, repeat, play_on. (`wobble`, `layer` and
/// `drop_out` are the three bad takes.) A kind's index is its class in auxiliary losses.
const std::vector<std::string>& material_kinds();

/// One pair. Paths are absolute; empty when there is no such file.
struct Pair {
  std::string id;
  std::string group;  ///< pairs of one song or session never cross a split
  std::string split;  ///< "train", "val", "test"
  std::filesystem::path raw;
  std::filesystem::path edit;
  std::filesystem::path truth;      ///< exact EDL: truth/{id}.edl.json
  std::filesystem::path alignment;  ///< found EDL: pointer_sequences/{id}.edl.json
  std::filesystem::path stems;      ///< stems/{id}_stems.npz or the folder stems/{id}
  std::filesystem::path meta;       ///< truth/{id}.meta.json: what a generator knows of the pair
  double raw_seconds = 0.0;
  double edit_seconds = 0.0;
  std::vector<MaterialSpan> material;  ///< truth/{id}.material.json; covers the raw without gaps
};

/// A folder of pairs in the guide's layout (input/{id}_raw.*, desired_output/{id}_edit.*).
struct PairSet {
  std::filesystem::path root;
  std::vector<Pair> pairs;  ///< sorted by id

  std::vector<Pair> in_split(const std::string& split) const;
};

/// How pairs are divided. Groups are drawn in the order of a hash of (seed, group), so that the
/// split depends on names alone.
struct SplitRule {
  double test = 0.2;  ///< share of the pairs, [0, 1)
  double val = 0.1;   ///< share of the pairs, [0, 1); test + val < 1
  std::string by =
      "group";  ///< group: as the generator says, else what the id tells (see
                ///< group_of_id); id: each pair alone; prefix:X: the id up to the first X
  std::uint64_t seed = 0;
};

/// Length of an audio file by its header (an estimate for lossy files), seconds. Throws DataError
/// when the file is missing, empty, truncated or no audio.
double audio_seconds(const std::filesystem::path& file);

/// Parses "test=0.2,val=0.1,by=group,seed=3". Throws UsageError naming the part that is wrong.
SplitRule parse_split_rule(const std::string& text);

/// The song or session that an id seems to belong to: the id less marks of a further version of the
/// same thing ("15B" -> "15", "jamV2", "jam take 3", "jam_synth_2", "jam (2)", "jam_mix" -> "jam").
std::string group_of_id(const std::string& id);

/// What looking at a folder gave: the sound pairs, and everything wrong, all at once.
struct PairScan {
  PairSet set;
  std::vector<Diagnostic> problems;  ///< errors and warnings
  bool has_stored_split = false;     ///< whether splits.toml was there
  SplitRule rule;                    ///< the stored rule, else the one given
};

/// Looks at `root`: pairs, durations, groups, material, stored split. Pairs that the stored split
/// does not name yet (all of them without one) are placed by the rule, without writing anything.
/// `use_stored` false: as if nothing had been stored, neither in splits.toml nor by the generator.
/// Throws DataError only when `root` is no folder with input/ in it.
PairScan scan_pairs(const std::filesystem::path& root, const SplitRule& rule = {},
                    bool use_stored = true);

/// As scan_pairs, but any error among the problems is thrown (DataError with all of them) and
/// warnings are logged.
PairSet read_pair_set(const std::filesystem::path& root, const SplitRule& rule = {});

/// Sets Pair::split. A group whose split is known (`keep_stored` and every pair of it that has a
/// split has the same) keeps it; the others are drawn so that the shares come as near to the rule
/// as whole groups permit. Throws DataError when one group stands in two splits.
void assign_splits(std::vector<Pair>& pairs, const SplitRule& rule, bool keep_stored);

/// Writes root/splits.toml: the rule, and split and group of every pair. Atomic.
void write_splits(const PairSet& set, const SplitRule& rule);

}  // namespace retake

#pragma once
// The split of a pair set, stored as data: ROOT/splits.toml.

#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "retake/data/pair_set.hpp"

namespace retake {

/// What splits.toml says.
struct StoredSplits {
  SplitRule rule;
  std::map<std::string, std::string> split;  ///< by id
  std::map<std::string, std::string> group;  ///< by id
};

/// None when the file is not there. Throws DataError with place and remedy when it is no splits
/// file.
std::optional<StoredSplits> read_splits(const std::filesystem::path& file);

/// The group of `id` by the rule, where no generator and no stored split says it.
std::string group_by_rule(const std::string& id, const SplitRule& rule);

}  // namespace retake

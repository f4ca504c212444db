#pragma once
// One TOML text as a value tree with the origin of everything in it.

#include <map>
#include <string>
#include <vector>

#include "config/origin.hpp"
#include "retake/value.hpp"

namespace retake::config {

/// A tree and where each part of it came from. Origins live beside the tree, since copies of
/// parsed nodes lose their positions.
struct Document {
  Table tree;
  OriginMap origins;
  std::vector<Dropped> dropped;                ///< in the order in which they were taken away
  std::map<std::string, std::string> renamed;  ///< old path -> present one, of old names in use
  /// `path += [...]` on a path that nothing has written yet: appended to its schema's default.
  std::map<std::string, Array> append_to_default;
};

/// Limits that keep hostile files from exhausting memory or stack.
inline constexpr std::size_t kMaxFileBytes = 4U << 20U;
inline constexpr int kMaxDepth = 32;
inline constexpr std::size_t kMaxKeys = 4096;  ///< of one table: its lookup is linear

/// Parses TOML 1.0 in UTF-8. Keys keep the order they were written in. Throws ConfigError E101
/// (with place and caret) for anything that is not TOML, too large, too deep, or holds dates.
Document parse_document(const std::string& text, const std::string& name);

/// Parses one TOML value ("3e-4", "[1, 2]", "true"). False when it is not exactly one.
bool parse_value(const std::string& text, Value& out);

}  // namespace retake::config

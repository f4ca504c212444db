#pragma once
// Paths into an experiment: `model.d_model`, `dataset.roots[0]`, `watch."val/edit_f1".max`.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "retake/value.hpp"

namespace retake::config {

/// One step: a key, or an index into an array when `index` is set.
struct PathPart {
  std::string key;
  std::optional<std::size_t> index;
};
using Path = std::vector<PathPart>;

/// Parses `key { "." key | "[" int "]" }`, keys bare (A-Z a-z 0-9 _ - /) or quoted. Throws
/// std::invalid_argument saying what is wrong.
Path parse_path(std::string_view text);
std::string to_string(const Path& path);

/// A key as written in a path or a TOML file: quoted where it is not bare.
std::string quoted_key(std::string_view key);
/// A basic TOML string with quotes; control characters are escaped.
std::string quoted_string(std::string_view text);
std::string child_path(std::string_view parent, std::string_view key);
std::string item_path(std::string_view parent, std::size_t index);

/// Null when any part is missing.
Value* find_value(Table& root, const Path& path);
const Value* find_value(const Table& root, const Path& path);

/// Removes what the path names; false when it is not there.
bool erase_value(Table& root, const Path& path);

/// Whether this is well-formed UTF-8 (no surrogates, no overlong forms).
bool is_utf8(std::string_view text);

}  // namespace retake::config

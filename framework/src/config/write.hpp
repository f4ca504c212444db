#pragma once
// Writing values as TOML: doubles in shortest round-trip form, a comment beside each key.

#include <functional>
#include <string>

#include "retake/value.hpp"

namespace retake::config {

/// Text after `#` for the key at `path` (canonical); empty for none.
using CommentOf = std::function<std::string(const std::string& path)>;

/// A whole TOML document: plain keys of a table first, then its tables under [a.b] headers. Tables
/// inside arrays are written inline. The value holds no nulls.
std::string write_toml(const Table& root, const CommentOf& comment = {});

/// A value on one line, as it stands after `=`.
std::string inline_toml(const Value& value);

}  // namespace retake::config

#pragma once
// Versions of plugins and what experiments ask of them: `version = ">=1.2, <2"`.

#include <optional>
#include <string>
#include <vector>

namespace retake::config {

/// Numbers of "1.2.0"; text after them ("-rc1") is left out. Nullopt when there are none.
std::optional<std::vector<long>> parse_version(const std::string& text);

/// Whether `version` meets every part of `requirement` (parts: >=, >, <=, <, =, or a bare version
/// that must agree as far as it goes). Nullopt when the requirement cannot be read.
std::optional<bool> satisfies(const std::string& version, const std::string& requirement);

}  // namespace retake::config

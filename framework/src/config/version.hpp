#pragma once
// Versions of plugins and what experiments ask of them: `version = ">=1.2, <2"`.

#include <optional>
#include <string>
#include <vector>

#include "retake/component.hpp"
#include "retake/error.hpp"

namespace retake::config {

/// Numbers of "1.2.0"; text after them ("-rc1") is left out. Nullopt when there are none.
std::optional<std::vector<long>> parse_version(const std::string& text);

/// Whether `version` meets every part of `requirement` (parts: >=, >, <=, <, =, or a bare version
/// that must agree as far as it goes). Nullopt when the requirement cannot be read.
std::optional<bool> satisfies(const std::string& version, const std::string& requirement);

/// E113 when the component is not of the `wanted` version, or that cannot be read. `path`: of the
/// key that asks for it.
std::optional<Diagnostic> version_fault(const ComponentInfo& component, const std::string& wanted,
                                        const std::string& path);

}  // namespace retake::config

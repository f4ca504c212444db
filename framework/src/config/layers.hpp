#pragma once
// From files and overrides to one document: bases, the file, --set-file, the command line.

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "config/document.hpp"
#include "config/experiment.hpp"
#include "config/findings.hpp"
#include "config/merge.hpp"

namespace retake::config {

/// Layer of everything on the command line; files count from 1, in the order they are laid.
inline constexpr int kCommandLineLayer = 1 << 20;

struct Layers {
  Document document;
  std::vector<std::pair<std::string, std::string>> files;  ///< shown name -> text
};

/// Reads a file with all it extends, then lays the set files and overrides on it. Syntax errors,
/// missing bases and circles throw at once; other findings are collected.
Layers load_layers(const std::filesystem::path& file, const LoadOptions& options,
                   Findings& findings);

/// As above for a text that must stand alone.
Layers load_text(const std::string& text, const std::string& name, const LoadOptions& options,
                 Findings& findings);

/// Lays overrides on a document, those of a `plugin` first so that order does not matter. `rules`:
/// what is kept when a plugin changes, beside what merge.keep=[...] among the overrides names.
void apply_overrides(Document& document, const std::vector<OverrideText>& overrides,
                     Findings& findings, MergeRules rules = {});

/// The values of "a,b" when an override's bare text may have been meant as several; else empty.
std::vector<std::string> comma_values(const Origin& origin);

}  // namespace retake::config

#pragma once
// Laying one document over another: deep merge, the [merge] table, changed plugins.

#include <optional>
#include <string>
#include <vector>

#include "config/document.hpp"
#include "config/findings.hpp"

namespace retake::config {

/// The [merge] table of one file.
struct MergeRules {
  struct Entry {
    std::string path;  ///< canonical
    Place place;
  };
  std::vector<Entry> append;
  std::vector<Entry> erase;
  std::vector<Entry> keep;
};

/// Takes `merge` out of the document. Malformed ones are findings (E133).
MergeRules take_merge_rules(Document& document, Findings& findings);

/// What the rules of `over` name must be there: E133.
void check_merge_rules(const Document& base, const Document& over, const MergeRules& rules,
                       Findings& findings);

/// Lays `over` on `base`. Tables merge, everything else replaces; a changed `plugin` drops the
/// inherited parameters but for those kept, and notes them (W12).
void merge_over(Document& base, const Document& over, const MergeRules& rules, Findings& findings);

/// A path of the document that a misspelt one may have meant: as many keys, each of them near.
std::optional<std::string> near_path(const Document& document, const std::string& path);

}  // namespace retake::config

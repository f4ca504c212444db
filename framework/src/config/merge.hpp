#pragma once
// Laying one document over another: deep merge, the [merge] table, changed plugins.

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

/// Lays `over` on `base`. Tables merge, everything else replaces; a changed `plugin` drops the
/// inherited parameters and notes them (W12).
void merge_over(Document& base, const Document& over, const MergeRules& rules, Findings& findings);

/// Paths that the document has, for did-you-mean.
std::vector<std::string> known_paths(const Document& document);

}  // namespace retake::config

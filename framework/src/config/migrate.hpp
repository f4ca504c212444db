#pragma once
// Old names of parameters: read as what they are called now, with a note.

#include <string>
#include <vector>

#include "config/catalog.hpp"
#include "config/document.hpp"
#include "config/findings.hpp"

namespace retake::config {

/// One parameter that was written under its old name.
struct Renaming {
  std::string from;  ///< canonical paths
  std::string to;
  std::vector<Origin> writings;  ///< of the old name, oldest first
};

/// Moves every value of an old name (Schema::renamed, deprecated with a new name) to the present
/// one, in component tables whose plugin is known and in the host's, and notes it (W14, W13). Where
/// both names are written the later layer wins (base, file, set file, command line); both in one
/// layer are E115. Calling it again changes nothing.
std::vector<Renaming> rename_old(Document& document, const Catalog& catalog, Findings& findings);

}  // namespace retake::config

#pragma once
// EDLs of pairs: truths and alignments, held against the pair they lie beside.

#include <filesystem>

#include "retake/audio/source.hpp"
#include "retake/edit/edl.hpp"

namespace retake::data {

/// Throws DataError (E540) naming `file` when its EDL cannot be how `edit` was made of `raw`: not
/// one source, another rate or length of it, or an edit that lasts more than half a second longer
/// or shorter. A length (`samples`) below 0 is not known and not looked at.
void check_pair_edl(const Edl& edl, const std::filesystem::path& file, const AudioInfo& raw,
                    const AudioInfo& edit);

/// Throws DataError (E540) when the EDL's source, a path relative to `file`, is not `raw`.
void check_pair_source(const Edl& edl, const std::filesystem::path& file,
                       const std::filesystem::path& raw);

}  // namespace retake::data

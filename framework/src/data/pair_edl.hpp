#pragma once
// EDLs of pairs: truths and alignments, held against the pair they lie beside.

#include <filesystem>
#include <optional>

#include "retake/audio/source.hpp"
#include "retake/edit/edl.hpp"
#include "retake/error.hpp"

namespace retake::data {

/// Throws DataError (E540) naming `file` when its EDL cannot be how `edit` was made of `raw`: not
/// one source, another rate or length of it, or an edit that lasts more than half a second longer
/// or shorter. A length (`samples`) below 0 is not known and not looked at.
void check_pair_edl(const Edl& edl, const std::filesystem::path& file, const AudioInfo& raw,
                    const AudioInfo& edit);

/// Throws DataError (E540) when the EDL's source, a path relative to `file`, is another recording
/// than `raw`. A source that is not there tells nothing, since a pair set may have been moved: W504
/// is returned, and the EDL may be taken for one of `raw`.
std::optional<Diagnostic> check_pair_source(const Edl& edl, const std::filesystem::path& file,
                                            const std::filesystem::path& raw);

}  // namespace retake::data

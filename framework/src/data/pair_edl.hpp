#pragma once
// EDLs of pairs: truths and alignments, held against the pair they lie beside.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "retake/audio/source.hpp"
#include "retake/data/pair_set.hpp"
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

/// What is wrong with the alignment of a pair as its files tell it: unreadable, of another
/// recording or edit by length (E540), or found unrelated (W506). Empty without an alignment.
std::vector<Diagnostic> alignment_problems(const Pair& pair);

/// Throws DataError (E540) when the alignment's info names other contents of raw or edit than they
/// have now. An alignment that names none, as one from elsewhere, passes. `hash_of`: of a file.
void require_same_content(const Pair& pair,
                          const std::function<std::string(const std::filesystem::path&)>& hash_of);
/// The warning (W506) about a pair whose edit the aligner found to come from elsewhere.
std::optional<Diagnostic> unrelated(const Pair& pair);

}  // namespace retake::data

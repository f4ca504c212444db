#pragma once
// What the commands over EDLs share.

#include <filesystem>
#include <string>

#include "retake/edit/edl.hpp"

namespace retake::cli {

/// "song" of "folder/song.edl.json" (or of any other name, less its last extension).
std::string edl_stem(const std::filesystem::path& file);

/// Fills in what the EDL's sources don't state (rate, channels, length) from the recordings, which
/// are looked for beside `file`; `source` replaces the path of the only one. Recordings are opened
/// only when something is missing. Throws DataError.
void complete_sources(Edl& edl, const std::filesystem::path& file, const std::string& source);

/// Whether the EDLs `a` and `b`, read from these files, copy from the same recordings in the same
/// order: of the same samples where both know their hash, else the same file, wherever the EDLs
/// lie; and of one rate, channel count and length as far as both state them.
bool have_same_sources(const Edl& a, const std::filesystem::path& a_file, const Edl& b,
                       const std::filesystem::path& b_file);

/// "1:02:03.456" or "2:03.456".
std::string clock_text(double seconds);

}  // namespace retake::cli

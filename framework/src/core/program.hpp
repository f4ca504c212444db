#pragma once
// Where this program lies, and what lies beside it.

#include <filesystem>
#include <string_view>

namespace retake {

/// The running executable, symbolic links resolved. Throws std::filesystem::filesystem_error where
/// the system does not tell.
std::filesystem::path executable_path();

/// The build or installation that the executable belongs to: the folder whose bin/ holds it.
std::filesystem::path program_root();

/// A folder that comes with the program: `share/retake/NAME` of its root, for example "templates".
/// Throws Error E022 (exit 7) when it is not there, as beside an executable copied out of its
/// installation.
std::filesystem::path resource_folder(std::string_view name);

}  // namespace retake

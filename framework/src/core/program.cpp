#include "core/program.hpp"

#include <string>

#include "retake/error.hpp"

namespace retake {

namespace fs = std::filesystem;

fs::path executable_path() {
  return fs::read_symlink("/proc/self/exe");
}

fs::path program_root() {
  return executable_path().parent_path().parent_path();
}

fs::path resource_folder(std::string_view name) {
  const fs::path folder = program_root() / "share" / "retake" / name;
  std::error_code failed;
  if (!fs::is_directory(folder, failed)) {
    Diagnostic d = file_diagnostic("E022", folder.string(),
                                   "the " + std::string(name) + " of this program are not there",
                                   "use the retake of a build folder or of an installation "
                                   "(cmake --install BUILD --prefix PREFIX)");
    throw Error(ExitCode::environment, std::move(d));
  }
  return folder;
}

}  // namespace retake

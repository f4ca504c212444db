#include "core/temp_folder.hpp"

#include <stdlib.h>

#include <cerrno>
#include <cstring>

#include "retake/error.hpp"

namespace retake {

TempFolder::TempFolder() {
  std::error_code error;
  const std::filesystem::path base = std::filesystem::temp_directory_path(error);
  std::string name = (base / "retake-XXXXXX").string();
  if (error || ::mkdtemp(name.data()) == nullptr) {
    throw DataError(file_diagnostic(
        "E401", base.string(),
        std::string("no temporary folder can be made here: ") + std::strerror(errno),
        "set TMPDIR to a folder that can be written"));
  }
  path_ = name;
}

TempFolder::~TempFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace retake

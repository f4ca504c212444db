#pragma once

#include <filesystem>

namespace retake {

/// A folder of its own below the system's temporary folder ($TMPDIR), removed with all it holds.
class TempFolder {
 public:
  /// Throws DataError when it cannot be made.
  TempFolder();
  ~TempFolder();
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace retake

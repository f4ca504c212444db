#pragma once
// A temporary installation, and programs run beside it.

#include <filesystem>
#include <string>
#include <vector>

namespace sdk {

struct End {
  int code = -1;       ///< exit code; 128 + signal when one ended it
  std::string output;  ///< stdout and stderr together
};

/// Runs words through a shell in a folder, quoted; `environment` is put before them as it is.
End run(const std::vector<std::string>& words, const std::filesystem::path& folder,
        const std::string& environment = {});

/// A scratch folder, removed at the end, with `cmake --install` of this build in prefix/. The
/// feature store of everything run here is in it too.
class Installation {
 public:
  Installation();
  ~Installation();
  Installation(const Installation&) = delete;
  Installation& operator=(const Installation&) = delete;

  const std::filesystem::path& scratch() const { return scratch_; }
  std::filesystem::path prefix() const { return scratch_ / "prefix"; }
  /// The installed host, run in the scratch folder.
  End retake(const std::vector<std::string>& words) const;

 private:
  std::filesystem::path scratch_;
};

/// Files below a folder, relative to it, sorted.
std::vector<std::string> files_below(const std::filesystem::path& folder);

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace sdk

#pragma once
// Runs the executable and keeps what it says.

#include <filesystem>
#include <string>
#include <vector>

namespace cli_test {

struct Outcome {
  int code = -1;  ///< exit code; 128 + signal when one ended it
  std::string out;
  std::string err;
  std::string last_error_line() const;
};

/// Arguments are passed as they are, without a shell; the working folder is `folder`.
Outcome retake(const std::vector<std::string>& arguments, const std::filesystem::path& folder = ".",
               const std::vector<std::string>& environment = {});

/// A fresh folder, removed at the end.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  void write(const std::string& name, const std::string& text) const;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

}  // namespace cli_test

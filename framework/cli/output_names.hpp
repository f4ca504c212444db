#pragma once
// What a command over several files will write, looked at before anything is written.

#include <filesystem>
#include <map>
#include <string>

namespace retake::cli {

/// Thrown errors are UsageError (E005): nothing has been written yet.
class OutputNames {
 public:
  /// `input` will be made into `output`, to which an extension is added when it has none yet
  /// (`any_extension`). Throws when that of another input has the name.
  void add(const std::string& input, const std::filesystem::path& output, bool any_extension);
  /// Throws when an output would be written over this file.
  void keep(const std::filesystem::path& file) const;

 private:
  std::map<std::filesystem::path, std::string> whole_;  ///< input by output
  std::map<std::filesystem::path, std::string> stems_;  ///< ... by output without its extension
};

}  // namespace retake::cli

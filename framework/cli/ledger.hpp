#pragma once
// What an unfinished command over many files has done already, so that it can go on.

#include <filesystem>
#include <set>
#include <string>
#include <vector>

namespace retake::cli {

/// A small file in the output folder, there while a command over several files is unfinished. A
/// finished command works anew. A command over a single file keeps none.
class Ledger {
 public:
  /// Reads what the same command, told by `name`, `call` (what is done, and how) and `files`, did
  /// before it was stopped, and says so. A record that cannot be read is not used, with a warning.
  Ledger(const std::filesystem::path& folder, const std::string& name, const std::string& call,
         const std::vector<std::filesystem::path>& files);

  /// Whether this file was done, and has not changed since.
  bool has(const std::filesystem::path& file) const;
  /// Throws DataError when the record cannot be written.
  void add(const std::filesystem::path& file);
  /// All is done: takes the record away.
  void finish() const;

 private:
  std::filesystem::path record_;  ///< empty: none is kept
  std::set<std::string> done_;
};

}  // namespace retake::cli

#pragma once
// What an unfinished command over many files has done already, so that it can go on.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "retake/value.hpp"

namespace retake::cli {

/// A small file in the output folder, there while a command over several files is unfinished. A
/// finished command works anew. A command over a single file keeps none.
class Ledger {
 public:
  /// Reads what the same command, told by `name`, `call` (what is done, and how) and `files`, did
  /// before it was stopped, and says so. A record that cannot be read is not used, with a warning.
  Ledger(const std::filesystem::path& folder, const std::string& name, const std::string& call,
         const std::vector<std::filesystem::path>& files);

  /// What the command told of this file, when it was done and neither the file nor what was made of
  /// it has changed since; else null.
  const Array* find(const std::filesystem::path& file) const;
  /// `made`: the files that were written; `results`: what is told of them. Throws DataError when
  /// the record cannot be written.
  void add(const std::filesystem::path& file, const std::vector<std::filesystem::path>& made,
           const Array& results);
  /// All is done: takes the record away.
  void finish() const;

 private:
  struct Done {
    std::vector<std::string> made;  ///< as they were written
    Array results;
  };

  std::filesystem::path record_;      ///< empty: none is kept
  std::map<std::string, Done> done_;  ///< by the file, as it was
};

}  // namespace retake::cli

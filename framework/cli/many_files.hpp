#pragma once
// What commands share that work through many files: --threads, --only, a failure of one that does
// not cost the others, and the end by a signal.

#include <functional>
#include <string>
#include <vector>

#include "command.hpp"

namespace retake::cli {

/// --threads.
void threads_option(po::options_description& options,
                    const std::string& help = "threads; 0: all cores");
/// Of that option; 0 is all cores. UsageError for a negative number.
int threads_of(const Arguments& arguments);

/// --only: all words behind it up to the next option are ids, so files are named before it.
void only_option(po::options_description& options, const std::string& help);
/// The ids that --only names, in the order typed; none when it was not given. One word is an id,
/// or several with commas between them: ids that hold a comma themselves are in `known`. Throws
/// UsageError for an id that is not in `known`; `remedy` says where the ids are listed.
std::vector<std::string> only_of(const Arguments& arguments, const std::vector<std::string>& known,
                                 const std::string& remedy);

/// Work on many files, one after the other.
class Batch {
 public:
  /// Does the work for one file, unless a signal came. What is wrong with this file's data is kept
  /// for `finish`; other errors pass through. False when a signal ended it: what is left is not to
  /// be done.
  bool attempt(const std::function<void()>& work);
  /// Something wrong that was found outside `attempt`.
  void add(const Diagnostic& problem) { problems_.push_back(problem); }
  /// Throws what went wrong, all of it, after the caller has said what was done: DataError, or
  /// `stopped` with `remedy` when a signal left work undone.
  void finish(const std::string& remedy) const;

 private:
  std::vector<Diagnostic> problems_;
  std::size_t done_ = 0;
  bool stopped_ = false;
};

}  // namespace retake::cli

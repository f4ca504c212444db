#pragma once
// Every diagnostic that Retake and its plugins give, documented in one table. An id has one meaning
// wherever it is used; tests/structure compares the table with the sources.
//
//   E0xx  the program and its command line     E1xx  experiments and how components fit together
//   E2xx  plugins                              E3xx  sweeps
//   E4xx  files, audio, EDLs, arrays           E5xx  pair sets and made data
//   E6xx  runs and checkpoints                 E9xx  training
//   Wxx   warnings; W with three digits stand beside the errors of the same number

#include <span>
#include <string_view>

namespace retake::config {

struct ErrorDoc {
  std::string_view id;
  std::string_view title;   ///< what is wrong, and its usual cause
  std::string_view remedy;  ///< what to do, in general
  bool shared = false;      ///< used by more than one room or plugin, with this same meaning
};

/// Sorted by id.
std::span<const ErrorDoc> error_docs();
/// Null when the id is none of this table's. Case matters.
const ErrorDoc* find_error_doc(std::string_view id);

}  // namespace retake::config

#pragma once
// Every diagnostic of the config room and the command line, documented in one table.

#include <span>
#include <string_view>

namespace retake::config {

struct ErrorDoc {
  std::string_view id;
  std::string_view title;   ///< what is wrong, in general
  std::string_view remedy;  ///< what to do, in general
};

/// Sorted by id.
std::span<const ErrorDoc> error_docs();
/// Null when the id is none of this table's.
const ErrorDoc* find_error_doc(std::string_view id);

}  // namespace retake::config

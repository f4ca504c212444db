#pragma once
// Collects everything a pass finds, so that a user mends all of it at once.

#include <string>
#include <vector>

#include "retake/error.hpp"

namespace retake::config {

/// How sure a finding is to be the user's mistake and not the consequence of another.
enum class Certainty {
  structure,  ///< files, inheritance, overrides, interpolation
  value,      ///< names, types, ranges, choices, missing plugins
  rule,       ///< parameters that do not go together
  wiring,     ///< what components need of each other
};

class Findings {
 public:
  void add(Certainty certainty, Diagnostic diagnostic);
  /// A file that cannot be had, whatever it would have given. What may only follow from that (keys,
  /// tables and merge rules that lead nowhere, parts that do not fit) is not told then.
  void add_lost_file(const std::vector<Diagnostic>& why);
  /// A warning or note: shown, never an error.
  void note(Diagnostic diagnostic);

  bool any() const { return !items_.empty(); }
  std::size_t count() const { return items_.size(); }
  const std::vector<Diagnostic>& notes() const { return notes_; }
  std::vector<Diagnostic> take_notes() { return std::move(notes_); }

  /// Throws when anything was added: most certain first, then by file (`first_file` before the
  /// others) and line, at most 20. Missing plugins alone are a PluginError, else a ConfigError.
  void raise(const std::string& first_file) const;

 private:
  struct Item {
    Certainty certainty;
    Diagnostic diagnostic;
  };
  std::vector<Item> items_;
  std::vector<Diagnostic> notes_;
  bool lost_file_ = false;
};

}  // namespace retake::config

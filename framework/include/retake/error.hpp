#pragma once
// Errors and diagnostics. Every error a user sees says what is wrong, where, and what to do about
// it.

#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace retake {

/// Exit codes of the `retake` executable. They are a contract with scripts and schedulers.
enum class ExitCode : int {
  ok = 0,
  unexpected = 1,
  usage = 2,
  config = 3,
  plugin = 4,
  data = 5,
  differs = 6,
  environment = 7,
  trials_failed = 8,
  diverged = 9,
  preempted = 75,
  time_limit = 124,
  interrupted = 130,
};

/// A position in a text that the user wrote: a file, or one command-line argument (`argv[3]`).
struct Place {
  std::string file;
  int line = 0;             ///< 1-based; 0 when the file as a whole is meant
  int column = 0;           ///< 1-based, in characters of UTF-8, not bytes; 0 when unknown
  int length = 0;           ///< characters under the caret; 0 draws a single caret
  std::string source_line;  ///< the text of that line, empty when not at hand
  std::string via;          ///< e.g. "inherited by experiments/small.toml:2", shown in brackets
};

enum class Severity { error, warning, note };

/// One finding. `id` is stable and documented (`retake explain-error E104`).
struct Diagnostic {
  Severity severity = Severity::error;
  std::string id;                    ///< "E104", "W12"
  std::string message;               ///< one sentence, no full stop needed
  std::optional<Place> place;        ///< where the user wrote it
  std::string caret;                 ///< text beside the caret: "did you mean `x`?"
  std::vector<std::string> facts{};  ///< further lines: what was found, where was looked
  std::string help{};                ///< one command or edit that mends it
};

/// Base of every exception that Retake throws on purpose. Carries all diagnostics of a pass.
/// Caught once, in `main`. Thread-safe to copy and rethrow.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, std::vector<Diagnostic> diagnostics);
  Error(ExitCode code, Diagnostic diagnostic);
  ~Error() override;

  ExitCode code() const noexcept { return code_; }
  const std::vector<Diagnostic>& diagnostics() const noexcept { return diagnostics_; }

 private:
  ExitCode code_;
  std::vector<Diagnostic> diagnostics_;
};

/// Wrong command line (exit 2).
class UsageError : public Error {
 public:
  explicit UsageError(Diagnostic diagnostic) : Error(ExitCode::usage, std::move(diagnostic)) {}
  ~UsageError() override;
};

/// Invalid experiment (exit 3).
class ConfigError : public Error {
 public:
  explicit ConfigError(Diagnostic diagnostic) : Error(ExitCode::config, std::move(diagnostic)) {}
  explicit ConfigError(std::vector<Diagnostic> all) : Error(ExitCode::config, std::move(all)) {}
  ~ConfigError() override;
};

/// Plugin not found, not loadable, or built for another ABI (exit 4).
class PluginError : public Error {
 public:
  explicit PluginError(Diagnostic diagnostic) : Error(ExitCode::plugin, std::move(diagnostic)) {}
  explicit PluginError(std::vector<Diagnostic> all) : Error(ExitCode::plugin, std::move(all)) {}
  ~PluginError() override;
};

/// Data missing, unreadable or invalid: audio, EDL, arrays, checkpoints (exit 5).
class DataError : public Error {
 public:
  explicit DataError(Diagnostic diagnostic) : Error(ExitCode::data, std::move(diagnostic)) {}
  explicit DataError(std::vector<Diagnostic> all) : Error(ExitCode::data, std::move(all)) {}
  ~DataError() override;
};

/// Training produced NaN or infinity, or a collapse guard tripped (exit 9).
class DivergedError : public Error {
 public:
  explicit DivergedError(Diagnostic diagnostic)
      : Error(ExitCode::diverged, std::move(diagnostic)) {}
  ~DivergedError() override;
};

/// Shorthand for a diagnostic about a whole file.
Diagnostic file_diagnostic(std::string id, std::string file, std::string message, std::string help);

}  // namespace retake

#pragma once
// Logging. One process-wide sink set; thread-safe.

#include <filesystem>
#include <string>
#include <string_view>

namespace retake {

enum class LogLevel { debug, info, warning, error };

/// Writes one line. Warnings and errors go to stderr, info to stderr unless `--quiet`,
/// everything to the run's log.txt when one is open.
void log(LogLevel level, std::string_view message);
inline void log_info(std::string_view message) {
  log(LogLevel::info, message);
}
inline void log_warning(std::string_view message) {
  log(LogLevel::warning, message);
}
inline void log_debug(std::string_view message) {
  log(LogLevel::debug, message);
}

}  // namespace retake

#pragma once
// Where log lines go beside stderr.

#include <filesystem>
#include <functional>
#include <string_view>

#include "retake/log.hpp"

namespace retake {

struct LogSettings {
  bool quiet = false;    ///< no info lines on stderr
  bool verbose = false;  ///< debug lines on stderr too
  bool json = false;     ///< lines on stderr are {"log": {"level", "message"}}
};
void set_log_settings(LogSettings settings);

/// Appends every line, with time and level, to `path` until the returned object dies. One at a
/// time.
class LogFile {
 public:
  /// Throws DataError when the file cannot be opened.
  explicit LogFile(const std::filesystem::path& path);
  ~LogFile();
  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;
};

/// Called before a line is written to stderr: a progress line clears itself here.
void set_before_log_line(std::function<void()> hook);

}  // namespace retake

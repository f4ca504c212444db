#pragma once
// Foreign code in a process of its own, so that nothing it does can end ours.

#include <chrono>
#include <functional>
#include <string>
#include <string_view>

namespace retake::plugin {

/// How a child process ended.
struct ChildEnd {
  bool in_time = true;     ///< false: it was silent for longer than allowed, and was killed
  int signal = 0;          ///< that ended it, 0 when none did
  int status = 0;          ///< its exit status otherwise
  std::string last_words;  ///< the last error that it printed, else the last line
  double silent_for = 0;   ///< seconds since its last line, or since its start

  bool ok() const { return in_time && signal == 0 && status == 0; }
  /// "crashed with SIGSEGV", "did not end within 60 s", "ended with status 3"
  std::string text() const;
};

using SendLine = std::function<void(std::string_view)>;

/// Runs `body` in a forked child without standard streams; each line that it sends goes to
/// `on_line` in this process. A child that sends nothing for longer than `silence` is killed, and
/// so are those whose parent ends. What `body` throws is printed, status 1. The calling process
/// must have one thread only, and must not have opened LibTorch. Throws Error (E236) when no
/// process can be made.
ChildEnd run_in_child(const std::function<void(const SendLine&)>& body,
                      const std::function<void(const std::string&)>& on_line,
                      std::chrono::duration<double> silence);

}  // namespace retake::plugin

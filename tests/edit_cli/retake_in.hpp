#pragma once
// Running the executable in a folder of its own.

#include <sys/wait.h>

#include <cstdio>
#include <fstream>
#include <string>

#include "catch.hpp"
#include "unit/edit/edl_support.hpp"

namespace retake::testing {

struct Result {
  int code = 0;
  std::string text;
};

/// Runs `retake WORDS` in a folder; stdout and stderr together.
inline Result retake_in(const Scratch& folder, const std::string& words) {
  const std::string program = RETAKE_BINARY_DIR "/bin/retake";
  const std::string command = "cd '" + (folder / "") + "' && '" + program + "' " + words + " 2>&1";
  Result result;
  FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    result.text.append(buffer, n);
  }
  const int status = ::pclose(pipe);
  result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return result;
}

inline void write_text(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
}

inline bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace retake::testing

#include "sdk.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>

#include "core/shell.hpp"

namespace sdk {

namespace fs = std::filesystem;

End run(const std::vector<std::string>& words, const fs::path& folder,
        const std::string& environment) {
  const std::string command = "cd " + retake::shell_quote({folder.string()}) + " && " +
                              environment + " " + retake::shell_quote(words) + " 2>&1";
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  End end;
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    end.output.append(buffer, n);
  }
  const int status = ::pclose(pipe);
  end.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return end;
}

Installation::Installation() {
  static std::atomic<int> counter{0};
  scratch_ = fs::temp_directory_path() /
             ("retake-sdk-" + std::to_string(::getpid()) + "-" + std::to_string(counter++));
  fs::create_directories(scratch_);
  scratch_ = fs::canonical(scratch_);
  ::setenv("RETAKE_STORE", (scratch_ / "store").c_str(), 1);
  ::unsetenv("RETAKE_PLUGIN_PATH");
  const End end =
      run({RETAKE_CMAKE, "--install", RETAKE_BINARY_DIR, "--prefix", prefix().string()}, scratch_);
  if (end.code != 0) throw std::runtime_error("cannot install:\n" + end.output);
}

Installation::~Installation() {
  std::error_code ignored;
  fs::remove_all(scratch_, ignored);
}

End Installation::retake(const std::vector<std::string>& words) const {
  std::vector<std::string> all = {(prefix() / "bin/retake").string()};
  all.insert(all.end(), words.begin(), words.end());
  return run(all, scratch_);
}

std::vector<std::string> files_below(const fs::path& folder) {
  std::vector<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_directory()) out.push_back(fs::relative(entry.path(), folder).string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace sdk

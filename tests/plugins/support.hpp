#pragma once
// What the plugin tests share: folders that go away, child processes, a context.

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "retake/context.hpp"
#include "retake/error.hpp"

namespace test {

namespace fs = std::filesystem;

/// A fresh folder, removed at the end.
class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "retake-plugins-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~Folder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  const fs::path& path() const { return path_; }
  fs::path operator/(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

inline std::string read(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

inline void write(const fs::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

struct Output {
  int code = 0;
  std::string text;
};

/// Runs a shell command; its stdout.
inline Output run(const std::string& command) {
  Output out;
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) throw std::runtime_error("cannot run " + command);
  char buffer[4096];
  for (std::size_t n; (n = std::fread(buffer, 1, sizeof buffer, pipe)) > 0;) {
    out.text.append(buffer, n);
  }
  const int status = ::pclose(pipe);
  out.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return out;
}

/// The first diagnostic that `body` throws; an empty id when it throws none.
template <class F>
retake::Diagnostic diagnostic_of(F&& body) {
  try {
    body();
  } catch (const retake::Error& e) {
    return e.diagnostics().front();
  }
  return {};
}

inline std::string maps() {
  return read("/proc/self/maps");
}

class TestContext final : public retake::Context {
 public:
  std::uint64_t seed(std::string_view, std::uint64_t index) const override { return index; }
  int threads() const override { return 1; }
  std::string device() const override { return "cpu"; }
  fs::path run_dir() const override { return {}; }
  bool stop_requested() const override { return false; }
  void progress(std::string_view, double, double) const override {}
};

}  // namespace test

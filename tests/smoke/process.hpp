#pragma once
// The executable as a child process that can be killed.

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace smoke {

/// How a child ended: exit code, or minus the signal that killed it.
struct End {
  int code = 0;
  std::string output;  ///< stdout and stderr together
};

class Child {
 public:
  /// Starts `retake ARGS...` in `folder`.
  Child(const std::vector<std::string>& arguments, const std::filesystem::path& folder);
  ~Child();
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  void signal(int number) const;
  bool running();
  End wait();

 private:
  int pid_ = -1;
  int pipe_ = -1;
  bool reaped_ = false;
  int status_ = 0;
};

End retake(const std::vector<std::string>& arguments, const std::filesystem::path& folder);

}  // namespace smoke

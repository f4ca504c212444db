#include "process.hpp"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <stdexcept>

namespace smoke {

Child::Child(const std::vector<std::string>& arguments, const std::filesystem::path& folder) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
  const std::string program = std::string(RETAKE_BINARY_DIR) + "/bin/retake";
  std::vector<const char*> argv{program.c_str()};
  for (const std::string& a : arguments) argv.push_back(a.c_str());
  argv.push_back(nullptr);
  pid_ = ::fork();
  if (pid_ < 0) throw std::runtime_error("fork");
  if (pid_ == 0) {
    ::dup2(ends[1], 1);
    ::dup2(ends[1], 2);
    if (::chdir(folder.c_str()) != 0) ::_exit(126);
    ::execv(program.c_str(), const_cast<char* const*>(argv.data()));
    ::_exit(127);
  }
  ::close(ends[1]);
  pipe_ = ends[0];
}

Child::~Child() {
  if (!reaped_) {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, &status_, 0);
  }
  ::close(pipe_);
}

void Child::signal(int number) const {
  ::kill(pid_, number);
}

bool Child::running() {
  if (!reaped_ && ::waitpid(pid_, &status_, WNOHANG) == pid_) reaped_ = true;
  return !reaped_;
}

End Child::wait() {
  End end;
  char block[4096];
  for (ssize_t n = 0; (n = ::read(pipe_, block, sizeof block)) != 0;) {
    if (n > 0) end.output.append(block, static_cast<std::size_t>(n));
  }
  if (!reaped_) ::waitpid(pid_, &status_, 0);
  reaped_ = true;
  end.code = WIFEXITED(status_) ? WEXITSTATUS(status_) : -WTERMSIG(status_);
  return end;
}

End retake(const std::vector<std::string>& arguments, const std::filesystem::path& folder) {
  return Child(arguments, folder).wait();
}

}  // namespace smoke

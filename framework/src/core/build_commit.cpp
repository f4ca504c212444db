#include "core/build_commit.hpp"

// The only file that a new commit compiles again.
#include "core/git_commit.hpp"

namespace retake {

BuildCommit build_commit() {
  return {build_info::git_commit, build_info::git_dirty};
}

}  // namespace retake

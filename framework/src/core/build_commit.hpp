#pragma once
// The commit that this host was built from.

namespace retake {

struct BuildCommit {
  const char* hash = "";  ///< empty when the sources were in no git repository
  bool dirty = false;     ///< tracked files differed from it
};
BuildCommit build_commit();

}  // namespace retake

#pragma once
// code/ of a run: what the working tree held beyond its commit.

#include <filesystem>

#include "retake/value.hpp"
#include "run/run_folder.hpp"

namespace retake::run {

struct CodeLimits {
  std::uintmax_t patch_bytes = std::uintmax_t{50} << 20;
  std::uintmax_t untracked_bytes = std::uintmax_t{20} << 20;  ///< of all files together
};

/// For the git repository that holds `folder`, writes code/base-commit.txt, diff.patch (tracked
/// files against the commit, binary ones included), untracked.tar.zst (files and links that are
/// neither tracked nor ignored, less what lies below the folder that holds the runs; untracked.tar
/// where there is no zstd) and verify.txt ("applies: yes": the patch was tried against the commit
/// in a scratch index). What is left out (over a limit, unreadable, a changed submodule's inside)
/// is named in verify.txt and said in the returned table. The repository itself is not changed.
///
/// Returns "code" of the manifest: remote, commit, pushed, diff_sha256, files_changed, untracked,
/// untracked_sha256 (of the archive; null: there is none), patch_verified (the patch applies, and
/// is all that changed in tracked files). Outside a repository, in one that git refuses or that has
/// no readable commit, or without git: {"absent": why}, and code/ holds verify.txt saying the same.
Table snapshot_code(const RunFolder& run, const std::filesystem::path& folder,
                    const CodeLimits& limits = {});

}  // namespace retake::run

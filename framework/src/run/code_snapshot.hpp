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
/// files against the commit, binary ones included), untracked.tar.zst (files that are neither
/// tracked nor ignored; untracked.tar where there is no zstd) and verify.txt ("applies: yes": the
/// patch was tried against the commit in a scratch index). What is over a limit is left out and
/// said in verify.txt and in the returned table. The repository itself is not changed.
///
/// Returns "code" of the manifest: remote, commit, pushed, diff_sha256, files_changed, untracked,
/// patch_verified. Outside a repository, in one without a commit, or without git: {"absent": why},
/// and code/ holds verify.txt saying the same.
Table snapshot_code(const RunFolder& run, const std::filesystem::path& folder,
                    const CodeLimits& limits = {});

}  // namespace retake::run

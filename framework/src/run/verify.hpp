#pragma once
// Whether a run's folder and data are still what its manifest says. Nothing is run again.

#include <string>
#include <vector>

#include "run/manifest.hpp"

namespace retake::run {

/// One part of a run, compared.
struct VerifyPart {
  std::string name;  ///< outputs, checkpoints, binaries, code, inputs, data
  std::int64_t compared = 0;
  /// What differs, a sentence each: "artifacts/audio/p01.flac: is missing".
  std::vector<std::string> differences;
  std::string absent;  ///< why nothing could be compared; empty: something was
};

/// Compares every part. `rehash` reads data files even where size, times and inode are as when they
/// were hashed last. Writes nothing but the hash cache. Throws DataError when the folder has no
/// readable manifest.
std::vector<VerifyPart> verify_run(const RunFolder& run, const PcmHash& pcm_hash, bool rehash);

}  // namespace retake::run

#pragma once
// Synthetic pairs from real music with exact truth, for tests of aligners.

#include <cstdint>
#include <string>
#include <vector>

#include "retake/audio/buffer.hpp"
#include "retake/edit/edl.hpp"
#include "retake/rng.hpp"

namespace retake::test {

/// Finished tracks installed on this machine (Debian's music packages).
std::vector<std::string> installed_songs();
/// A song, mono, 44.1 kHz.
std::vector<float> load_song(const std::string& path);

/// What a pair is made like.
struct PairRecipe {
  std::string name;
  double raw_minutes = 5.0;
  double edit_minutes = 2.0;
  double shortest_run_s = 0.3;
  double longest_run_s = 60.0;
  double shortest_cut_s = 0.3;  ///< raw skipped (or gone back) between runs
  double longest_cut_s = 120.0;
  double back_share = 0.1;      ///< of jumps that go back (loops, reorders)
  double inserted_share = 0.1;  ///< of runs that are inserted material
  double longest_join_s = 0.05;
  bool passes = false;  ///< the raw holds near-identical passes of the same material
  bool gains = true;    ///< +-6 dB per run
  bool fades = true;
};

struct TestPair {
  std::string name;
  AudioBuffer raw;  ///< 44.1 kHz
  AudioBuffer edit;
  Edl truth;  ///< one source; inserted material is a gap
};

/// Everything derives from `seed`.
TestPair make_pair(const PairRecipe& recipe, std::uint64_t seed,
                   const std::vector<std::string>& songs);

/// Damage done to an edit.
struct Damage {
  double snr_db = 0.0;  ///< white noise; 0: none
  double eq_db = 0.0;   ///< +-; low and high shelf and a peak
  double level_db = 0.0;
  std::string codec;           ///< "", "mp3", "ogg"
  double codec_quality = 0.5;  ///< libsndfile's compression level: 0 best, 1 smallest
  double resample_to = 0.0;    ///< Hz; 0: as it is
  bool any() const {
    return snr_db > 0.0 || eq_db > 0.0 || level_db != 0.0 || !codec.empty() || resample_to > 0.0;
  }
};

AudioBuffer damaged(const AudioBuffer& edit, const Damage& damage, std::uint64_t seed);

/// Figures of one alignment against the truth (frames with a true source, more than 2 frames from
/// a true join; exact repeats count as right).
struct Figures {
  std::int64_t frames = 0;
  double within[4] = {0, 0, 0, 0};  ///< shares within 0, 1, 2, 4 frames
  double repeats = 0.0;             ///< share right only as an exact repeat
  double cut_f1[3] = {0, 0, 0};     ///< at 1 frame, 50 ms, 0.5 s
  std::int64_t cuts = 0;
  double inserted_precision = 1.0;
  double inserted_recall = 1.0;
  double gain_error_db = 0.0;  ///< mean absolute over runs found
};

Figures compare(const TestPair& pair, const Edl& found);

}  // namespace retake::test

#pragma once
// Finished music that sessions are made from: tracks of a folder, or the built-in band.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "params.hpp"
#include "retake/audio/buffer.hpp"
#include "retake/context.hpp"
#include "retake/rng.hpp"

namespace retake::synthetic {

/// A song by name; what is needed to get its sound.
struct Track {
  std::string name;                          ///< becomes the pairs' group and begins their ids
  std::string key;                           ///< SHA-256 of the files, or the band's recipe
  std::vector<std::filesystem::path> files;  ///< mixed; empty: the built-in band plays
};

/// A place where a section can begin.
struct Onset {
  std::int64_t at = 0;    ///< song samples
  double strength = 0.0;  ///< > 0; bars are stronger than beats
};

/// A song in memory.
struct Music {
  AudioBuffer audio;          ///< loudest sample 1
  std::vector<Onset> onsets;  ///< in order
  double beat_s = 0.5;        ///< for count-ins
  double level = 0.1;         ///< RMS of its louder half
};

/// Songs of the folders in name order. A folder with guitar.ogg and song.ogg (Frets on Fire) is one
/// song, its stems mixed; every other audio file is one. Shorter ones than `min_track_s` are left
/// out with a note. Throws DataError for folders that are missing or hold no song.
std::vector<Track> list_tracks(const std::vector<std::string>& folders, double min_track_s);
/// The band's songs, one per pair.
std::vector<Track> band_tracks(std::int64_t count, std::uint64_t seed);

/// Loads a song: at most `seconds` of it (from a random place when it is longer), mixed to
/// `channels` and resampled to `sample_rate` where these are not 0.
Music load_track(const Track& track, double seconds, std::int64_t sample_rate,
                 std::int64_t channels, Rng& rng);
/// Plays a new song of about `seconds` with sections, bars and beats known exactly.
Music play_band(double seconds, std::int64_t sample_rate, std::int64_t channels, Rng& rng);

/// Mean square of each block of about `block_s`, over all channels; the last may be shorter.
std::vector<double> block_power(const AudioBuffer& audio, double block_s);
/// RMS of the louder half of 0.4 s blocks, over all channels.
double music_level(const AudioBuffer& audio);

}  // namespace retake::synthetic

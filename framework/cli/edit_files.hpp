#pragma once
// What an edit leaves on disk: audio, EDL, picture.

#include <filesystem>

#include "report/plot.hpp"
#include "retake/audio/source.hpp"
#include "retake/context.hpp"
#include "retake/kinds/editor.hpp"

namespace retake::cli {

constexpr double kJoinSeconds = 0.03;  ///< crossfade at cuts
constexpr int kPlotColumns = 1400;     ///< of the recording's waveform in the picture

/// The three files of one edit.
struct EditFiles {
  std::filesystem::path audio;  ///< STEM_edited, without its ending
  std::filesystem::path edl;    ///< STEM.edl.json
  std::filesystem::path plot;   ///< STEM_edit.png
  /// Audio is FLAC where that holds the recording's samples; else, and by default, it has the
  /// recording's own lossless format.
  bool prefer_flac = false;
};

/// Of edit number `sample` out of `samples`; several are told apart by their number.
EditFiles edit_files(const std::filesystem::path& recording, const std::filesystem::path& folder,
                     int sample = 0, int samples = 1);

/// Chooses the joins (crossfades of `join_s` seconds where they can be), then writes audio, EDL and
/// picture. What was written, as `retake edit --json` tells it. Throws DataError E429 for an edit
/// that keeps nothing, and for what cannot be read or written.
Value write_edit(EditResult& result, AudioSource& source, const report::Waveform& waveform,
                 const EditFiles& files, double join_s, const Context& context);

}  // namespace retake::cli

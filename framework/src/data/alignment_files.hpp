#pragma once
// pointer_sequences/: what `align` writes of a pair, in the guide's names.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "retake/audio/source.hpp"
#include "retake/edit/alignment.hpp"
#include "retake/value.hpp"

namespace retake {

/// The five files of a pair `id` in `folder`.
struct AlignmentPaths {
  std::filesystem::path edl;       ///< {id}.edl.json
  std::filesystem::path pointers;  ///< {id}_pointers.npy, int64 per edit frame, -1 without source
  std::filesystem::path ops;       ///< {id}_ops.npy, int8 per edit frame
  std::filesystem::path info;      ///< {id}_info.json; written last: it says that all is there
  std::filesystem::path plot;      ///< {id}_alignment.png

  AlignmentPaths(const std::filesystem::path& folder, const std::string& id);
  bool complete() const;
};

/// `{id}` of a raw recording: its file stem without `_raw`.
std::string alignment_id(const std::filesystem::path& raw);

/// What made an alignment. Two that are equal gave equal files, so the work need not be done again.
struct AlignmentOrigin {
  std::string aligner;     ///< component name
  std::string version;     ///< its algorithm_version()
  Table params;            ///< resolved
  std::string raw_sha256;  ///< of the file
  std::string edit_sha256;
};

/// A jump of the edit, for people.
struct EditPoint {
  double edit_time = 0.0;  ///< seconds
  double raw_from = 0.0;
  double raw_to = 0.0;
  std::int64_t jump_frames = 0;
  std::string type;  ///< CUT, JUMP_BACK or SMALL_JUMP
};

/// Steps of more than 50 frames forward or of any length back between neighbouring frames that have
/// a source.
std::vector<EditPoint> edit_points(const std::vector<std::int64_t>& pointers, const TimeGrid& grid);

/// What {id}_info.json says: raw_path, edit_path, raw_frames, edit_frames, aligned_frames,
/// alignment_ratio, mean_correlation, min_correlation (of frames with a source), edit_points,
/// n_cuts, n_loops, and beside them `confidence` (mean over all edit frames, 0 where there is no
/// source), `related` (whether the edit comes from the raw at all) and `origin`.
Table alignment_info(const Alignment& alignment, const std::vector<std::int64_t>& pointers,
                     const AudioInfo& raw, const AudioInfo& edit, const AlignmentOrigin& origin);

/// The pointers of an alignment on the standard grids.
std::vector<std::int64_t> alignment_pointers(const Alignment& alignment, const AudioInfo& raw);

/// Writes EDL, pointers and ops, each atomically; the source's path in the EDL becomes relative to
/// the folder. The caller then writes the plot, and `write_info` ends the work.
void write_alignment(const Alignment& alignment, const std::vector<std::int64_t>& pointers,
                     const AlignmentPaths& paths);
void write_info(const Table& info, const AlignmentPaths& paths);
/// Throws DataError naming the file.
Value read_info(const AlignmentPaths& paths);

/// Whether all five files are there, of this origin, and sound: readable, and as long as they
/// should be.
bool is_current(const AlignmentPaths& paths, const AlignmentOrigin& origin);

}  // namespace retake

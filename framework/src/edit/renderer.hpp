#pragma once
// EDL to sound. There is one renderer: what any paradigm sounds like is this, bit for bit.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>

#include "retake/edit/edl.hpp"

namespace retake::edit {

struct RenderRequest {
  /// Folder that relative source paths are relative to (the EDL file's).
  std::filesystem::path base;
  /// Replaces the path of an EDL with one source when not empty.
  std::filesystem::path source;
  /// Where the audio goes. The extension chooses the container (wav, flac, aiff, w64, caf, rf64);
  /// without one that of the first source is used.
  std::filesystem::path output;
  /// `output` is a name to which the extension of the first source's format is added.
  bool add_extension = false;
  /// With `add_extension`: FLAC where it holds the format of the first source.
  bool prefer_flac = false;
  /// What errors about the EDL name as their file.
  std::string edl_name;
  /// Called now and then with samples done and in total.
  std::function<void(std::int64_t, std::int64_t)> progress;
};

struct RenderReport {
  std::filesystem::path output;
  std::int64_t samples = 0;      ///< per channel
  std::int64_t copied = 0;       ///< of them, copied from the source unchanged
  std::int64_t clipped = 0;      ///< values (samples times channels) beyond full scale, limited
  std::int64_t short_joins = 0;  ///< joins longer than the segments around them, made shorter
  std::string container;
  std::string subtype;
  int sample_rate = 0;
  int channels = 0;
};

/// Streams the edit to `request.output`, which appears whole or not at all. Time is linear in the
/// output, and in the source where a hash of it has to be verified; memory is constant. Rate,
/// channels and subtype are the first source's (32-bit float for lossy ones).
///
/// Outside joins, unity material is copied from the file's own integers or floats. Everything else
/// is computed in double and rounded once; values beyond full scale of integer files are limited
/// and counted.
///
/// A join of n samples lies around the boundary (join_windows). Each side fades over the part of
/// the window for which its recording has material: where a recording begins or ends inside the
/// window, that side's fade is shorter, so that nothing starts or stops with a click.
///
/// Throws DataError (exit 5): E421 an unsound EDL, E422 a source that differs from what the EDL
/// says or from the first source, E423 something this version cannot play (effects, rate, pitch)
/// or nothing to play, E426 an output that would overwrite a source or does not fit on the disk;
/// and whatever reading and writing audio throws.
RenderReport render(const Edl& edl, const RenderRequest& request);

/// The paths of the sources as they will be opened.
std::vector<std::filesystem::path> source_paths(const Edl& edl, const RenderRequest& request);

/// Throws DataError E422, naming the EDL and the first segment that copies from it, when source `i`
/// is named by the EDL and is not there. A source that the request names speaks for itself.
void require_source(const Edl& edl, const RenderRequest& request, std::size_t i);

Value to_value(const RenderReport& report);

}  // namespace retake::edit

#include "edl_files.hpp"

#include <cmath>
#include <cstdio>

#include "edit/renderer.hpp"
#include "retake/audio/source.hpp"
#include "retake/error.hpp"

namespace retake::cli {

std::string edl_stem(const std::filesystem::path& file) {
  std::string stem = file.stem().string();
  if (stem.size() > 4 && stem.ends_with(".edl")) stem.resize(stem.size() - 4);
  return stem;
}

void complete_sources(Edl& edl, const std::filesystem::path& file, const std::string& source) {
  edit::RenderRequest request;
  request.base = file.parent_path();
  request.source = source;
  request.edl_name = file.string();
  const auto paths = edit::source_paths(edl, request);
  for (std::size_t i = 0; i < edl.sources.size(); ++i) {
    EdlSource& s = edl.sources[i];
    if (s.sample_rate > 0.0 && s.channels > 0 && s.samples >= 0) continue;
    const auto audio = open_audio(paths[i].string());
    const AudioInfo& info = audio->info();
    if (s.sample_rate == 0.0) s.sample_rate = info.sample_rate;
    if (s.channels == 0) s.channels = info.channels;
    if (s.samples < 0) s.samples = info.samples;
  }
  std::vector<Diagnostic> errors;
  for (const std::string& problem : problems(edl)) {
    errors.push_back(file_diagnostic("E421", file.string(), problem,
                                     "mend the EDL, or give the recording it was made from"));
  }
  if (!errors.empty()) throw DataError(std::move(errors));
}

std::string clock_text(double seconds) {
  const auto ms = static_cast<long long>(std::floor(seconds * 1000.0 + 0.5));
  char text[40];
  if (ms >= 3600000) {
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld.%03lld", ms / 3600000, ms / 60000 % 60,
                  ms / 1000 % 60, ms % 1000);
  } else {
    std::snprintf(text, sizeof text, "%lld:%02lld.%03lld", ms / 60000, ms / 1000 % 60, ms % 1000);
  }
  return text;
}

}  // namespace retake::cli

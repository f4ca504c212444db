#include "edl_files.hpp"

#include <algorithm>
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
    edit::require_source(edl, request, i);
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

namespace {

bool is_same_source(const EdlSource& a, const std::filesystem::path& a_folder, const EdlSource& b,
                    const std::filesystem::path& b_folder) {
  namespace fs = std::filesystem;
  const auto agree = [](auto x, auto y, bool both_known) { return !both_known || x == y; };
  if (!agree(a.sample_rate, b.sample_rate, a.sample_rate > 0.0 && b.sample_rate > 0.0) ||
      !agree(a.channels, b.channels, a.channels > 0 && b.channels > 0) ||
      !agree(a.samples, b.samples, a.samples >= 0 && b.samples >= 0)) {
    return false;
  }
  if (!a.sha256_pcm.empty() && !b.sha256_pcm.empty()) return a.sha256_pcm == b.sha256_pcm;
  // A recording need not be there to be the same: then its links cannot be followed.
  const auto resolved = [](const fs::path& path) {
    std::error_code error;
    const fs::path real = fs::weakly_canonical(fs::absolute(path), error);
    return error ? fs::absolute(path).lexically_normal() : real;
  };
  return resolved(a_folder / a.path) == resolved(b_folder / b.path);
}

}  // namespace

bool have_same_sources(const Edl& a, const std::filesystem::path& a_file, const Edl& b,
                       const std::filesystem::path& b_file) {
  return std::equal(a.sources.begin(), a.sources.end(), b.sources.begin(), b.sources.end(),
                    [&](const EdlSource& x, const EdlSource& y) {
                      return is_same_source(x, a_file.parent_path(), y, b_file.parent_path());
                    });
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

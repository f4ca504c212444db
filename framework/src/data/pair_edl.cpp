#include "data/pair_edl.hpp"

#include <cmath>
#include <cstdio>

#include "core/files.hpp"
#include "data/alignment_files.hpp"
#include "retake/error.hpp"

namespace retake::data {

namespace fs = std::filesystem;

namespace {

/// Codecs pad their output by up to a few frames of theirs, a tenth of a second.
constexpr double kLengthTolerance = 0.5;

std::string seconds_text(double seconds) {
  char text[40];
  std::snprintf(text, sizeof text, "%.1f s", seconds);
  return text;
}

std::string mismatch(const Edl& edl, const AudioInfo& raw, const AudioInfo& edit) {
  if (edl.sources.size() != 1) {
    return "it has " + std::to_string(edl.sources.size()) + " sources instead of one";
  }
  const EdlSource& s = edl.sources.front();
  if (s.sample_rate != 0.0 && s.sample_rate != raw.sample_rate) {
    return "it was made for a recording at " + format_double(s.sample_rate) + " Hz";
  }
  if (s.samples >= 0 && raw.samples >= 0 && s.samples != raw.samples) {
    return "it was made for a recording of " + std::to_string(s.samples) + " samples, this has " +
           std::to_string(raw.samples);
  }
  if (edit.samples < 0) return {};
  const double said = static_cast<double>(edl.output_samples()) / raw.sample_rate;
  const double lasts = static_cast<double>(edit.samples) / edit.sample_rate;
  if (std::abs(said - lasts) <= kLengthTolerance) return {};
  return "it makes an edit of " + seconds_text(said) + ", the edit lasts " + seconds_text(lasts);
}

void refuse(const fs::path& file, const std::string& recording, const std::string& what) {
  throw DataError(file_diagnostic("E540", file.string(),
                                  file.string() + " does not belong to " + recording + ": " + what,
                                  "align the pair again, or take this file away"));
}

}  // namespace

void check_pair_edl(const Edl& edl, const fs::path& file, const AudioInfo& raw,
                    const AudioInfo& edit) {
  const std::string wrong = mismatch(edl, raw, edit);
  if (!wrong.empty()) refuse(file, raw.path, wrong);
}

std::optional<Diagnostic> check_pair_source(const Edl& edl, const fs::path& file,
                                            const fs::path& raw) {
  if (edl.sources.size() != 1) return std::nullopt;  // said by check_pair_edl
  std::error_code error;
  const fs::path named = plain_path(file.parent_path() / edl.sources.front().path);
  if (fs::equivalent(named, raw, error)) return std::nullopt;
  if (fs::exists(named, error)) refuse(file, raw.string(), "its source is " + named.string());
  Diagnostic d = file_diagnostic(
      "W504", file.string(), "the source of " + file.string() + " is not there: " + named.string(),
      "it is taken for an EDL of " + raw.string() + "; write that into sources");
  d.severity = Severity::warning;
  return d;
}

namespace {

/// What `align` wrote beside the EDL; null where there is nothing readable.
Value alignment_info_of(const Pair& pair) {
  const AlignmentPaths paths(pair.alignment.parent_path(), pair.id);
  std::error_code error;
  if (pair.alignment.empty() || !fs::exists(paths.info, error)) return {};
  try {
    return read_info(paths);
  } catch (const DataError&) {
    return {};
  }
}

}  // namespace

std::optional<Diagnostic> unrelated(const Pair& pair) {
  const Value info = alignment_info_of(pair);
  const Value* related = find_path(info, "related");
  if (related == nullptr || *related != Value(false)) return std::nullopt;
  const Value* confidence = find_path(info, "confidence");
  Diagnostic d = file_diagnostic(
      "W506", pair.alignment.string(),
      "the edit of `" + pair.id +
          "` does not come from its recording, as far as the aligner heard" +
          (confidence != nullptr ? " (confidence " + to_json(*confidence) + ")" : ""),
      "take the pair away, or give it the recording that it was made from");
  d.severity = Severity::warning;
  return d;
}

std::vector<Diagnostic> alignment_problems(const Pair& pair) {
  std::vector<Diagnostic> problems;
  if (pair.alignment.empty() || !pair.truth.empty()) return problems;
  try {
    check_pair_edl(read_edl(pair.alignment.string()), pair.alignment,
                   open_audio(pair.raw.string())->info(), open_audio(pair.edit.string())->info());
  } catch (const DataError& e) {
    problems = e.diagnostics();
  }
  if (auto warning = unrelated(pair)) problems.push_back(std::move(*warning));
  return problems;
}

void require_same_content(const Pair& pair,
                          const std::function<std::string(const fs::path&)>& hash_of) {
  const Value info = alignment_info_of(pair);
  const auto check = [&](const char* key, const fs::path& audio, const char* what) {
    const Value* then = find_path(info, key);
    if (then == nullptr || !then->is_string() || then->as_string() == hash_of(audio)) return;
    refuse(pair.alignment, audio.string(),
           std::string("it was made when the ") + what + " had another content");
  };
  check("origin.raw_sha256", pair.raw, "recording");
  check("origin.edit_sha256", pair.edit, "edit");
}

}  // namespace retake::data

#include "chosen_pairs.hpp"

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "retake/log.hpp"

namespace retake::cli {

namespace fs = std::filesystem;

namespace {

/// Whether a file is named as one of pair `id`: id_raw.wav, id_edit.wav, id.wav, id.edl.json.
bool is_named_after(const fs::path& file, const std::string& id) {
  const std::string name = file.filename().string();
  return name.starts_with(id + "_raw.") || name.starts_with(id + "_edit.") ||
         name.starts_with(id + ".");
}

}  // namespace

std::vector<std::string> ids_of(const PairScan& scan) {
  std::vector<std::string> ids;
  for (const Pair& pair : scan.set.pairs) ids.push_back(pair.id);
  for (const Diagnostic& d : scan.problems) {
    if (d.severity != Severity::error || !d.place) continue;
    fs::path name = fs::path(d.place->file).filename();
    while (name.has_extension()) {  // song_raw.wav; of song.edl.json first song.edl, then song
      name = name.stem();
      std::string id = name.string();
      for (const char* suffix : {"_raw", "_edit"}) {
        if (id.ends_with(suffix)) id.resize(id.size() - std::string_view(suffix).size());
      }
      ids.push_back(std::move(id));
    }
  }
  return ids;
}

ChosenPairs choose_pairs(const PairScan& scan, const std::vector<std::string>& only) {
  const auto wanted = [&](const auto& fits) {
    return only.empty() || std::any_of(only.begin(), only.end(), fits);
  };
  ChosenPairs chosen;
  for (const Pair& pair : scan.set.pairs) {
    if (wanted([&](const std::string& id) { return id == pair.id; })) chosen.pairs.push_back(pair);
  }
  for (const Diagnostic& d : scan.problems) {
    if (!wanted(
            [&](const std::string& id) { return d.place && is_named_after(d.place->file, id); }))
      continue;
    if (d.severity == Severity::error) {
      chosen.problems.push_back(d);
    } else {
      log_warning(d.message + (d.place ? " (" + d.place->file + ")" : ""));
    }
  }
  return chosen;
}

}  // namespace retake::cli

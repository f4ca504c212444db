#include "retake/data/pair_set.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "audio/sound_file.hpp"
#include "core/files.hpp"
#include "data/material.hpp"
#include "data/pair_edl.hpp"
#include "data/splits.hpp"
#include "retake/log.hpp"

namespace retake {

namespace fs = std::filesystem;

namespace {

bool is_audio(const fs::path& file) {
  static const std::set<std::string> extensions = {".wav",  ".wave", ".rf64", ".w64", ".flac",
                                                   ".ogg",  ".oga",  ".opus", ".mp3", ".aif",
                                                   ".aiff", ".aifc", ".caf",  ".au",  ".snd"};
  std::string extension = file.extension().string();
  for (char& c : extension) c = (c >= 'A' && c <= 'Z') ? static_cast<char>(c + 32) : c;
  return extensions.count(extension) != 0;
}

/// Audio files of a folder by stem, in name order; none when there is no such folder.
std::multimap<std::string, fs::path> audio_by_stem(const fs::path& folder) {
  std::vector<fs::path> files;
  std::error_code error;
  if (!fs::exists(folder, error)) return {};
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    if (!name.starts_with(".") && is_audio(it->path()) && !it->is_directory()) {
      files.push_back(it->path());
    }
  }
  if (error) {
    throw DataError(file_diagnostic("E501", folder.string(),
                                    folder.string() + " cannot be read: " + error.message(),
                                    "check the folder's permissions"));
  }
  std::sort(files.begin(), files.end());
  std::multimap<std::string, fs::path> out;
  for (const fs::path& file : files) out.emplace(file.stem().string(), file);
  return out;
}

/// Looks at one folder and collects what is wrong.
class Scanner {
 public:
  explicit Scanner(const fs::path& root) {
    std::error_code error;
    scan_.set.root = plain_path(fs::absolute(root));
    if (!fs::exists(root, error)) {
      const fs::path here = fs::current_path(error);
      throw DataError(file_diagnostic(
          "E501", root.string(), "there is no folder " + root.string(),
          root.is_absolute() ? "check the path"
                             : "check the path, which is sought from the folder where the command "
                               "is run: " +
                                   here.string()));
    }
    if (!fs::is_directory(root / "input", error)) {
      throw DataError(file_diagnostic("E501", root.string(),
                                      root.string() + " is no pair set: it has no folder input/",
                                      "put recordings into input/{id}_raw.wav and their edits into "
                                      "desired_output/{id}_edit.wav"));
    }
    raws_ = audio_by_stem(scan_.set.root / "input");
    edits_ = audio_by_stem(scan_.set.root / "desired_output");
  }

  PairScan run(const SplitRule& rule, bool use_stored) {
    use_stored_ = use_stored;
    find_pairs();
    report_edits_without_raw();
    for (Pair& pair : scan_.set.pairs) complete(pair);
    std::erase_if(scan_.set.pairs, [&](const Pair& p) { return broken_.count(p.id) != 0; });
    split(rule);
    if (scan_.set.pairs.empty() && scan_.problems.empty()) {
      problem("E507", scan_.set.root / "input", "there is no pair in " + scan_.set.root.string(),
              "put recordings into input/{id}_raw.wav and their edits into "
              "desired_output/{id}_edit.wav");
    }
    return std::move(scan_);
  }

 private:
  void problem(const std::string& id, const fs::path& file, std::string message, std::string help,
               Severity severity = Severity::error) {
    Diagnostic d = file_diagnostic(id, file.string(), std::move(message), std::move(help));
    d.severity = severity;
    scan_.problems.push_back(std::move(d));
  }

  void find_pairs() {
    for (auto it = raws_.begin(); it != raws_.end();) {
      const auto next = raws_.upper_bound(it->first);
      const std::string& stem = it->first;
      if (!stem.ends_with("_raw") || stem.size() == 4) {
        problem("W502", it->second, it->second.filename().string() + " in input/ is left out",
                "a recording's name ends in _raw: input/{id}_raw.wav", Severity::warning);
      } else if (std::next(it) != next) {
        problem("E504", it->second,
                "there are two recordings for `" + stem.substr(0, stem.size() - 4) +
                    "`: " + it->second.filename().string() + " and " +
                    std::next(it)->second.filename().string(),
                "keep one of them");
      } else {
        add_pair(stem.substr(0, stem.size() - 4), it->second);
      }
      it = next;
    }
    std::sort(scan_.set.pairs.begin(), scan_.set.pairs.end(),
              [](const Pair& a, const Pair& b) { return a.id < b.id; });
  }

  void add_pair(const std::string& id, const fs::path& raw) {
    std::vector<fs::path> edits;
    for (const std::string& stem : {id + "_edit", id}) {
      const auto [first, last] = edits_.equal_range(stem);
      for (auto it = first; it != last; ++it) edits.push_back(it->second);
      if (first != last) used_.insert(stem);
    }
    if (edits.size() > 1) {
      problem("E504", edits[0],
              "there are two edits for `" + id + "`: " + edits[0].filename().string() + " and " +
                  edits[1].filename().string(),
              "keep one of them");
      return;
    }
    if (edits.empty()) {
      problem("E502", raw, "recording `" + id + "` has no edit",
              "put it at desired_output/" + id + "_edit.wav, or take the recording away");
      return;
    }
    Pair pair;
    pair.id = id;
    pair.raw = raw;
    pair.edit = edits.front();
    scan_.set.pairs.push_back(std::move(pair));
  }

  void report_edits_without_raw() {
    for (const auto& [stem, file] : edits_) {
      if (used_.count(stem) != 0) continue;
      const std::string id = stem.ends_with("_edit") ? stem.substr(0, stem.size() - 5) : stem;
      if (raws_.count(id + "_raw") != 0) continue;  // said already
      problem("E502", file, "edit `" + file.filename().string() + "` has no recording",
              "put it at input/" + id + "_raw.wav, or take the edit away");
    }
  }

  /// Adds what `look` throws, and leaves the pair out then.
  template <class Look>
  void check(const Pair& pair, Look look) {
    try {
      look();
    } catch (const DataError& e) {
      for (const Diagnostic& d : e.diagnostics()) scan_.problems.push_back(d);
      broken_.insert(pair.id);
    }
  }

  /// The header of a pair's file; a length that it only estimates becomes -1.
  AudioInfo header_of(const Pair& pair, const fs::path& file, double& seconds) {
    AudioInfo info;
    info.samples = -1;
    check(pair, [&] {
      const audio::SoundFile opened(file.string());
      info = opened.info();
      seconds = static_cast<double>(info.samples) / info.sample_rate;
      if (!opened.is_linear()) info.samples = -1;
    });
    return info;
  }

  fs::path existing(const fs::path& relative) const {
    std::error_code error;
    const fs::path file = scan_.set.root / relative;
    return fs::exists(file, error) ? file : fs::path();
  }

  void complete(Pair& pair) {
    const AudioInfo raw = header_of(pair, pair.raw, pair.raw_seconds);
    const AudioInfo edit = header_of(pair, pair.edit, pair.edit_seconds);
    if (pair.edit_seconds > pair.raw_seconds && broken_.count(pair.id) == 0) {
      problem("W503", pair.edit, "the edit of `" + pair.id + "` is longer than its recording",
              "check that the two belong together", Severity::warning);
    }
    const fs::path truth = "truth";
    pair.truth = existing(truth / (pair.id + ".edl.json"));
    pair.meta = existing(truth / (pair.id + ".meta.json"));
    pair.alignment = existing(fs::path("pointer_sequences") / (pair.id + ".edl.json"));
    pair.stems = existing(fs::path("stems") / (pair.id + "_stems.npz"));
    if (pair.stems.empty()) pair.stems = existing(fs::path("stems") / pair.id);
    check(pair, [&] {
      const fs::path material = existing(truth / (pair.id + ".material.json"));
      if (!material.empty()) pair.material = read_material(material);
      if (!pair.meta.empty()) read_meta(pair);
    });
    if (pair.truth.empty() || broken_.count(pair.id) != 0) return;
    check(pair, [&] {
      const Edl edl = read_edl(pair.truth.string());
      const auto unknown_source = data::check_pair_source(edl, pair.truth, pair.raw);
      data::check_pair_edl(edl, pair.truth, raw, edit);
      if (unknown_source) scan_.problems.push_back(*unknown_source);
    });
  }

  static void read_meta(Pair& pair) {
    const Value meta = parse_json(read_file(pair.meta), pair.meta.string());
    const Value* group = meta.is_table() ? meta.as_table().find("group") : nullptr;
    const Value* split = meta.is_table() ? meta.as_table().find("split") : nullptr;
    if (group == nullptr || !group->is_string()) {
      throw DataError(file_diagnostic("E516", pair.meta.string(),
                                      pair.meta.string() + " does not say the pair's group",
                                      "remove it, or make the pair again with `retake synth`"));
    }
    pair.group = group->as_string();
    if (split != nullptr && split->is_string()) pair.split = split->as_string();
  }

  void split(const SplitRule& rule) {
    scan_.rule = rule;
    try {
      const auto stored = use_stored_ ? read_splits(scan_.set.root / "splits.toml") : std::nullopt;
      scan_.has_stored_split = stored.has_value();
      if (stored) scan_.rule = stored->rule;
      for (Pair& pair : scan_.set.pairs) {
        if (pair.group.empty() || scan_.rule.by != "group") {
          pair.group = group_by_rule(pair.id, scan_.rule);
        }
        if (!use_stored_) pair.split.clear();
        if (!stored) continue;
        const auto group = stored->group.find(pair.id);
        const auto place = stored->split.find(pair.id);
        if (group != stored->group.end()) pair.group = group->second;
        pair.split = place != stored->split.end() ? place->second : std::string();
      }
      assign_splits(scan_.set.pairs, scan_.rule, true);
    } catch (const DataError& e) {
      for (const Diagnostic& d : e.diagnostics()) scan_.problems.push_back(d);
    }
  }

  PairScan scan_;
  std::multimap<std::string, fs::path> raws_;
  std::multimap<std::string, fs::path> edits_;
  std::set<std::string> used_;
  std::set<std::string> broken_;
  bool use_stored_ = true;
};

}  // namespace

std::vector<Pair> PairSet::in_split(const std::string& split) const {
  std::vector<Pair> out;
  for (const Pair& pair : pairs) {
    if (pair.split == split) out.push_back(pair);
  }
  return out;
}

double audio_seconds(const fs::path& file) {
  const audio::SoundFile opened(file.string());
  return static_cast<double>(opened.info().samples) / opened.info().sample_rate;
}

PairScan scan_pairs(const fs::path& root, const SplitRule& rule, bool use_stored) {
  return Scanner(root).run(rule, use_stored);
}

PairSet read_pair_set(const fs::path& root, const SplitRule& rule) {
  PairScan scan = scan_pairs(root, rule);
  std::vector<Diagnostic> errors;
  for (const Diagnostic& d : scan.problems) {
    if (d.severity == Severity::error) {
      errors.push_back(d);
    } else {
      log_warning(d.message + (d.place ? " (" + d.place->file + ")" : ""));
    }
  }
  if (!errors.empty()) throw DataError(std::move(errors));
  return std::move(scan.set);
}

}  // namespace retake

#include "data/corpus_builder.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <mutex>
#include <optional>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "data/pair_edl.hpp"
#include "retake/error.hpp"
#include "retake/log.hpp"
#include "run/hash_cache.hpp"

namespace retake::data {

namespace fs = std::filesystem;

namespace {

constexpr const char* kAlignmentSchema = "retake.alignment/1";

/// The EDL of a pair, its source completed from the recording.
Edl read_pair_edl(const fs::path& file, const Song& song) {
  const AudioInfo& raw = song.raw;
  Edl edl = read_edl(file.string());
  check_pair_edl(edl, file, raw, song.edit);
  EdlSource& source = edl.sources.front();
  source.path = raw.path;
  source.sample_rate = raw.sample_rate;
  source.channels = raw.channels;
  source.samples = raw.samples;
  return edl;
}

std::vector<float> floats(const Value* list) {
  std::vector<float> out;
  if (list == nullptr || !list->is_array()) return out;
  for (const Value& v : list->as_array()) {
    out.push_back(v.is_number() ? static_cast<float>(v.as_double()) : NAN);
  }
  return out;
}

Value array(const std::vector<float>& values) {
  Array out;
  out.reserve(values.size());
  for (const float v : values) out.emplace_back(static_cast<double>(v));
  return Value(std::move(out));
}

/// Alignments that aligners found, kept by content like features.
class AlignmentCache {
 public:
  AlignmentCache(const CorpusRequest& request, const FeatureStore& store)
      : request_(request), store_(store) {}

  fs::path path_of(const Pair& pair) const {
    Table key;
    key["aligner"] = Value(request_.aligner_spec.extractor);
    key["version"] = Value(request_.aligner_spec.version);
    key["params"] = Value(request_.aligner_spec.params);
    key["raw"] = Value(store_.audio_hash(pair.raw.string()));
    key["edit"] = Value(store_.audio_hash(pair.edit.string()));
    const std::string hash = sha256_hex(to_canonical_json(Value(std::move(key))));
    return store_.folder() / "alignments" / hash.substr(0, 2) / (hash + ".json");
  }

  std::optional<Alignment> find(const fs::path& file, const TimeGrid& grid) const {
    std::error_code error;
    if (!fs::exists(file, error)) return std::nullopt;
    try {
      const Value root = parse_json(read_file(file), file.string());
      const Value* schema = root.is_table() ? root.as_table().find("schema") : nullptr;
      const Value* edl = root.is_table() ? root.as_table().find("edl") : nullptr;
      if (schema != nullptr && *schema == Value(kAlignmentSchema) && edl != nullptr) {
        Alignment a;
        a.edl = edl_from_value(*edl, file.string());
        a.grid = grid;
        a.confidence = floats(root.as_table().find("confidence"));
        a.gain_db = floats(root.as_table().find("gain_db"));
        const auto rows = static_cast<std::size_t>(grid.rows);
        if (a.confidence.size() == rows && a.gain_db.size() == rows) return a;
      }
      log_warning("alignment " + file.string() + " in the store is unusable and is made anew");
    } catch (const DataError& e) {
      log_warning("alignment " + file.string() +
                  " in the store is unusable and is made anew: " + e.what());
    }
    return std::nullopt;
  }

  void put(const fs::path& file, const Alignment& a) const {
    Table root;
    root["schema"] = Value(kAlignmentSchema);
    root["edl"] = to_value(a.edl);
    root["confidence"] = array(a.confidence);
    root["gain_db"] = array(a.gain_db);
    try {
      write_file_atomic(file, to_json(Value(std::move(root))) + "\n");
    } catch (const DataError& e) {
      log_warning(std::string("the alignment could not be kept: ") + e.what());
    }
  }

 private:
  const CorpusRequest& request_;
  const FeatureStore& store_;
};

Alignment find_alignment(const Song& song, const CorpusRequest& request, const FeatureStore& store,
                         run::HashCache& hashes, const Context& context) {
  if (!song.pair.truth.empty()) {
    return alignment_from_edl(read_pair_edl(song.pair.truth, song), song.edit_grid);
  }
  if (!song.pair.alignment.empty()) {
    require_same_content(song.pair, [&](const fs::path& file) { return hashes.sha256(file); });
    if (const auto warning = unrelated(song.pair)) {
      log_warning(warning->message + " (" + warning->id + ")");
    }
    return alignment_from_edl(read_pair_edl(song.pair.alignment, song), song.edit_grid);
  }
  if (request.aligner == nullptr) {
    throw DataError(file_diagnostic(
        "E541", song.pair.edit.string(),
        "nothing tells how the edit of `" + song.pair.id + "` was made: no truth, no alignment",
        "run  retake align ROOT  or give the experiment an [aligner]"));
  }
  const AlignmentCache cache(request, store);
  const fs::path file = cache.path_of(song.pair);
  if (auto found = cache.find(file, song.edit_grid)) return std::move(*found);
  const auto raw = open_audio(song.pair.raw.string());
  const auto edit = open_audio(song.pair.edit.string());
  Alignment made = request.aligner->align(*raw, *edit, context);
  cache.put(file, made);
  return made;
}

Song prepare(const Pair& pair, const CorpusRequest& request, const FeatureStore& store,
             run::HashCache& hashes, const Context& context) {
  Song song;
  song.pair = pair;
  song.raw = open_audio(pair.raw.string())->info();
  song.edit = open_audio(pair.edit.string())->info();
  song.raw_grid = frame_grid(song.raw.samples, song.raw.sample_rate);
  song.edit_grid = frame_grid(song.edit.samples, song.edit.sample_rate);
  song.exact = !pair.truth.empty();
  song.alignment = find_alignment(song, request, store, hashes, context);
  for (const WantedFeatures& wanted : request.features) {
    song.features[wanted.name] =
        store.get(pair.raw.string(), *wanted.extractor, wanted.spec, context);
  }
  return song;
}

}  // namespace

Alignment alignment_from_edl(Edl edl, const TimeGrid& edit_grid) {
  Alignment a;
  a.grid = edit_grid;
  a.confidence.assign(static_cast<std::size_t>(edit_grid.rows), 0.0F);
  a.gain_db.assign(static_cast<std::size_t>(edit_grid.rows), 0.0F);
  const double rate = edl.sources.empty() ? 0.0 : edl.sources.front().sample_rate;
  const std::vector<std::int64_t> starts = edl.output_starts();
  std::size_t k = 0;
  for (std::int64_t t = 0; t < edit_grid.rows && !edl.segments.empty(); ++t) {
    const double at = edit_grid.seconds(t) * rate;
    while (k + 1 < edl.segments.size() && static_cast<double>(starts[k + 1]) <= at) ++k;
    const Segment& segment = edl.segments[k];
    if (segment.is_gap()) continue;
    a.confidence[static_cast<std::size_t>(t)] = static_cast<float>(segment.confidence);
    a.gain_db[static_cast<std::size_t>(t)] = static_cast<float>(segment.gain_db);
  }
  a.edl = std::move(edl);
  return a;
}

Corpus build_corpus(const PairSet& pairs, const CorpusRequest& request, const FeatureStore& store,
                    const Context& context) {
  std::vector<std::optional<Song>> songs(pairs.pairs.size());
  std::vector<std::vector<Diagnostic>> wrong(pairs.pairs.size());
  std::atomic<std::size_t> done{0};
  run::HashCache hashes;
  context.parallel_for(songs.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end && !context.stop_requested(); ++i) {
      try {
        songs[i] = prepare(pairs.pairs[i], request, store, hashes, context);
      } catch (const DataError& e) {
        wrong[i] = e.diagnostics();
      }
      context.progress("corpus", static_cast<double>(++done), static_cast<double>(songs.size()));
    }
  });
  std::vector<Diagnostic> all;
  for (const auto& list : wrong) all.insert(all.end(), list.begin(), list.end());
  if (!all.empty()) throw DataError(std::move(all));
  std::vector<Song> ready;
  for (auto& song : songs) {
    if (song) ready.push_back(std::move(*song));
  }
  return Corpus(std::move(ready));
}

}  // namespace retake::data

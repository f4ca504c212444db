// Dataset `synthetic_edits`: pairs with exact truth from finished music or from the built-in band.

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <map>
#include <mutex>
#include <set>

#include "params.hpp"
#include "plan.hpp"
#include "retake/data/pair_writer.hpp"
#include "retake/error.hpp"
#include "retake/kinds/dataset.hpp"
#include "retake/log.hpp"
#include "retake/plugin.hpp"
#include "session.hpp"
#include "tracks.hpp"

namespace retake::synthetic {

namespace fs = std::filesystem;

namespace {

/// Changes whenever the same parameters would give other pairs.
constexpr const char* kAlgorithm = "1";

/// One pair to make.
struct Order {
  const Track* track = nullptr;
  std::int64_t take = 0;  ///< how many pairs of the track come before
  std::string id;
  std::string split;
  std::vector<std::string> splices;
  std::string identity;
};

/// The parameters that a pair's sound depends on. (How many pairs there are, where they lie and how
/// they are divided does not change a pair; the splices it uses stand in its identity.)
Table pair_params(const Params& p) {
  Table t;
  t["algorithm"] = Value(kAlgorithm);
  t["seed"] = Value(p.seed);
  t["song_minutes"] = Value(p.song_minutes);
  t["minutes"] = Value(p.minutes);
  t["minutes_spread"] = Value(p.minutes_spread);
  t["keep"] = Value(p.keep);
  t["run_s"] = Value(p.run_s);
  t["gap_spread"] = Value(p.gap_spread);
  t["sample_rate"] = Value(p.sample_rate);
  t["channels"] = Value(p.channels);
  t["container"] = Value(p.container);
  t["drift"] = Value(p.drift);
  t["pass_eq_db"] = Value(p.pass_eq_db);
  t["pass_gain_db"] = Value(p.pass_gain_db);
  t["punch_in"] = Value(p.punch_in);
  t["bad_after"] = Value(p.bad_after);
  t["out_of_order"] = Value(p.out_of_order);
  t["loops"] = Value(p.loops);
  t["join_ms_min"] = Value(p.join_ms_min);
  t["join_ms_max"] = Value(p.join_ms_max);
  t["edit_gain_db"] = Value(p.edit_gain_db);
  t["fades"] = Value(p.fades);
  t["codec"] = Value(p.codec);
  t["quality"] = Value(p.quality);
  t["snr_db"] = Value(p.snr_db);
  t["eq_db"] = Value(p.eq_db);
  t["gain_db"] = Value(p.gain_db);
  t["resample"] = Value(p.resample);
  return t;
}

std::string padded(std::int64_t number) {
  std::string text = std::to_string(number);
  text.insert(0, 2 - std::min<std::size_t>(2, text.size()), '0');
  return text;
}

/// Where sets go that no folder was named for.
fs::path store_folder(const std::string& name) {
  const char* store = std::getenv("RETAKE_STORE");
  if (store != nullptr && *store != '\0') return fs::path(store) / "synthetic" / name;
  const char* cache = std::getenv("XDG_CACHE_HOME");
  if (cache != nullptr && *cache != '\0') return fs::path(cache) / "retake/synthetic" / name;
  const char* home = std::getenv("HOME");
  if (home != nullptr && *home != '\0') return fs::path(home) / ".cache/retake/synthetic" / name;
  throw DataError(file_diagnostic("E524", "$HOME", "there is no folder to write the pairs to",
                                  "set dataset.root, or the environment variable RETAKE_STORE"));
}

}  // namespace

void Params::describe(Schema<Params>& s) {
  s.field(&Params::root, "root",
          "folder of the pair set; empty: one of its own under $RETAKE_STORE or ~/.cache/retake")
      .affects_results(false);
  s.field(&Params::music, "music",
          "folders of finished tracks, searched to the bottom; empty: the built-in band plays");
  s.field(&Params::min_track_s, "min_track_s", "shorter tracks are left out").range(1, 3600).unit("s");
  s.field(&Params::song_minutes, "song_minutes",
          "at most this much of a track is used, from a random place; it sets the memory needed")
      .range(0.1, 120)
      .unit("min");
  s.field(&Params::pairs, "pairs", "how many pairs").range(1, 100000);
  s.field(&Params::seed, "seed", "seed of the set; a run's own seed does not change the data").min(0);
  s.field(&Params::minutes, "minutes", "length of a raw recording")
      .range(0.2, 240)
      .unit("min")
      .synonyms({"length", "duration"});
  s.field(&Params::minutes_spread, "minutes_spread",
          "lengths are spread log-uniformly by up to this factor either way; 1: all alike")
      .range(1, 10);
  s.field(&Params::keep, "keep",
          "share of the raw that is kept; 0: drawn from Beta(1.6, 3.4) within [0.1, 0.75]")
      .range(0, 0.9)
      .synonyms({"keep_ratio", "ratio"});
  s.field(&Params::run_s, "run_s", "median length of a kept take").range(2, 120).unit("s");
  s.field(&Params::gap_spread, "gap_spread",
          "spread (log-normal sigma) of the lengths of what is cut between takes")
      .range(0, 2.5);
  s.field(&Params::sample_rate, "sample_rate", "of the raw; 0: the track's own, 44100 for the band")
      .range(0, 192000)
      .unit("Hz");
  s.field(&Params::channels, "channels", "of the raw; 0: the track's own, 2 for the band")
      .range(0, 8);
  s.field(&Params::container, "container", "file format of raw and edit").one_of({"wav", "flac"});
  s.field(&Params::drift, "drift", "how far the tempo of a pass drifts, as a share").range(0, 0.05);
  s.field(&Params::pass_eq_db, "pass_eq_db", "equaliser bands of a pass are drawn within +- this")
      .range(0, 12)
      .unit("dB");
  s.field(&Params::pass_gain_db, "pass_gain_db", "level of a pass is drawn within +- this")
      .range(0, 12)
      .unit("dB");
  s.field(&Params::punch_in, "punch_in",
          "probability that two kept takes meet with nothing to cut between them")
      .range(0, 1);
  s.field(&Params::bad_after, "bad_after",
          "probability that a spoilt take follows the good one: the hardest to tell")
      .range(0, 1);
  s.field(&Params::out_of_order, "out_of_order",
          "probability that a session has two takes in the other order than the song")
      .range(0, 1);
  s.field(&Params::loops, "loops", "an edit uses up to this many takes twice").range(0, 20);
  s.field(&Params::splices, "splices",
          "how stretches of a recording meet: butt, short, long, pause, dip, thump");
  s.field(&Params::test_splices, "test_splices",
          "the same for pairs of the test split; empty: as `splices`");
  s.field(&Params::join_ms_min, "join_ms_min", "shortest crossfade of the edit")
      .range(0, 1000)
      .unit("ms")
      .at_most(&Params::join_ms_max);
  s.field(&Params::join_ms_max, "join_ms_max", "longest crossfade of the edit").range(0, 1000).unit("ms");
  s.field(&Params::edit_gain_db, "edit_gain_db", "gain of an edit (in its EDL) is drawn within +- this")
      .range(0, 12)
      .unit("dB");
  s.field(&Params::fades, "fades", "edits fade in and out");
  s.field(&Params::codec, "codec", "damage: the edit goes through this codec")
      .one_of({"none", "vorbis", "mp3"});
  s.field(&Params::quality, "quality", "of the codec").range(0, 1);
  s.field(&Params::snr_db, "snr_db", "damage: white noise this far below the edit; 0: none")
      .range(0, 120)
      .unit("dB");
  s.field(&Params::eq_db, "eq_db", "damage: three bands of the edit are off by up to this").range(0, 24).unit("dB");
  s.field(&Params::gain_db, "gain_db", "damage: level of the edit file is off by this").range(-24, 24).unit("dB");
  s.field(&Params::resample, "resample", "damage: rate of the edit file; 0: the raw's")
      .range(0, 192000)
      .unit("Hz");
  s.field(&Params::test, "test", "share of the pairs for test, whole songs").range(0, 0.9);
  s.field(&Params::val, "val", "share of the pairs for validation, whole songs").range(0, 0.9);
}

void Params::check(const Params& p, Problems& problems) {
  const auto names = [&](const std::vector<std::string>& list, const char* key) {
    for (const std::string& kind : list) {
      const auto& known = splice_kinds();
      if (std::find(known.begin(), known.end(), kind) != known.end()) continue;
      std::string all;
      for (const std::string& k : known) all += (all.empty() ? "" : ", ") + k;
      problems.add(key, "there is no splice `" + kind + "`", "choose among " + all);
    }
  };
  names(p.splices, "splices");
  names(p.test_splices, "test_splices");
  if (p.splices.empty()) problems.add("splices", "no splice is named", "name one or more");
  if (p.test + p.val >= 1.0) problems.add("test", "test and val leave nothing for train");
  if (p.sample_rate != 0 && p.sample_rate < 8000) {
    problems.add("sample_rate", "rates below 8000 Hz are not made", "use 0 or 8000 to 192000");
  }
  if (p.resample != 0 && p.resample < 8000) {
    problems.add("resample", "rates below 8000 Hz are not made", "use 0 or 8000 to 192000");
  }
}

class SyntheticEdits final : public Dataset, public PairGenerator {
 public:
  using Params = synthetic::Params;

  explicit SyntheticEdits(const Params& params) : p_(params) {
    Problems problems;
    Params::check(p_, problems);
    std::vector<Diagnostic> all;
    for (const Problems::Item& item : problems.items()) {
      Diagnostic d;
      d.id = "E107";
      d.message = "`" + item.key + "` of synthetic_edits: " + item.message;
      d.help = item.help;
      all.push_back(std::move(d));
    }
    if (!all.empty()) throw ConfigError(std::move(all));
  }

  PairSet pairs(const Context& context) override {
    if (!p_.root.empty()) return generate(p_.root, context);
    Table key = pair_params(p_);
    key["pairs"] = Value(p_.pairs);
    for (const std::string& s : p_.splices) key["splice " + s] = Value(true);
    for (const std::string& s : p_.test_splices) key["test splice " + s] = Value(true);
    key["test"] = Value(p_.test);
    key["val"] = Value(p_.val);
    Array music;
    for (const Track& t : tracks()) music.emplace_back(t.key);
    key["tracks"] = Value(std::move(music));
    return generate(store_folder(hash_text(to_canonical_json(Value(std::move(key)))).substr(0, 16)),
                    context);
  }

  PairSet generate(const fs::path& root, const Context& context) override {
    const std::vector<Track> songs = tracks();
    const PairWriter writer(root);
    const std::vector<Order> orders = place_orders(songs, writer);
    std::vector<const Order*> missing;
    for (const Order& order : orders) {
      if (!writer.has(order.id, order.identity)) missing.push_back(&order);
    }
    std::atomic<std::size_t> done{orders.size() - missing.size()};
    const auto total = static_cast<double>(orders.size());
    context.parallel_for(missing.size(), 1, [&](std::size_t begin, std::size_t end) {
      for (std::size_t i = begin; i < end && !context.stop_requested(); ++i) {
        make_pair(*missing[i], writer, context);
        context.progress("pairs", static_cast<double>(++done), total);
      }
    });
    PairSet set = read_pair_set(root);
    std::set<std::string> ours;
    for (const Order& order : orders) ours.insert(order.id);
    std::erase_if(set.pairs, [&](const Pair& pair) { return ours.count(pair.id) == 0; });
    return set;
  }

 private:
  std::vector<Track> tracks() const {
    if (p_.music.empty()) return band_tracks(p_.pairs, static_cast<std::uint64_t>(p_.seed));
    return list_tracks(p_.music, p_.min_track_s);
  }

  std::vector<Order> place_orders(const std::vector<Track>& songs, const PairWriter& writer) const {
    std::vector<Order> orders;
    std::vector<Pair> pairs;
    for (std::int64_t i = 0; i < p_.pairs; ++i) {
      Order order;
      const auto song = static_cast<std::size_t>(i) % songs.size();
      order.track = &songs[song];
      order.take = i / static_cast<std::int64_t>(songs.size());
      order.id = order.track->name + "_" + padded(order.take + 1);
      orders.push_back(order);
      Pair pair;
      pair.id = order.id;
      pair.group = order.track->name;
      pairs.push_back(std::move(pair));
    }
    SplitRule rule;
    rule.test = p_.test;
    rule.val = p_.val;
    rule.seed = static_cast<std::uint64_t>(p_.seed);
    writer.place(pairs, rule);
    std::map<std::string, std::string> split;
    for (const Pair& pair : pairs) split[pair.id] = pair.split;
    for (Order& order : orders) {
      order.split = split.at(order.id);
      const bool other = order.split == "test" && !p_.test_splices.empty();
      order.splices = other ? p_.test_splices : p_.splices;
      order.identity = identity(order);
    }
    return orders;
  }

  std::string identity(const Order& order) const {
    Table key = pair_params(p_);
    key["track"] = Value(order.track->key);
    key["take"] = Value(order.take);
    Array splices;
    for (const std::string& s : order.splices) splices.emplace_back(s);
    key["splices"] = Value(std::move(splices));
    return hash_text(to_canonical_json(Value(std::move(key))));
  }

  /// Everything random about a pair comes from its song and take by name, never from its place.
  std::uint64_t seed_of(const Order& order, std::string_view what) const {
    return derive_seed(static_cast<std::uint64_t>(p_.seed),
                       {std::string_view(order.track->key), static_cast<std::uint64_t>(order.take),
                        what});
  }

  void make_pair(const Order& order, const PairWriter& writer, const Context& context) const {
    Rng lengths_rng(seed_of(order, "lengths"));
    Rng song_rng(seed_of(order, "song"));
    Rng plan_rng(seed_of(order, "plan"));
    const Lengths lengths = draw_lengths(p_, lengths_rng);
    const double song_s = std::min(60.0 * p_.song_minutes, lengths.edit_s / 0.9 + 15.0);
    const Music music = order.track->files.empty()
                            ? play_band(song_s, p_.sample_rate, p_.channels, song_rng)
                            : load_track(*order.track, song_s, p_.sample_rate, p_.channels, song_rng);
    const Plan plan = make_plan(p_, lengths, music, order.splices, plan_rng);

    PairDraft draft;
    draft.id = order.id;
    draft.group = order.track->name;
    draft.split = order.split;
    draft.identity = order.identity;
    draft.sample_rate = music.audio.sample_rate;
    draft.channels = static_cast<int>(music.audio.channel_count());
    draft.samples = plan.samples;
    draft.container = p_.container;
    draft.damage = {p_.codec,   p_.quality, p_.snr_db, p_.eq_db,
                    p_.gain_db, static_cast<double>(p_.resample), seed_of(order, "damage")};
    PairWriter::Session session = writer.begin(std::move(draft));
    perform(plan, p_, music, seed_of(order, "room"),
            [&](std::span<const std::span<const float>> block) { session.append(block); });
    session.finish({plan.truth, plan.material, recipe(order, lengths, plan)}, context);
  }

  Table recipe(const Order& order, const Lengths& lengths, const Plan& plan) const {
    Table t;
    t["generator"] = Value("synthetic_edits");
    t["params"] = Value(pair_params(p_));
    t["track"] = Value(order.track->key);
    t["take"] = Value(order.take);
    t["wanted_minutes"] = Value(lengths.raw_s / 60.0);
    t["wanted_keep"] = Value(lengths.edit_s / lengths.raw_s);
    t["session"] = Value(plan.facts);
    return t;
  }

  Params p_;
};

}  // namespace retake::synthetic

RETAKE_PLUGIN("synthetic_edits", "0.1.0", registrar) {
  registrar.add<retake::synthetic::SyntheticEdits>(
      "synthetic_edits",
      "Pairs with exact truth, made from finished music or by the built-in band.");
}

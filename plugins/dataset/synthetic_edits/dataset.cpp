#include "dataset.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <map>
#include <set>

#include "plan.hpp"
#include "retake/error.hpp"
#include "session.hpp"

namespace retake::synthetic {

namespace fs = std::filesystem;

namespace {

/// Changes whenever the same parameters would give other pairs.
constexpr const char* kAlgorithm = "1";

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

Table recipe(const Params& p, const std::string& track, std::int64_t take, const Lengths& lengths,
             const Plan& plan) {
  Table t;
  t["generator"] = Value("synthetic_edits");
  t["params"] = Value(pair_params(p));
  t["track"] = Value(track);
  t["take"] = Value(take);
  t["wanted_minutes"] = Value(lengths.raw_s / 60.0);
  t["wanted_keep"] = Value(lengths.edit_s / lengths.raw_s);
  t["session"] = Value(plan.facts);
  return t;
}

}  // namespace

/// One pair to make.
struct SyntheticEdits::Order {
  const Track* track = nullptr;
  std::int64_t take = 0;  ///< how many pairs of the track come before
  std::string id;
  std::string split;
  std::vector<std::string> splices;
  std::string identity;
};

PairSet SyntheticEdits::pairs(const Context& context) {
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

PairSet SyntheticEdits::generate(const fs::path& root, const Context& context) {
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
      make_pair(*missing[i], writer);
      context.progress("pairs", static_cast<double>(++done), total);
    }
  });
  PairSet set = read_pair_set(root);
  std::set<std::string> ours;
  for (const Order& order : orders) ours.insert(order.id);
  std::erase_if(set.pairs, [&](const Pair& pair) { return ours.count(pair.id) == 0; });
  return set;
}

std::vector<Track> SyntheticEdits::tracks() const {
  if (p_.music.empty()) return band_tracks(p_.pairs, static_cast<std::uint64_t>(p_.seed));
  return list_tracks(p_.music, p_.min_track_s);
}

std::vector<SyntheticEdits::Order> SyntheticEdits::place_orders(const std::vector<Track>& songs,
                                                                const PairWriter& writer) const {
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

std::string SyntheticEdits::identity(const Order& order) const {
  Table key = pair_params(p_);
  key["track"] = Value(order.track->key);
  key["take"] = Value(order.take);
  Array splices;
  for (const std::string& s : order.splices) splices.emplace_back(s);
  key["splices"] = Value(std::move(splices));
  return hash_text(to_canonical_json(Value(std::move(key))));
}

/// Everything random about a pair comes from its song and take by name, never from its place.
std::uint64_t SyntheticEdits::seed_of(const Order& order, std::string_view what) const {
  return derive_seed(
      static_cast<std::uint64_t>(p_.seed),
      {std::string_view(order.track->key), static_cast<std::uint64_t>(order.take), what});
}

void SyntheticEdits::make_pair(const Order& order, const PairWriter& writer) const {
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
  draft.damage = {p_.codec,
                  p_.quality,
                  p_.snr_db,
                  p_.eq_db,
                  p_.gain_db,
                  static_cast<double>(p_.resample),
                  seed_of(order, "damage")};
  PairWriter::Session session = writer.begin(std::move(draft));
  perform(plan, p_, music, seed_of(order, "room"),
          [&](std::span<const std::span<const float>> block) { session.append(block); });
  session.finish(
      {plan.truth, plan.material, recipe(p_, order.track->key, order.take, lengths, plan)});
}

}  // namespace retake::synthetic

#include "report/contestants.hpp"

#include <algorithm>
#include <set>

#include "edit/baselines.hpp"
#include "retake/rng.hpp"

namespace retake::report {
namespace {

const EdlSource& source_of(const Song& song) {
  return song.alignment.edl.sources.front();
}

std::int64_t true_length(const Song& song) {
  return std::max<std::int64_t>(1, song.alignment.edl.output_samples());
}

double true_ratio(const Song& song) {
  return std::min(1.0, static_cast<double>(true_length(song)) /
                           static_cast<double>(std::max<std::int64_t>(1, song.raw.samples)));
}

std::vector<double> levels(const Song& song) {
  const auto source = open_audio(song.pair.raw.string());
  return edit::frame_levels(*source);
}

edit::EnergyGate tuned_gate(const std::vector<const Song*>& songs, const Context& context) {
  std::vector<edit::GateSong> gate_songs(songs.size());
  context.parallel_for(songs.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) {
      gate_songs[i] = {source_of(*songs[i]), levels(*songs[i]), songs[i]->alignment.edl};
    }
  });
  return edit::tune_energy_gate(gate_songs);
}

struct Known {
  const char* name;
  std::set<std::string> keeps;
};

const std::vector<Known>& knowledge() {
  static const std::vector<Known> all = {
      {"all known", {"kept"}},
      {"all but bad takes", {"kept", "wobble", "layer", "drop_out"}},
      {"all but bad takes, repeats, play-ons",
       {"kept", "wobble", "layer", "drop_out", "repeat", "play_on"}},
      {"is it music", {"kept", "wobble", "layer", "drop_out", "repeat", "play_on", "false_start"}},
      {"does it sound",
       {"kept", "wobble", "layer", "drop_out", "repeat", "play_on", "false_start", "talk", "tuning",
        "count_in", "noodling"}}};
  return all;
}

Edl keep_kinds(const Song& song, const std::set<std::string>& kinds) {
  Edl edl;
  edl.sources = {source_of(song)};
  for (const MaterialSpan& span : song.pair.material) {
    if (kinds.count(span.kind) == 0) continue;
    Segment s;
    s.begin = span.begin;
    s.end = span.end;
    edl.segments.push_back(s);
  }
  merge_contiguous(edl);
  return edl;
}

}  // namespace

std::vector<Contestant> baselines(const std::vector<const Song*>& tuning, const Context& context) {
  const edit::EnergyGate gate = tuned_gate(tuning, context);
  std::vector<Contestant> out;
  out.push_back(
      {"copy", [](const Song& s) { return edit::copy_edit(source_of(s), true_length(s)); }});
  out.push_back({"linear_ratio", [](const Song& s) {
                   return edit::linear_ratio_edit(source_of(s), true_ratio(s));
                 }});
  out.push_back({"energy_gate", [gate](const Song& s) {
                   return edit::energy_gate_edit(source_of(s), levels(s), gate);
                 }});
  const std::uint64_t seed = context.seed("baseline/random");
  out.push_back({"random", [seed](const Song& s) {
                   Rng rng(derive_seed(seed, {std::string_view(s.pair.id)}));
                   return edit::random_edit(source_of(s), true_ratio(s), rng);
                 }});
  out.push_back({"keep_all", [](const Song& s) { return edit::keep_all_edit(source_of(s)); }});
  return out;
}

std::vector<Contestant> oracles(const std::vector<const Song*>& songs) {
  std::vector<Contestant> out;
  const auto knows = [](const Song* s) { return s->exact && !s->pair.material.empty(); };
  if (!std::all_of(songs.begin(), songs.end(), knows)) return out;
  for (const Known& known : knowledge()) {
    out.push_back({known.name, [&known](const Song& s) { return keep_kinds(s, known.keeps); }});
  }
  return out;
}

}  // namespace retake::report

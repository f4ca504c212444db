#include "data/oracles.hpp"

#include <set>

#include "edit/baselines.hpp"
#include "retake/audio/source.hpp"
#include "retake/rng.hpp"

namespace retake::data {

namespace {

/// As many pairs tune the energy gate; more do not move its threshold.
constexpr std::size_t kGatePairs = 12;

struct Known {
  const char* name;
  std::set<std::string> keeps;
};

const std::vector<Known>& oracles() {
  static const std::set<std::string> bad = {"kept", "wobble", "layer", "drop_out"};
  static const std::vector<Known> all = {
      {"all known", {"kept"}},
      {"all known but bad takes", bad},
      {"all known but bad takes, repeats, play-ons",
       {"kept", "wobble", "layer", "drop_out", "repeat", "play_on"}},
      {"is it music", {"kept", "wobble", "layer", "drop_out", "repeat", "play_on", "false_start"}},
      {"does it sound",
       {"kept", "wobble", "layer", "drop_out", "repeat", "play_on", "false_start", "talk", "tuning",
        "count_in", "noodling"}}};
  return all;
}

/// What is needed of one pair.
struct Case {
  const Pair* pair = nullptr;
  Edl truth;
  EdlSource source;
};

Edl keep_kinds(const Case& c, const std::set<std::string>& kinds) {
  Edl edl;
  edl.sources = {c.source};
  for (const MaterialSpan& span : c.pair->material) {
    if (kinds.count(span.kind) == 0) continue;
    Segment s;
    s.begin = span.begin;
    s.end = span.end;
    edl.segments.push_back(s);
  }
  merge_contiguous(edl);
  return edl;
}

Case load(const Pair& pair) {
  Case c;
  c.pair = &pair;
  c.truth = read_edl(pair.truth.string());
  c.source = c.truth.sources.at(0);
  c.source.samples = pair.material.back().end;
  return c;
}

std::vector<double> levels(const Pair& pair) {
  const auto source = open_audio(pair.raw.string());
  return edit::frame_levels(*source);
}

/// Levels of several recordings, in parallel: decoding is what takes the time.
std::vector<std::vector<double>> all_levels(const std::vector<Case>& cases,
                                            const Context& context) {
  std::vector<std::vector<double>> out(cases.size());
  context.parallel_for(cases.size(), 1, [&](std::size_t begin, std::size_t end) {
    for (std::size_t i = begin; i < end; ++i) out[i] = levels(*cases[i].pair);
  });
  return out;
}

edit::EnergyGate tuned_gate(const PairSet& set, const std::set<std::string>& held_out,
                            const Context& context) {
  std::vector<Case> cases;
  for (const Pair& pair : set.pairs) {
    if (held_out.count(pair.id) != 0 || pair.material.empty() || pair.truth.empty()) continue;
    if (cases.size() < kGatePairs) cases.push_back(load(pair));
  }
  const auto level_db = all_levels(cases, context);
  std::vector<edit::GateSong> songs;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    songs.push_back({cases[i].source, level_db[i], cases[i].truth});
  }
  return edit::tune_energy_gate(songs);
}

}  // namespace

double OracleRow::mean(const std::string& metric) const {
  double sum = 0.0;
  double count = 0.0;
  for (const auto& [id, metrics] : per_song) {
    const auto found = metrics.find(metric);
    if (found == metrics.end()) continue;
    sum += found->second;
    count += 1.0;
  }
  return count > 0.0 ? sum / count : 0.0;
}

std::vector<OracleRow> oracle_rows(const PairSet& set, const std::string& split,
                                   const Context& context) {
  std::vector<Case> cases;
  std::set<std::string> held_out;
  const bool whole = split.empty() || set.in_split(split).empty();
  for (const Pair& pair : set.pairs) {
    if (pair.material.empty() || pair.truth.empty() || (!whole && pair.split != split)) continue;
    cases.push_back(load(pair));
    if (!whole) held_out.insert(pair.id);
  }
  std::vector<OracleRow> rows;
  const auto add = [&](const std::string& name, const auto& edit_of) {
    OracleRow row;
    row.name = name;
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const Case& c = cases[i];
      const Edl edl = edit_of(i);
      if (edl.segments.empty()) continue;
      row.per_song[c.pair->id] = edit::edit_metrics(c.truth, edl, c.source.samples);
    }
    rows.push_back(std::move(row));
  };
  for (const Known& known : oracles()) {
    add(known.name, [&](std::size_t i) { return keep_kinds(cases[i], known.keeps); });
  }
  const edit::EnergyGate gate = tuned_gate(set, held_out, context);
  const auto level_db = all_levels(cases, context);
  add("energy gate",
      [&](std::size_t i) { return edit::energy_gate_edit(cases[i].source, level_db[i], gate); });
  add("random", [&](std::size_t i) {
    const Case& c = cases[i];
    Rng rng(derive_seed(0, {std::string_view("data/oracles"), std::string_view(c.pair->id)}));
    const double ratio =
        static_cast<double>(c.truth.output_samples()) / static_cast<double>(c.source.samples);
    return edit::random_edit(c.source, std::min(1.0, ratio), rng);
  });
  add("copy", [&](std::size_t i) {
    return edit::copy_edit(cases[i].source, cases[i].truth.output_samples());
  });
  add("keep all", [&](std::size_t i) { return edit::keep_all_edit(cases[i].source); });
  return rows;
}

}  // namespace retake::data

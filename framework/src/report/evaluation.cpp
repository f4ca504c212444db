#include "report/evaluation.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "core/stop.hpp"
#include "edit/baselines.hpp"
#include "edit/metrics.hpp"
#include "retake/error.hpp"

namespace retake::report {
namespace {

const EdlSource& source_of(const Song& song) { return song.alignment.edl.sources.front(); }

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

edit::Metrics score(const Song& song, const Edl& edl) {
  std::vector<edit::MaterialRange> material;
  for (const MaterialSpan& span : song.pair.material) {
    material.push_back({span.begin, span.end, span.kind});
  }
  return edit::edit_metrics(song.alignment.edl, edl, song.raw.samples, material);
}

void stop_if_asked(const Context& context) {
  if (!context.stop_requested()) return;
  Diagnostic d;
  d.id = "E007";
  d.message = "the evaluation was stopped before it was complete; it printed nothing";
  d.help = "start it again: features are kept in the store";
  throw Error(stop_signal() == 2 ? ExitCode::interrupted : ExitCode::preempted, std::move(d));
}

std::string cell(const Value* metric) {
  if (metric == nullptr) return "-";
  const Array& ci = metric->as_table().at("ci95").as_array();
  char text[64];
  std::snprintf(text, sizeof text, "%.3f [%.2f %.2f]", metric->as_table().at("mean").as_double(),
                ci[0].as_double(), ci[1].as_double());
  return text;
}

std::string padded(std::string text, std::size_t width) {
  text.resize(std::max(width, text.size()), ' ');
  return text;
}

std::string rows(const Value& evaluation, const std::vector<std::string>& metrics,
                 std::size_t cut_prefix) {
  std::string out = padded("", 20);
  for (const std::string& metric : metrics) out += padded(metric.substr(cut_prefix), 21);
  out += "\n";
  for (const auto& [name, row] : evaluation.as_table()) {
    out += padded(name, 20);
    for (const std::string& metric : metrics) {
      out += padded(cell(row.as_table().find(metric)), 21);
    }
    out += "\n";
  }
  return out;
}

}  // namespace

std::vector<Contestant> baselines(const std::vector<const Song*>& tuning, const Context& context) {
  const edit::EnergyGate gate = tuned_gate(tuning, context);
  std::vector<Contestant> out;
  out.push_back({"copy", [](const Song& s) { return edit::copy_edit(source_of(s), true_length(s)); }});
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

Value evaluate(const std::vector<Contestant>& contestants, const std::vector<const Song*>& songs,
               const Context& context) {
  if (songs.empty()) {
    Diagnostic d;
    d.id = "E513";
    d.message = "there is no song to evaluate on";
    d.help = "choose another split with --split, or make one:  retake pairs ROOT --split test=0.2";
    throw DataError(std::move(d));
  }
  Table out;
  double done = 0;
  const double total = static_cast<double>(contestants.size() * songs.size());
  for (const Contestant& contestant : contestants) {
    std::map<std::string, edit::Metrics> per_song;
    for (const Song* song : songs) {
      stop_if_asked(context);
      context.progress("evaluating " + contestant.name, done++, total);
      per_song[song->pair.id] = score(*song, contestant.edit(*song));
    }
    out[contestant.name] = edit::aggregate(per_song);
  }
  context.progress("evaluating", total, total);
  return out;
}

std::string evaluation_text(const Value& evaluation, std::size_t songs) {
  std::string out = std::to_string(songs) + " held-out songs, mean [95 % bootstrap interval]\n\n";
  out += rows(evaluation,
              {"edit_f1", "edit_f1_0.1s", "kept_iou", "jump_f1", "keep_ratio_error",
               "length_error", "segments_per_minute"},
              0);
  std::set<std::string> kinds;
  for (const auto& [name, row] : evaluation.as_table()) {
    for (const auto& [metric, _] : row.as_table()) {
      if (metric.starts_with("accuracy/")) kinds.insert(metric);
    }
  }
  if (kinds.empty()) return out;
  const std::vector<std::string> all(kinds.begin(), kinds.end());
  for (std::size_t i = 0; i < all.size(); i += 6) {
    out += "\naccuracy per kind of material\n";
    out += rows(evaluation, {all.begin() + static_cast<std::ptrdiff_t>(i),
                             all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), i + 6))},
                9);
  }
  return out;
}

}  // namespace retake::report

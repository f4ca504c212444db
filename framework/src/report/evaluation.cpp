#include "report/evaluation.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "core/stop.hpp"
#include "edit/metrics.hpp"
#include "retake/error.hpp"

namespace retake::report {
namespace {

edit::Metrics score(const Song& song, const Edl& edl) {
  std::vector<edit::MaterialRange> material;
  for (const MaterialSpan& span : song.pair.material) {
    material.push_back({span.begin, span.end, span.kind});
  }
  return edit::edit_metrics(song.alignment.edl, edl, song.raw.samples, material);
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
  std::size_t width = 18;
  for (const auto& [name, _] : evaluation.as_table()) width = std::max(width, name.size());
  width += 2;
  std::string out = padded("", width);
  for (const std::string& metric : metrics) out += padded(metric.substr(cut_prefix), 21);
  out += "\n";
  for (const auto& [name, row] : evaluation.as_table()) {
    out += padded(name, width);
    for (const std::string& metric : metrics) {
      out += padded(cell(row.as_table().find(metric)), 21);
    }
    out += "\n";
  }
  return out;
}

}  // namespace

void stop_if_asked(const Context& context) {
  if (!context.stop_requested()) return;
  throw stopped("the evaluation was stopped before it was complete; it printed nothing",
                "start it again: features are kept in the store");
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
  std::string out = std::to_string(songs) + " songs, mean [95 % bootstrap interval]\n\n";
  out += rows(evaluation,
              {"edit_f1", "edit_f1_0.1s", "kept_iou", "jump_f1", "keep_ratio_error", "length_error",
               "segments_per_minute"},
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
    out += rows(evaluation,
                {all.begin() + static_cast<std::ptrdiff_t>(i),
                 all.begin() + static_cast<std::ptrdiff_t>(std::min(all.size(), i + 6))},
                9);
  }
  return out;
}

}  // namespace retake::report

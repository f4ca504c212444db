#include "data_audit.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "run/progress.hpp"

namespace retake::cli {
namespace {

using run::format_number;

double kept_share(const Song& song) {
  std::int64_t kept = 0;
  for (const Segment& s : song.alignment.edl.segments) {
    if (!s.is_gap()) kept += s.end - s.begin;
  }
  return song.raw.samples > 0 ? static_cast<double>(kept) / static_cast<double>(song.raw.samples)
                              : 0.0;
}

double confidence(const Song& song) {
  const auto& c = song.alignment.confidence;
  double sum = 0;
  for (const float v : c) sum += static_cast<double>(v);
  return c.empty() ? 0.0 : sum / static_cast<double>(c.size());
}

std::string ids_of(const std::vector<std::string>& ids) {
  std::string out;
  for (std::size_t i = 0; i < ids.size() && i < 5; ++i) out += (i > 0 ? ", " : "") + ids[i];
  return ids.size() > 5 ? out + " and " + std::to_string(ids.size() - 5) + " more" : out;
}

AuditRow count_row(const char* what, const std::vector<std::string>& ids, const char* none) {
  return {what, ids.empty() ? none : std::to_string(ids.size()) + ": " + ids_of(ids), !ids.empty()};
}

/// Sums over one column block.
struct BlockSums {
  double low = INFINITY, high = -INFINITY, sum = 0, squares = 0;
  std::int64_t count = 0, not_finite = 0;
  std::vector<std::pair<float, float>> columns;  ///< least and greatest of each
};

void add_song(const FeatureTable& table, const FeatureBlock& block, BlockSums& s) {
  s.columns.resize(static_cast<std::size_t>(block.width), {INFINITY, -INFINITY});
  for (std::int64_t t = 0; t < table.rows(); ++t) {
    const auto row = table.row(t);
    for (std::int64_t c = 0; c < block.width; ++c) {
      const float v = row[static_cast<std::size_t>(block.offset + c)];
      if (!std::isfinite(v)) {
        ++s.not_finite;
        continue;
      }
      auto& [low, high] = s.columns[static_cast<std::size_t>(c)];
      low = std::min(low, v);
      high = std::max(high, v);
      s.sum += static_cast<double>(v);
      s.squares += static_cast<double>(v) * static_cast<double>(v);
      ++s.count;
    }
  }
}

AuditRow describe(const std::string& name, const BlockSums& s) {
  double low = INFINITY, high = -INFINITY;
  std::int64_t constant = 0;
  for (const auto& [least, greatest] : s.columns) {
    low = std::min(low, static_cast<double>(least));
    high = std::max(high, static_cast<double>(greatest));
    constant += least >= greatest ? 1 : 0;
  }
  const auto n = static_cast<double>(std::max<std::int64_t>(1, s.count));
  const double mean = s.sum / n;
  const double deviation = std::sqrt(std::max(0.0, s.squares / n - mean * mean));
  AuditRow row{name,
               format_number(low) + " .. " + format_number(high) + ", mean " + format_number(mean) +
                   " +- " + format_number(deviation),
               false};
  if (s.not_finite > 0) {
    row.detail += "; " + std::to_string(s.not_finite) + " values are not finite";
    row.problem = true;
  }
  if (constant > 0) {
    row.detail += "; " + std::to_string(constant) + " of " + std::to_string(s.columns.size()) +
                  " columns never change";
    row.problem = true;
  }
  return row;
}

}  // namespace

std::vector<AuditRow> audit_labels(const Corpus& corpus) {
  std::vector<AuditRow> rows;
  std::map<std::string, std::int64_t> splits;
  std::map<std::string, std::set<std::string>> split_of_group;
  std::vector<std::string> all, nothing, unsure, torn;
  double share = 0, cuts = 0, minutes = 0;
  std::int64_t exact = 0;
  for (const Song& song : corpus.songs()) {
    ++splits[song.pair.split];
    split_of_group[song.pair.group].insert(song.pair.split);
    const double kept = kept_share(song);
    share += kept;
    cuts += static_cast<double>(song.alignment.edl.segments.size());
    minutes += static_cast<double>(song.raw.samples) / song.raw.sample_rate / 60.0;
    exact += song.exact ? 1 : 0;
    if (kept >= 0.999) all.push_back(song.pair.id);
    if (kept <= 0.001) nothing.push_back(song.pair.id);
    if (!song.exact && confidence(song) < 0.5) unsure.push_back(song.pair.id);
  }
  for (const auto& [group, where] : split_of_group) {
    if (where.size() > 1) torn.push_back(group);
  }
  const auto n = static_cast<double>(std::max<std::size_t>(1, corpus.songs().size()));
  std::string by_split;
  for (const auto& [name, count] : splits) {
    by_split += (by_split.empty() ? "" : ", ") + name + " " + std::to_string(count);
  }
  const bool no_validation = splits["train"] == 0 || splits["val"] == 0;
  rows.push_back({"pairs", by_split + (no_validation ? ": train and val must both have some" : ""),
                  no_validation});
  rows.push_back({"kept", format_number(100 * share / n) + " % of the raw on average", false});
  rows.push_back(
      {"segments", format_number(minutes > 0 ? cuts / minutes : 0) + " a minute of raw", false});
  rows.push_back({"truth", std::to_string(exact) + " exact, the others aligned", false});
  rows.push_back(count_row("whole recordings kept", all, "none"));
  rows.push_back(count_row("nothing kept", nothing, "none"));
  rows.push_back(count_row("doubtful alignments", unsure, "none (mean confidence below 0.5)"));
  rows.push_back(count_row("groups in several splits", torn, "none"));
  return rows;
}

std::vector<AuditRow> audit_features(const Corpus& corpus) {
  std::map<std::string, BlockSums> sums;
  for (const Song& song : corpus.songs()) {
    for (const auto& [name, table] : song.features) {
      for (const FeatureBlock& block : table.blocks()) {
        add_song(table, block, sums[name + "." + block.name]);
      }
    }
  }
  std::vector<AuditRow> rows;
  for (const auto& [name, s] : sums) rows.push_back(describe(name, s));
  return rows;
}

}  // namespace retake::cli

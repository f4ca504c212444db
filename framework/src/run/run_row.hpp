#pragma once
// One run as `retake runs` sees it: facts, metrics and settings by key, read when asked for.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "retake/value.hpp"
#include "run/checkpoint.hpp"
#include "run/run_folder.hpp"

namespace retake::run {

/// Reads without locks and never writes. Not thread-safe.
class RunRow {
 public:
  /// Reads the manifest; one that is missing or damaged gives a row whose status says so.
  explicit RunRow(RunFolder run);

  const RunFolder& run() const { return run_; }
  /// As in the manifest; "killed" for one that says "running" while nobody holds the run's lock,
  /// "starting" before there is a manifest, "damaged" when it can't be read.
  const std::string& status() const { return status_; }
  const std::string& started() const { return started_; }

  /// A fact (id, name as the experiment has it, date, started, ended, status, seed, step,
  /// exit_code, config_hash, tag, notes, summary: all metrics), else a metric (its best value, else
  /// its last; NAME.best, NAME.last, NAME.step), else a path of the resolved config
  /// ("model.d_model"). Nothing when the run has none of this name. Of a run that goes on, or ended
  /// without sealing its manifest, step and metrics are what progress.json, metrics.jsonl and the
  /// newest checkpoint tell.
  std::optional<Value> get(const std::string& key) const;
  /// "val/edit_f1 0.812" of the first metric that has a best value; empty while there is none.
  std::string best_text() const;
  /// Every key `get` may know, for did-you-mean.
  std::vector<std::string> keys() const;

  static const std::vector<std::string>& facts();

 private:
  /// How far the run is.
  struct Present {
    bool sealed = false;  ///< the manifest's own account is the newest there is
    std::optional<std::int64_t> step;
    std::optional<BestMark> best;  ///< only when not sealed
  };
  const Present& present() const;
  Table metrics_so_far() const;
  std::optional<Value> fact(const std::string& key) const;
  std::optional<Value> metric(const std::string& key) const;
  const Table& summary() const;
  const Table& config() const;
  /// A member of the manifest; nothing when absent, null or unreadable.
  std::optional<Value> at(std::string_view key) const;

  RunFolder run_;
  std::string text_;                                         ///< of the manifest
  std::vector<std::pair<std::size_t, std::size_t>> slices_;  ///< of each member: begin, length
  std::vector<std::string> members_;
  std::string status_;
  std::string started_;
  mutable std::optional<Present> present_;
  mutable std::optional<Table> summary_;
  mutable std::optional<Table> config_;
};

/// Cells by column for rows that match; see `RunRow::get`.
struct RunQuery {
  std::string where;  ///< empty: all
  std::string sort;   ///< KEY: largest first; KEY:asc: smallest first; empty: newest first
  std::vector<std::string> keys;  ///< further columns
  std::size_t last = 0;           ///< of the matching ones, the N newest; 0: all
};
/// Throws UsageError (E610) for a `where` that can't be read, or a key that no run has (with
/// did-you-mean).
std::vector<RunRow> query_runs(const std::filesystem::path& runs_dir, const RunQuery& query);

}  // namespace retake::run

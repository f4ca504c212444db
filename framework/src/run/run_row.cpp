#include "run/run_row.hpp"

#include <algorithm>
#include <system_error>

#include "config/document.hpp"
#include "config/path.hpp"
#include "core/files.hpp"
#include "core/suggest.hpp"
#include "retake/error.hpp"
#include "retake/log.hpp"
#include "run/json_slices.hpp"
#include "run/manifest.hpp"
#include "run/progress.hpp"
#include "run/run_find.hpp"
#include "run/where.hpp"

namespace retake::run {

namespace fs = std::filesystem;

namespace {

std::optional<Value> as_optional(const Value* value) {
  if (value == nullptr || value->is_null()) return std::nullopt;
  return *value;
}

/// A JSON file that another process may be about to write; nothing when absent or damaged.
std::optional<Value> read_state(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(file, error)) return std::nullopt;
  try {
    return parse_json(read_file(file), file.string());
  } catch (const DataError& e) {
    log_debug(e.what());
    return std::nullopt;
  }
}

std::optional<std::int64_t> step_at(const Value& state, std::string_view path) {
  const Value* step = find_path(state, path);
  if (step == nullptr || !step->is_int()) return std::nullopt;
  return step->as_int();
}

/// A best value with its metric and step, each by its path.
std::optional<BestMark> best_at(const Value& state, std::string_view metric, std::string_view value,
                                std::string_view step) {
  const Value* name = find_path(state, metric);
  const Value* number = find_path(state, value);
  const auto at = step_at(state, step);
  if (!at || !name || !name->is_string() || !number || !number->is_number()) return std::nullopt;
  return BestMark{*at, name->as_string(), number->as_double()};
}

void collect_paths(const Table& table, const std::string& prefix, std::vector<std::string>& out) {
  for (const auto& [key, value] : table) {
    const std::string path = config::child_path(prefix, key);
    if (value.is_table()) {
      collect_paths(value.as_table(), path, out);
    } else {
      out.push_back(path);
    }
  }
}

}  // namespace

const std::vector<std::string>& RunRow::facts() {
  static const std::vector<std::string> names{
      "id",   "name",      "date",        "started", "ended", "status", "seed",
      "step", "exit_code", "config_hash", "tag",     "notes", "summary"};
  return names;
}

RunRow::RunRow(RunFolder run) : run_(std::move(run)), started_(run_.date()) {
  std::error_code error;
  if (!fs::exists(run_.manifest(), error)) {
    status_ = run_.is_locked() ? "starting" : "killed";
    return;
  }
  status_ = "damaged";
  try {
    text_ = read_file(run_.manifest());
  } catch (const DataError& e) {
    log_debug(e.what());
    return;
  }
  const auto slices = slice_json_object(text_);
  if (!slices) return;
  for (const auto& [key, value] : *slices) {
    members_.emplace_back(key);
    slices_.emplace_back(static_cast<std::size_t>(value.data() - text_.data()), value.size());
  }
  if (const auto status = at("status"); status && status->is_string()) {
    status_ = status->as_string();
  }
  if (const auto started = at("started"); started && started->is_string()) {
    started_ = started->as_string();
  }
  if (status_ == "running" && !run_.is_locked()) status_ = "killed";
}

std::optional<Value> RunRow::at(std::string_view key) const {
  const auto found = std::find(members_.begin(), members_.end(), key);
  if (found == members_.end()) return std::nullopt;
  const auto [begin, length] = slices_[static_cast<std::size_t>(found - members_.begin())];
  try {
    const Value value =
        parse_json(std::string_view(text_).substr(begin, length), run_.manifest().string());
    return as_optional(&value);
  } catch (const DataError& e) {
    log_debug(e.what());
    return std::nullopt;
  }
}

std::optional<Value> RunRow::fact(const std::string& key) const {
  if (key == "id") return Value(run_.id());
  if (key == "name") {
    const auto experiment = at("x-experiment");
    const Value* name = experiment ? find_path(*experiment, "name") : nullptr;
    const bool named = name != nullptr && name->is_string() && !name->as_string().empty();
    return named ? *name : Value(run_.name());
  }
  if (key == "date") return Value(run_.date());
  if (key == "summary") return Value(summary());
  if (key == "started") return Value(started_);
  if (key == "status") return Value(status_);
  if (key == "tag" || key == "notes") {
    const auto experiment = at("x-experiment");
    if (!experiment || !experiment->is_table()) return std::nullopt;
    return as_optional(experiment->as_table().find(key == "tag" ? "tags" : "notes"));
  }
  if (key != "step") return at(key);
  return present().step ? std::optional<Value>(*present().step) : std::nullopt;
}

const RunRow::Present& RunRow::present() const {
  if (present_) return *present_;
  Present now;
  if (const auto attempts = at("attempts");
      attempts && attempts->is_array() && !attempts->as_array().empty()) {
    now.step = step_at(attempts->as_array().back(), "to_step");  // null while it runs
  }
  const CheckpointStore store(run_.checkpoints());
  const std::vector<std::int64_t> steps = store.steps();
  now.sealed = now.step && (steps.empty() || steps.back() <= *now.step);
  const auto learn = [&now](std::optional<std::int64_t> step, std::optional<BestMark> best) {
    if (step && (!now.step || *step > *now.step)) now.step = step;
    if (best && (!now.best || best->step > now.best->step)) now.best = std::move(best);
  };
  if (!now.sealed) {
    if (const auto live = read_state(run_.progress())) {
      learn(step_at(*live, "step"), best_at(*live, "metric", "best", "best_step"));
    }
    if (!steps.empty()) {
      const auto newest =
          read_state(run_.checkpoints() / checkpoint_name(steps.back()) / "hashes.json");
      learn(steps.back(),
            newest ? best_at(*newest, "best.metric", "best.value", "best.step") : std::nullopt);
    }
  }
  return present_.emplace(std::move(now));
}

/// Of a run that is not sealed. What has a best value in the end is known to the plugins; here only
/// of the metric that chooses the best checkpoint.
Table RunRow::metrics_so_far() const {
  std::vector<std::pair<std::string, std::string>> goals;
  const Value* metric = config::find_value(config(), config::parse_path("train.metric"));
  const Value* goal = config::find_value(config(), config::parse_path("train.goal"));
  if (metric && metric->is_string() && goal && goal->is_string()) {
    goals.emplace_back(metric->as_string(), goal->as_string());
  }
  Table out;
  std::error_code error;
  if (fs::exists(run_.metrics(), error)) out = summarize_metrics(run_.metrics(), goals);
  if (const auto& best = present().best) {
    Value& entry = out[best->metric];
    if (!entry.is_table()) entry = Table();
    const Value* known = entry.as_table().find("best");
    // The later of two is the better one, and metrics.jsonl lags behind by some lines.
    if (known == nullptr || entry.as_table().at("step").as_int() < best->step) {
      entry.as_table()["best"] = best->value;
      entry.as_table()["step"] = best->step;
    }
  }
  return out;
}

const Table& RunRow::summary() const {
  if (summary_) return *summary_;
  summary_.emplace();
  if (const auto sealed = at("summary"); sealed && sealed->is_table()) {
    summary_ = sealed->as_table();
  }
  if (summary_->empty() || !present().sealed) {
    try {
      summary_ = metrics_so_far();
    } catch (const DataError& e) {
      log_warning(e.what());
    }
  }
  return *summary_;
}

std::optional<Value> RunRow::metric(const std::string& key) const {
  const auto field = [&](const std::string& name, std::string_view which) -> std::optional<Value> {
    const Value* entry = summary().find(name);
    if (entry == nullptr || !entry->is_table()) return std::nullopt;
    return as_optional(entry->as_table().find(which));
  };
  if (auto best = field(key, "best")) return best;
  if (auto last = field(key, "last")) return last;
  const std::size_t dot = key.rfind('.');
  if (dot == std::string::npos) return std::nullopt;
  const std::string which = key.substr(dot + 1);
  if (which != "best" && which != "last" && which != "step") return std::nullopt;
  return field(key.substr(0, dot), which);
}

const Table& RunRow::config() const {
  if (config_) return *config_;
  config_.emplace();
  std::error_code error;
  if (!fs::exists(run_.resolved_config(), error)) return *config_;
  try {
    const std::string name = run_.resolved_config().string();
    config_ = config::parse_document(read_file(run_.resolved_config()), name).tree;
  } catch (const Error& e) {
    log_warning(e.what());
  }
  return *config_;
}

std::optional<Value> RunRow::get(const std::string& key) const {
  const auto& names = facts();
  if (std::find(names.begin(), names.end(), key) != names.end()) return fact(key);
  if (auto value = metric(key)) return value;
  try {
    return as_optional(config::find_value(config(), config::parse_path(key)));
  } catch (const std::invalid_argument&) {
    return std::nullopt;  // a metric's name that is no path
  }
}

std::string RunRow::best_text() const {
  const auto experiment = at("x-experiment");
  const Value* metric = experiment ? find_path(*experiment, "metric") : nullptr;
  if (metric == nullptr || !metric->is_string()) return {};
  const Value* entry = summary().find(metric->as_string());
  const Value* best = entry && entry->is_table() ? entry->as_table().find("best") : nullptr;
  if (best == nullptr || !best->is_number()) return {};
  return metric->as_string() + " " + format_number(best->as_double());
}

std::vector<std::string> RunRow::keys() const {
  std::vector<std::string> out = facts();
  for (const auto& [name, unused] : summary()) out.push_back(name);
  collect_paths(config(), "", out);
  return out;
}

namespace {

/// A misspelt key would match nothing, silently.
void check_keys(const std::vector<RunRow>& rows, const std::vector<std::string>& keys) {
  for (const auto& key : keys) {
    const auto& facts = RunRow::facts();
    if (rows.empty() || std::find(facts.begin(), facts.end(), key) != facts.end()) continue;
    const auto has = [&](const RunRow& row) { return row.get(key).has_value(); };
    if (std::any_of(rows.begin(), rows.end(), has)) continue;
    Diagnostic d;
    d.id = "E610";
    d.message = "no run has a metric or a setting `" + key + "`";
    // The newest runs tell what there is.
    std::vector<std::string> known;
    for (std::size_t i = 0; i < std::min<std::size_t>(rows.size(), 5); ++i) {
      for (auto& name : rows[rows.size() - 1 - i].keys()) known.push_back(std::move(name));
    }
    std::sort(known.begin(), known.end());
    known.erase(std::unique(known.begin(), known.end()), known.end());
    const auto meant = did_you_mean(key, known);
    d.help = meant
                 ? "did you mean `" + *meant + "`?"
                 : "name a metric (val/edit_f1), a setting (model.plugin) or a fact (tag, status)";
    throw UsageError(d);
  }
}

/// Numbers before texts, absent last.
bool before(const std::optional<Value>& a, const std::optional<Value>& b, bool ascending) {
  if (!a || !b) return a.has_value() && !b.has_value();
  if (a->is_number() != b->is_number()) return a->is_number();
  if (a->is_number()) {
    return ascending ? a->as_double() < b->as_double() : a->as_double() > b->as_double();
  }
  const std::string x = a->is_string() ? a->as_string() : to_json(*a);
  const std::string y = b->is_string() ? b->as_string() : to_json(*b);
  return ascending ? x < y : x > y;
}

}  // namespace

std::vector<RunRow> query_runs(const fs::path& runs_dir, const RunQuery& query) {
  std::optional<Where> where;
  if (!query.where.empty()) where = Where::parse(query.where);
  std::vector<RunRow> rows;
  for (auto& run : list_runs(runs_dir)) rows.emplace_back(std::move(run));
  std::stable_sort(rows.begin(), rows.end(),
                   [](const RunRow& a, const RunRow& b) { return a.started() < b.started(); });
  const bool ascending = query.sort.ends_with(":asc");
  const std::string sort_key = query.sort.substr(0, query.sort.size() - (ascending ? 4 : 0));
  std::vector<std::string> keys = query.keys;
  if (!sort_key.empty()) keys.push_back(sort_key);
  if (where) keys.insert(keys.end(), where->keys().begin(), where->keys().end());
  check_keys(rows, keys);
  if (where) {
    std::erase_if(rows, [&](const RunRow& row) {
      return !where->matches([&](const std::string& key) { return row.get(key); });
    });
  }
  std::reverse(rows.begin(), rows.end());
  if (query.last > 0 && rows.size() > query.last)
    rows.erase(rows.begin() + static_cast<std::ptrdiff_t>(query.last), rows.end());
  if (!sort_key.empty()) {
    std::vector<std::pair<std::optional<Value>, std::size_t>> order;
    for (std::size_t i = 0; i < rows.size(); ++i) order.emplace_back(rows[i].get(sort_key), i);
    std::stable_sort(order.begin(), order.end(), [&](const auto& a, const auto& b) {
      return before(a.first, b.first, ascending);
    });
    std::vector<RunRow> sorted;
    for (const auto& [unused, i] : order) sorted.push_back(std::move(rows[i]));
    rows = std::move(sorted);
  }
  return rows;
}

}  // namespace retake::run

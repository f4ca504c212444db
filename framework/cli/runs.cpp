// retake runs: what was run, filtered, sorted, with any metric or setting as a column.

#include <algorithm>

#include "command.hpp"
#include "run/progress.hpp"
#include "run/run_row.hpp"
#include "table_text.hpp"

namespace retake::cli {
namespace {

using run::RunQuery;
using run::RunRow;

void options(po::options_description& o) {
  o.add_options()("where", po::value<std::string>()->value_name("CONDITION"),
                  "only runs that meet it: 'tag=ablation and val/edit_f1>0.8'")(
      "sort", po::value<std::string>()->value_name("KEY"),
      "by a metric, setting or fact, largest first; KEY:asc smallest first")(
      "cols", po::value<std::vector<std::string>>()->value_name("KEY,KEY"), "further columns")(
      "last", po::value<std::int64_t>()->value_name("N"), "the N newest of them")(
      "dir", po::value<std::string>()->value_name("DIR")->default_value("runs"),
      "the folder that holds the runs");
}

std::vector<std::string> split_columns(const Arguments& a) {
  std::vector<std::string> out;
  if (!a.options.contains("cols")) return out;
  for (const auto& text : a.options["cols"].as<std::vector<std::string>>()) {
    std::size_t begin = 0;
    while (begin <= text.size()) {
      const std::size_t end = std::min(text.find(',', begin), text.size());
      if (end > begin) out.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
  }
  return out;
}

std::string cell(const std::optional<Value>& value) {
  if (!value) return "-";
  if (value->is_string()) return value->as_string();
  if (value->is_float()) return run::format_number(value->as_double());
  if (value->is_array()) {
    std::string out;
    for (const auto& item : value->as_array()) out += (out.empty() ? "" : ",") + cell(item);
    return out.empty() ? "-" : out;
  }
  return to_json(*value);
}

Table json_row(const RunRow& row, const std::vector<std::string>& keys) {
  Table out;
  for (const char* key :
       {"id", "name", "started", "ended", "status", "exit_code", "step", "seed"}) {
    out[key] = row.get(key).value_or(Value());
  }
  out["tags"] = row.get("tag").value_or(Value(Array{}));
  out["summary"] = row.get("summary").value_or(Value(Table()));
  out["path"] = row.run().path().string();
  for (const auto& key : keys) out[key] = row.get(key).value_or(Value());
  return out;
}

std::string human_table(const std::vector<RunRow>& rows, const std::vector<std::string>& keys,
                        const std::string& dir, bool chosen) {
  if (rows.empty()) return (chosen ? "no runs that fit in " : "no runs in ") + dir;
  std::vector<std::string> titles{"id", "name", "started", "status", "step", "best", "tags"};
  titles.insert(titles.end(), keys.begin(), keys.end());
  std::vector<std::vector<std::string>> cells;
  for (const auto& row : rows) {
    std::string started = row.started().substr(0, 16);
    if (started.size() == 16) started[10] = ' ';
    const std::string best = row.best_text();
    cells.push_back({row.run().id(), cell(row.get("name")), started, row.status(),
                     cell(row.get("step")), best.empty() ? "-" : best, cell(row.get("tag"))});
    for (const auto& key : keys) cells.back().push_back(cell(row.get(key)));
  }
  return columns(titles, cells);
}

int run_command(const Arguments& a) {
  if (!a.positional.empty()) {
    throw usage_error("`retake runs` takes no arguments",
                      "filter with  --where 'name=" + a.positional.front() + "'");
  }
  RunQuery query;
  if (a.options.contains("where")) query.where = a.options["where"].as<std::string>();
  if (a.options.contains("sort")) query.sort = a.options["sort"].as<std::string>();
  if (a.options.contains("last")) {
    const std::int64_t last = a.options["last"].as<std::int64_t>();
    if (last < 1) throw usage_error("--last takes a number of 1 or more", "--last 10");
    query.last = static_cast<std::size_t>(last);
  }
  query.keys = split_columns(a);
  const std::string dir = a.options["dir"].as<std::string>();
  const std::vector<RunRow> rows = run::query_runs(dir, query);
  Array json;
  if (a.globals.json) {
    for (const auto& row : rows) json.push_back(json_row(row, query.keys));
  }
  print_result(a, Value(std::move(json)),
               [&] { return human_table(rows, query.keys, dir, a.options.contains("where")); });
  return 0;
}

const RegisterCommand registered(
    {.name = "runs",
     .synopsis = "[--where CONDITION] [--sort KEY] [--cols KEY,...] [--last N]",
     .summary = "List runs with their status, metrics and settings",
     .examples = {"retake runs --last 10",
                  "retake runs --where 'tag=ablation and val/edit_f1>0.8' --sort val/edit_f1 "
                  "--cols model.d_model,optimizer.lr"},
     .options = options,
     .run = run_command,
     .details = "A condition compares facts (id name date started status seed step tag notes), "
                "metrics (their best value) and settings of the resolved config by = != < <= > >=, "
                "joined by and, or, not and brackets. Nothing is locked or written."});

}  // namespace
}  // namespace retake::cli

#include "show_diff.hpp"

#include <filesystem>

#include "config/document.hpp"
#include "config/explain.hpp"
#include "config/write.hpp"
#include "core/files.hpp"
#include "run/run_find.hpp"
#include "table_text.hpp"

namespace retake::cli {
namespace {

/// One of the two: its values as a resolved file holds them, and where each was written.
struct Side {
  std::string name;
  Table tree;
  config::OriginMap origins;
  bool is_run = false;
};

/// What the comment of a resolved file says of a key's origin, after its unit.
std::string recorded_origin(const config::Origin& origin) {
  const std::string line = config::key_place(origin).source_line;
  const std::size_t comment = line.rfind("  # ");
  if (comment == std::string::npos) return {};
  const std::string text = line.substr(comment + 4);
  const std::size_t unit = text.rfind("; ");
  return unit == std::string::npos ? text : text.substr(unit + 2);
}

std::string origin_text(const Side& side, const std::string& path) {
  const config::Origin* origin = config::origin_of(side.origins, path);
  if (origin == nullptr) return "default";
  if (side.is_run) return recorded_origin(*origin);
  return config::describe(*origin);
}

Side side_of(const config::ResolvedExperiment& e) {
  return {e.file, config::resolved_value(e).as_table(), e.origins};
}

/// A run is read as it was written, so that it needs none of its plugins.
Side side_of(const run::RunFolder& run) {
  config::Document document =
      config::parse_document(read_file(run.resolved_config()), run.resolved_config().string());
  return {"run " + run.id(), std::move(document.tree), std::move(document.origins), true};
}

bool is_experiment(const std::string& other) {
  return other.ends_with(".toml") || std::filesystem::is_regular_file(other);
}

Value cell_value(const Side& side, const std::string& path, const std::optional<Value>& value) {
  if (!value) return Value();
  Table t;
  t["value"] = *value;
  t["origin"] = origin_text(side, path);
  return t;
}

std::string cell_text(const Side& side, const std::string& path,
                      const std::optional<Value>& value) {
  if (!value) return "-";
  const std::string origin = origin_text(side, path);
  const std::string text = value->is_null() ? "-" : config::inline_toml(*value);
  return text + (origin.empty() ? "" : "  (" + origin + ")");
}

bool lies_in(const std::string& path, const std::string& only) {
  return only.empty() || path == only || path.starts_with(only + ".");
}

}  // namespace

void show_difference(const Arguments& arguments, const config::ResolvedExperiment& experiment,
                     const std::string& other, const std::string& runs_dir, const std::string& only,
                     const config::Catalog& catalog) {
  const Side left = side_of(experiment);
  config::LoadOptions load;
  for (const std::string& folder : arguments.globals.config_path) {
    load.config_path.emplace_back(folder);
  }
  const Side right = is_experiment(other)
                         ? side_of(config::resolve_experiment(other, catalog, load))
                         : side_of(run::find_run(other, runs_dir));
  Array rows;
  std::vector<std::vector<std::string>> cells;
  for (const config::Difference& d : config::differences(left.tree, right.tree)) {
    if (!lies_in(d.path, only)) continue;
    Table row;
    row["path"] = d.path;
    row["left"] = cell_value(left, d.path, d.left);
    row["right"] = cell_value(right, d.path, d.right);
    rows.emplace_back(std::move(row));
    cells.push_back({d.path, cell_text(left, d.path, d.left), cell_text(right, d.path, d.right)});
  }
  Table out;
  out["left"] = left.name;
  out["right"] = right.name;
  out["same"] = cells.empty();
  out["differences"] = std::move(rows);
  print_result(arguments, out, [&] {
    if (cells.empty()) return left.name + " and " + right.name + " resolve to the same values\n";
    return columns({"", left.name, right.name}, cells);
  });
}

}  // namespace retake::cli

// Identity (config_hash), the resolved file, and the run's names.

#include <algorithm>
#include <stdexcept>

#include "config/experiment.hpp"
#include "config/explain.hpp"
#include "config/interpolate.hpp"
#include "config/path.hpp"
#include "config/write.hpp"
#include "core/build_info.hpp"
#include "core/hash.hpp"

namespace retake::config {
namespace {

/// Walks what a schema describes and keeps what affects results.
class IdentityMaker {
 public:
  IdentityMaker(const ResolvedExperiment& experiment, const Identity& replace)
      : experiment_(experiment), replace_(replace) {}

  Table fields(const std::vector<FieldInfo>& all, const Table& values, const std::string& path) {
    Table out;
    for (const FieldInfo& f : all) {
      const Value* value = values.find(f.name);
      if (value == nullptr || !f.affects_results) continue;
      const std::string at = child_path(path, f.name);
      if (f.type == FieldType::group && value->is_table()) {
        out[f.name] = fields(f.fields, value->as_table(), at);
      } else if (f.type == FieldType::group && value->is_array()) {
        Array items;
        for (std::size_t i = 0; i < value->as_array().size(); ++i) {
          items.emplace_back(fields(f.fields, value->as_array()[i].as_table(), item_path(at, i)));
        }
        out[f.name] = std::move(items);
      } else {
        out[f.name] = leaf(f, *value, at);
      }
    }
    return out;
  }

 private:
  Value leaf(const FieldInfo& field, const Value& value, const std::string& path) {
    if (replace_ && field.is_path) {
      if (auto other = replace_(path, value)) return std::move(*other);
    }
    // `${run:id}` differs from run to run, so identity holds the text that stands for it.
    const auto it = experiment_.run_texts.find(path);
    if (it != experiment_.run_texts.end()) return it->second;
    if (!value.is_array()) return value;
    Array items;
    for (std::size_t i = 0; i < value.as_array().size(); ++i) {
      const auto item = experiment_.run_texts.find(item_path(path, i));
      items.push_back(item != experiment_.run_texts.end() ? Value(item->second)
                                                          : value.as_array()[i]);
    }
    return items;
  }

  const ResolvedExperiment& experiment_;
  const Identity& replace_;
};

/// The tree with every text as interpolation must see it: run texts back, other `${` escaped.
Value written_form(const Value& value, const std::string& path,
                   const std::map<std::string, std::string>& run_texts) {
  if (value.is_table()) {
    Table out;
    for (const auto& [key, item] : value.as_table()) {
      out[key] = written_form(item, child_path(path, key), run_texts);
    }
    return out;
  }
  if (value.is_array()) {
    Array out;
    for (std::size_t i = 0; i < value.as_array().size(); ++i) {
      out.push_back(written_form(value.as_array()[i], item_path(path, i), run_texts));
    }
    return out;
  }
  if (!value.is_string()) return value;
  const auto it = run_texts.find(path);
  return it != run_texts.end() ? it->second : escape_interpolation(value.as_string());
}

void put_names(Value& value, const std::string& path, const ResolvedExperiment& experiment,
               const RunNames& names) {
  if (value.is_table()) {
    for (auto& [key, item] : value.as_table()) {
      put_names(item, child_path(path, key), experiment, names);
    }
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.as_array().size(); ++i) {
      put_names(value.as_array()[i], item_path(path, i), experiment, names);
    }
  } else if (const auto it = experiment.run_texts.find(path); it != experiment.run_texts.end()) {
    std::string text = it->second;
    const std::pair<const char*, const std::string*> all[] = {
        {"${run:id}", &names.id}, {"${run:dir}", &names.dir}, {"${run:name}", &names.name}};
    for (const auto& [mark, name] : all) {
      const std::size_t length = std::string_view(mark).size();
      for (std::size_t at = 0; (at = text.find(mark, at)) != std::string::npos;) {
        text.replace(at, length, *name);
        at += name->size();
      }
    }
    value = text;
  }
}

std::string comment_at(const ResolvedExperiment& experiment, const std::string& path) {
  const Origin* origin = nearest_origin(experiment.origins, path);
  // A table's own writing says nothing of the keys it does not hold.
  const bool own = origin_of(experiment.origins, path) != nullptr;
  const auto field = field_at(experiment, path);
  const std::string unit = field ? field->unit : std::string();
  return (unit.empty() ? "" : unit + "; ") +
         (own && origin != nullptr ? describe(*origin) : std::string("default"));
}

/// The table at `only` inside its parents, so that it reads as part of an experiment.
Table part_of(const Table& tree, const std::string& only) {
  const Path path = parse_path(only);
  const Value* part = find_value(tree, path);
  if (part == nullptr || !part->is_table()) {
    throw std::invalid_argument("no table [" + only + "]");
  }
  Table nested = part->as_table();
  for (auto it = path.rbegin(); it != path.rend(); ++it) {
    Table outer;
    outer[it->key] = std::move(nested);
    nested = std::move(outer);
  }
  return nested;
}

std::string commented_toml(const Table& tree, const std::string& only, std::string head,
                           const CommentOf& comment) {
  std::replace_if(
      head.begin(), head.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20; }, '?');
  return "# " + head + "\n\n" + write_toml(only.empty() ? tree : part_of(tree, only), comment);
}

}  // namespace

void substitute_run(ResolvedExperiment& experiment, const RunNames& names) {
  if (experiment.run_texts.empty()) return;
  put_names(experiment.tree, "", experiment, names);
  for (ResolvedComponent& c : experiment.components) {
    for (auto& [key, value] : c.params) {
      put_names(value, child_path(c.table, key), experiment, names);
    }
  }
  const Table& tree = experiment.tree.as_table();
  experiment.experiment = Schema<ExperimentTable>::make().read(tree.at("experiment").as_table());
  experiment.train = Schema<TrainTable>::make().read(tree.at("train").as_table());
  experiment.run = Schema<RunTable>::make().read(tree.at("run").as_table());
}

Value identity_of(const ResolvedExperiment& experiment, const Identity& replace) {
  IdentityMaker maker(experiment, replace);
  const Table& tree = experiment.tree.as_table();
  Table out;
  for (const char* name : {"experiment", "train", "run"}) {
    out[name] = maker.fields(host_schema(name)->fields, tree.at(name).as_table(), name);
  }
  for (const ResolvedComponent& c : experiment.components) {
    if (!c.enabled) continue;
    Table table;
    table["plugin"] = c.plugin;
    if (is_weighted_kind(c.kind)) table["weight"] = c.weight;
    for (const auto& [key, value] : maker.fields(c.info->schema.fields, c.params, c.table)) {
      table[key] = value;
    }
    if (c.name.empty()) {
      out[c.kind] = std::move(table);
    } else {
      Value& kind = out[c.kind];
      if (!kind.is_table()) kind = Table();
      kind.as_table()[c.name] = std::move(table);
    }
  }
  return out;
}

std::string config_hash(const ResolvedExperiment& experiment, const Identity& replace) {
  return sha256_hex(to_canonical_json(identity_of(experiment, replace)));
}

Value resolved_value(const ResolvedExperiment& experiment) {
  return written_form(experiment.tree, "", experiment.run_texts);
}

std::string resolved_toml(const ResolvedExperiment& experiment, const std::string& only) {
  return commented_toml(resolved_value(experiment).as_table(), only,
                        experiment.file + " resolved by retake " + build_info::version +
                            "; beside each key its unit and where it was written",
                        [&](const std::string& path) { return comment_at(experiment, path); });
}

std::string merged_toml(const MergedExperiment& experiment, const std::string& only) {
  return commented_toml(
      experiment.tree.as_table(), only,
      experiment.file + " with what it extends; beside each key where it was " + "written",
      [&](const std::string& path) {
        const Origin* origin = origin_of(experiment.origins, path);
        return origin != nullptr ? describe(*origin) : std::string();
      });
}

}  // namespace retake::config

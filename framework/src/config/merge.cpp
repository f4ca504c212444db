#include "config/merge.hpp"

#include <algorithm>
#include <stdexcept>

#include "config/path.hpp"
#include "config/write.hpp"
#include "core/suggest.hpp"

namespace retake::config {
namespace {

Diagnostic merge_problem(std::string message, const Place& place, std::string caret,
                         std::string help) {
  Diagnostic d;
  d.id = "E133";
  d.message = std::move(message);
  d.place = place;
  d.caret = std::move(caret);
  d.help = std::move(help);
  return d;
}

std::vector<MergeRules::Entry> read_list(const Document& document, const std::string& key,
                                         const Value& value, Findings& findings) {
  const std::string path = child_path("merge", key);
  std::vector<MergeRules::Entry> out;
  const auto complain = [&](const std::string& where, const std::string& why) {
    findings.add(Certainty::structure,
                 merge_problem("`" + path + "` must be a list of paths: " + why,
                               value_place(*nearest_origin(document.origins, where)), {},
                               "for example  " + key + " = [\"dataset.roots\"]"));
  };
  if (!value.is_array()) {
    complain(path, "got " + std::string(type_name(value.type())));
    return out;
  }
  for (std::size_t i = 0; i < value.as_array().size(); ++i) {
    const Value& item = value.as_array()[i];
    const std::string item_at = item_path(path, i);
    if (!item.is_string()) {
      complain(item_at, "got " + std::string(type_name(item.type())));
      continue;
    }
    try {
      out.push_back({to_string(parse_path(item.as_string())),
                     value_place(*nearest_origin(document.origins, item_at))});
    } catch (const std::invalid_argument& e) {
      complain(item_at, e.what());
    }
  }
  return out;
}

bool listed(const std::vector<MergeRules::Entry>& entries, const std::string& path) {
  return std::any_of(entries.begin(), entries.end(),
                     [&](const MergeRules::Entry& entry) { return entry.path == path; });
}

class Merger {
 public:
  Merger(Document& base, const Document& over, const MergeRules& rules, Findings& findings)
      : base_(base), over_(over), rules_(rules), findings_(findings) {}

  void run() {
    for (const Dropped& d : over_.dropped) add_dropped(d, base_.dropped);
    for (const auto& entry : rules_.erase) {
      note_dropped(base_.origins, entry.path, entry.place, "merge.delete", base_.dropped);
      erase_value(base_.tree, parse_path(entry.path));
      erase_origins(base_.origins, entry.path);
    }
    merge_table(base_.tree, over_.tree, "");
  }

 private:
  void merge_table(Table& base, const Table& over, const std::string& path) {
    for (const auto& [key, value] : over) {
      const std::string at = child_path(path, key);
      Value* mine = base.find(key);
      if (mine != nullptr && mine->is_table() && value.is_table()) {
        drop_for_new_plugin(mine->as_table(), value.as_table(), at);
        append_history(at);
        merge_table(mine->as_table(), value.as_table(), at);
      } else if (mine != nullptr && mine->is_array() && value.is_array() &&
                 listed(rules_.append, at)) {
        append_items(mine->as_array(), value.as_array(), at);
      } else {
        replace(base, key, value, at);
      }
    }
  }

  void append_history(const std::string& at) {
    const auto it = over_.origins.find(at);
    if (it == over_.origins.end()) return;
    add_origins(it->second, base_.origins[at]);
  }

  void append_items(Array& mine, const Array& more, const std::string& at) {
    append_history(at);
    for (std::size_t i = 0; i < more.size(); ++i) {
      copy_origins(over_.origins, item_path(at, i), base_.origins, item_path(at, mine.size()));
      mine.push_back(more[i]);
    }
  }

  void replace(Table& base, const std::string& key, const Value& value, const std::string& at) {
    std::vector<Origin> history;
    if (const auto it = base_.origins.find(at); it != base_.origins.end()) history = it->second;
    erase_origins(base_.origins, at);
    if (!history.empty()) base_.origins[at] = std::move(history);
    copy_origins(over_.origins, at, base_.origins, at);
    base[key] = value;
  }

  bool is_kept(const std::string& path) const {
    return std::any_of(rules_.keep.begin(), rules_.keep.end(), [&](const auto& entry) {
      return entry.path == path || entry.path.starts_with(path + ".");
    });
  }

  void drop_for_new_plugin(Table& base, const Table& over, const std::string& at) {
    const Value* old_plugin = base.find("plugin");
    const Value* new_plugin = over.find("plugin");
    if (old_plugin == nullptr || new_plugin == nullptr || !old_plugin->is_string() ||
        !new_plugin->is_string() || *old_plugin == *new_plugin) {
      return;
    }
    std::vector<std::string> keys;
    for (const auto& [key, value] : base) {
      if (key != "plugin" && key != "weight" && key != "enabled") keys.push_back(key);
    }
    std::string dropped;
    Place by;
    if (const Origin* origin = origin_of(over_.origins, child_path(at, "plugin"))) {
      by = value_place(*origin);
    }
    const std::string why = at + ".plugin changed from `" + old_plugin->as_string() + "` to `" +
                            new_plugin->as_string() + "`";
    for (const std::string& key : keys) {
      const std::string path = child_path(at, key);
      if (is_kept(path)) continue;
      dropped +=
          (dropped.empty() ? "" : ", ") + quoted_key(key) + "=" + inline_toml(*base.find(key));
      base.erase(key);
      note_dropped(base_.origins, path, by, why, base_.dropped);
      erase_origins(base_.origins, path);
    }
    if (dropped.empty()) return;
    Diagnostic d;
    d.severity = Severity::warning;
    d.id = "W12";
    d.message = why + "; dropped inherited: " + dropped + "  (keep with merge.keep)";
    if (!by.file.empty()) d.place = std::move(by);
    findings_.note(std::move(d));
  }

  Document& base_;
  const Document& over_;
  const MergeRules& rules_;
  Findings& findings_;
};

}  // namespace

MergeRules take_merge_rules(Document& document, Findings& findings) {
  MergeRules rules;
  const Value* merge = document.tree.find("merge");
  if (merge == nullptr) return rules;
  if (!merge->is_table()) {
    findings.add(Certainty::structure,
                 merge_problem("`merge` must be a table",
                               value_place(*nearest_origin(document.origins, "merge")), {},
                               "write  [merge]  and below it append, delete or keep"));
  } else {
    for (const auto& [key, value] : merge->as_table()) {
      if (key == "append") {
        rules.append = read_list(document, key, value, findings);
      } else if (key == "delete") {
        rules.erase = read_list(document, key, value, findings);
      } else if (key == "keep") {
        rules.keep = read_list(document, key, value, findings);
      } else {
        const auto guess = did_you_mean(key, std::vector<std::string>{"append", "delete", "keep"});
        findings.add(
            Certainty::structure,
            merge_problem("unknown key `" + key + "` in [merge]",
                          key_place(*nearest_origin(document.origins, child_path("merge", key))),
                          guess ? "did you mean `" + *guess + "`?" : "",
                          "only append, delete and keep exist"));
      }
    }
  }
  document.tree.erase("merge");
  erase_origins(document.origins, "merge");
  return rules;
}

void check_merge_rules(const Document& base, const Document& over, const MergeRules& rules,
                       Findings& findings) {
  for (const auto* list : {&rules.erase, &rules.keep}) {
    for (const auto& entry : *list) {
      if (find_value(base.tree, parse_path(entry.path)) != nullptr) continue;
      const auto guess = near_path(base, entry.path);
      findings.add(Certainty::structure,
                   merge_problem("the bases have no `" + entry.path + "`", entry.place,
                                 guess ? "did you mean `" + *guess + "`?" : "",
                                 "delete it from [merge], or correct the path"));
    }
  }
  for (const auto& entry : rules.append) {
    const Value* mine = find_value(over.tree, parse_path(entry.path));
    if (mine != nullptr && mine->is_array()) continue;
    findings.add(Certainty::structure,
                 merge_problem("merge.append names `" + entry.path +
                                   "`, which this file does not set to an array",
                               entry.place, {}, "write  " + entry.path + " = [...]  in this file"));
  }
}

void merge_over(Document& base, const Document& over, const MergeRules& rules, Findings& findings) {
  Merger(base, over, rules, findings).run();
}

std::optional<std::string> near_path(const Document& document, const std::string& path) {
  const Path wanted = parse_path(path);
  std::optional<std::string> best;
  std::size_t least = 0;
  for (const auto& [known, origins] : document.origins) {
    if (known.find('[') != std::string::npos || known == path) continue;
    const Path candidate = parse_path(known);
    if (candidate.size() != wanted.size()) continue;
    std::size_t edits = 0;
    bool near = true;
    for (std::size_t i = 0; i < wanted.size() && near; ++i) {
      const std::string& mine = wanted[i].key;
      near = !wanted[i].index && did_you_mean(mine, std::vector{candidate[i].key}).has_value();
      edits += edit_distance(mine, candidate[i].key);
    }
    if (!near || (best && edits >= least)) continue;
    best = known;
    least = edits;
  }
  return best;
}

}  // namespace retake::config

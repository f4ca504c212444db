// Overrides of the command line: path=value, path+=value, --unset path.

#include <algorithm>
#include <optional>
#include <stdexcept>

#include "config/layers.hpp"
#include "config/merge.hpp"
#include "config/path.hpp"
#include "core/suggest.hpp"

namespace retake::config {
namespace {

struct Override {
  enum class What { set, append, unset };
  What what = What::set;
  Path path;
  std::string name;  ///< canonical path
  Value value;
  Origin origin;
};

Diagnostic problem(const std::string& id, const OverrideText& text, std::string message,
                   std::string help) {
  Diagnostic d;
  d.id = id;
  d.message = std::move(message);
  d.place = Place{};
  d.place->file = "argv[" + std::to_string(text.argv_index) + "]: " + text.text;
  d.help = std::move(help);
  return d;
}

/// Where the path ends: the first `=` outside quotes; npos when there is none.
std::size_t find_equals(const std::string& text) {
  char quote = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quote != 0) {
      if (text[i] == '\\' && quote == '"')
        ++i;
      else if (text[i] == quote)
        quote = 0;
    } else if (text[i] == '"' || text[i] == '\'') {
      quote = text[i];
    } else if (text[i] == '=') {
      return i;
    }
  }
  return std::string::npos;
}

bool parse_override(const OverrideText& text, Override& out, Findings& findings) {
  const auto bad = [&](const std::string& why, const std::string& help) {
    findings.add(Certainty::structure,
                 problem("E111", text, "this override cannot be read: " + why, help));
    return false;
  };
  if (!is_utf8(text.text)) return bad("it is not UTF-8", "type it in a UTF-8 terminal");
  std::string path = text.text;
  if (text.unset) {
    out.what = Override::What::unset;
  } else {
    std::size_t equals = find_equals(text.text);
    if (equals == std::string::npos) {
      const bool removal = text.text.starts_with("~");
      return bad("it has no `=`", removal ? "write  --unset " + text.text.substr(1)
                                          : "write  path=value,  path+=value  or  --unset path");
    }
    const std::string raw = text.text.substr(equals + 1);
    if (!parse_value(raw, out.value)) out.value = raw;
    if (equals > 0 && text.text[equals - 1] == '+') {
      out.what = Override::What::append;
      --equals;
    }
    path = text.text.substr(0, equals);
  }
  try {
    out.path = parse_path(text.prefix.empty() ? path : text.prefix + "." + path);
  } catch (const std::invalid_argument& e) {
    const std::size_t plain = path.find_first_not_of("+~");
    return bad("`" + path + "` is no path: " + e.what(),
               plain == 0 || plain == std::string::npos
                   ? "a path is like  model.d_model"
                   : "leave the " + path.substr(0, plain) + " away: the schema says what exists");
  }
  out.name = to_string(out.path);
  out.origin.argv_index = text.argv_index;
  out.origin.argument = text.text;
  out.origin.layer = kCommandLineLayer;
  return true;
}

/// Gives a value and everything below it the override as origin.
void record(OriginMap& origins, const std::string& path, const Value& value, const Origin& origin) {
  Origin own = origin;
  if (!value.is_table()) own.written = value;
  origins[path].push_back(std::move(own));
  if (value.is_table()) {
    for (const auto& [key, item] : value.as_table()) {
      record(origins, child_path(path, key), item, origin);
    }
  } else if (value.is_array()) {
    for (std::size_t i = 0; i < value.as_array().size(); ++i) {
      record(origins, item_path(path, i), value.as_array()[i], origin);
    }
  }
}

/// The list that holds the path's first item: frames of frames[1]; none without an index.
std::optional<Path> enclosing_list(const Path& path) {
  const auto item = std::find_if(path.begin(), path.end(),
                                 [](const PathPart& part) { return part.index.has_value(); });
  if (item == path.end()) return std::nullopt;
  return Path(path.begin(), item);
}

class Applier {
 public:
  Applier(Document& document, const MergeRules& rules, Findings& findings)
      : document_(document), rules_(rules), findings_(findings) {}

  void apply(const Override& o) {
    switch (o.what) {
      case Override::What::set:
        set(o);
        break;
      case Override::What::append:
        append(o);
        break;
      case Override::What::unset:
        unset(o);
        break;
    }
  }

 private:
  void refuse(const Override& o, std::string message, std::string help) {
    Diagnostic d;
    d.id = "E112";
    d.message = std::move(message);
    d.place = key_place(o.origin);
    d.help = std::move(help);
    findings_.add(Certainty::structure, std::move(d));
  }

  void nothing_written(const Override& o, std::string help) {
    if (const auto guess = near_path(document_, o.name)) help = "did you mean `" + *guess + "`?";
    refuse(o, "nothing is written at `" + o.name + "`", std::move(help));
  }

  /// The list as it is now was written by the override too.
  void note_list(const Override& o) {
    const auto list = enclosing_list(o.path);
    const Value* whole = list ? find_value(document_.tree, *list) : nullptr;
    if (whole == nullptr) return;
    Origin origin = o.origin;
    origin.written = *whole;
    document_.origins[to_string(*list)].push_back(std::move(origin));
  }

  void set(const Override& o) {
    if (const auto list = enclosing_list(o.path)) {
      Value* slot = find_value(document_.tree, o.path);
      if (slot == nullptr) {
        const std::string name = to_string(*list);
        nothing_written(
            o, "write the whole list,  " + name + "=[...],  or append to it,  " + name + "+=[...]");
        return;
      }
      *slot = o.value;
      record(document_.origins, o.name, o.value, o.origin);
      note_list(o);
      return;
    }
    Document layer;
    Table* at = &layer.tree;
    Path prefix;
    for (std::size_t i = 0; i + 1 < o.path.size(); ++i) {
      prefix.push_back(o.path[i]);
      Value& inner = (*at)[o.path[i].key];
      inner = Table();
      at = &inner.as_table();
      // Only where the table is new: an override inside it is not a writing of the table.
      if (find_value(document_.tree, prefix) == nullptr) {
        layer.origins[to_string(prefix)].push_back(o.origin);
      }
    }
    (*at)[o.path.back().key] = o.value;
    record(layer.origins, o.name, o.value, o.origin);
    document_.append_to_default.erase(o.name);
    merge_over(document_, layer, rules_, findings_);
  }

  void append(const Override& o) {
    const Array items = o.value.is_array() ? o.value.as_array() : Array{o.value};
    Value* target = find_value(document_.tree, o.path);
    if (target == nullptr) {
      // Nothing wrote it: its schema's default is what grows, once the schema is known.
      auto& pending = document_.append_to_default[o.name];
      pending.insert(pending.end(), items.begin(), items.end());
      Override empty = o;
      empty.value = Array();
      auto kept = std::move(document_.append_to_default);
      set(empty);
      document_.append_to_default = std::move(kept);
      // Not there when nothing could be set: an item of a list that nothing wrote.
      if (auto it = document_.origins.find(o.name);
          it != document_.origins.end() && !it->second.empty()) {
        it->second.back().written = o.value;
      }
      return;
    }
    if (!target->is_array()) {
      refuse(o,
             "`" + o.name + "` is " + std::string(type_name(target->type())) +
                 ", so nothing can be appended to it",
             "write  " + o.name + "=...  to replace it");
      return;
    }
    if (const auto it = document_.append_to_default.find(o.name);
        it != document_.append_to_default.end()) {
      it->second.insert(it->second.end(), items.begin(), items.end());
      return;
    }
    Origin origin = o.origin;
    for (const Value& item : items) {
      record(document_.origins, item_path(o.name, target->as_array().size()), item, o.origin);
      target->as_array().push_back(item);
    }
    origin.written = *target;
    document_.origins[o.name].push_back(std::move(origin));
  }

  void unset(const Override& o) {
    if (!erase_value(document_.tree, o.path)) {
      nothing_written(o, "what no file sets has its default already");
      return;
    }
    note_dropped(document_.origins, o.name, key_place(o.origin), "--unset", document_.dropped);
    erase_origins(document_.origins, o.name);
    document_.append_to_default.erase(o.name);
    if (o.path.back().index) close_gap(o.path);
    note_list(o);
  }

  /// The items behind a removed one have moved up.
  void close_gap(Path path) {
    std::size_t& at = *path.back().index;
    for (std::string to = to_string(path);;) {
      ++at;
      const std::string from = to_string(path);
      if (!document_.origins.contains(from)) return;
      const OriginMap before = document_.origins;
      copy_origins(before, from, document_.origins, to);
      erase_origins(document_.origins, from);
      to = from;
    }
  }

  Document& document_;
  const MergeRules& rules_;
  Findings& findings_;
};

}  // namespace

namespace {

/// merge.keep=[...] among the overrides goes to the rules. False for what is no merge rule.
bool take_merge_rule(const Override& o, const OverrideText& text, const Document& document,
                     MergeRules& rules, Findings& findings) {
  if (o.path.front().key != "merge" || !text.prefix.empty()) return false;
  if (o.name != "merge.keep" || o.what == Override::What::unset) {
    findings.add(Certainty::structure,
                 problem("E112", text, "`" + o.name + "` has no meaning on the command line",
                         "write  PATH+=[...]  to append and  --unset PATH  to delete; only "
                         "merge.keep=[...] can be given here"));
    return true;
  }
  Document own;
  Table keep;
  keep["keep"] = o.value;
  own.tree["merge"] = std::move(keep);
  record(own.origins, "merge", own.tree.at("merge"), o.origin);
  MergeRules more = take_merge_rules(own, findings);
  check_merge_rules(document, own, more, findings);
  rules.keep.insert(rules.keep.end(), more.keep.begin(), more.keep.end());
  return true;
}

/// Tables that only files have, or that another command reads.
bool refuse_table(const Override& o, const OverrideText& text, Findings& findings) {
  const std::string& table = o.path.front().key;
  if (!text.prefix.empty() || (table != "extends" && table != "sweep")) return false;
  findings.add(Certainty::structure,
               problem("E112", text,
                       table == "extends" ? "`extends` is written in files only"
                                          : "[sweep] is no part of a run: nothing reads it here",
                       table == "extends" ? "lay another file on top with  --set-file FILE"
                                          : "write it in the file of the sweep"));
  return true;
}

}  // namespace

void apply_overrides(Document& document, const std::vector<OverrideText>& overrides,
                     Findings& findings, MergeRules rules) {
  std::vector<Override> parsed;
  for (const OverrideText& text : overrides) {
    Override o;
    if (!parse_override(text, o, findings)) continue;
    if (take_merge_rule(o, text, document, rules, findings)) continue;
    if (!refuse_table(o, text, findings)) parsed.push_back(std::move(o));
  }
  // A new plugin drops inherited parameters, never those of this command line.
  std::stable_partition(parsed.begin(), parsed.end(), [](const Override& o) {
    return o.what == Override::What::set && o.path.back().key == "plugin";
  });
  Applier applier(document, rules, findings);
  for (const Override& o : parsed) applier.apply(o);
}

std::vector<std::string> comma_values(const Origin& origin) {
  if (origin.argv_index == 0 || !origin.written.is_string()) return {};
  const std::size_t equals = find_equals(origin.argument);
  if (equals == std::string::npos) return {};
  const std::string raw = origin.argument.substr(equals + 1);
  if (raw != origin.written.as_string() || raw.find(',') == std::string::npos) return {};
  if (raw.find_first_of("[]{}()") != std::string::npos) return {};  // a list or table gone wrong
  std::vector<std::string> out;
  for (std::size_t at = 0; at <= raw.size();) {
    const std::size_t comma = std::min(raw.find(',', at), raw.size());
    std::string part = raw.substr(at, comma - at);
    part.erase(0, part.find_first_not_of(' '));
    Value value;
    if (part.empty()) return {};
    out.push_back(parse_value(part, value) ? part : quoted_string(part));
    at = comma + 1;
  }
  return out;
}

}  // namespace retake::config

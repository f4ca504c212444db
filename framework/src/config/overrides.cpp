// Overrides of the command line: path=value, path+=value, --unset path.

#include <algorithm>
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
      return bad("it has no `=`", "write  path=value,  path+=value  or  --unset path");
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
    return bad("`" + path + "` is no path: " + e.what(), "a path is like  model.d_model");
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

class Applier {
 public:
  Applier(Document& document, Findings& findings) : document_(document), findings_(findings) {}

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
  void missing(const Override& o, const std::string& message) {
    Diagnostic d;
    d.id = "E112";
    d.message = message;
    d.place = key_place(o.origin);
    const auto guess = did_you_mean(o.name, known_paths(document_));
    d.help = guess ? "did you mean `" + *guess + "`?"
                   : "see what there is with  retake show EXP --resolved";
    findings_.add(Certainty::structure, std::move(d));
  }

  void set(const Override& o) {
    const bool indexed = std::any_of(o.path.begin(), o.path.end(),
                                     [](const PathPart& part) { return part.index.has_value(); });
    if (indexed) {
      Value* slot = find_value(document_.tree, o.path);
      if (slot == nullptr) {
        missing(o, "there is nothing written at `" + o.name + "`");
        return;
      }
      *slot = o.value;
      record(document_.origins, o.name, o.value, o.origin);
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
    merge_over(document_, layer, {}, findings_);
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
      return;
    }
    if (!target->is_array()) {
      missing(o, "`" + o.name + "` is " + std::string(type_name(target->type())) +
                     ", so nothing can be appended to it");
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
      missing(o, "there is nothing written at `" + o.name + "` to unset");
      return;
    }
    note_dropped(document_.origins, o.name, key_place(o.origin), "--unset", document_.dropped);
    erase_origins(document_.origins, o.name);
    document_.append_to_default.erase(o.name);
  }

  Document& document_;
  Findings& findings_;
};

}  // namespace

void apply_overrides(Document& document, const std::vector<OverrideText>& overrides,
                     Findings& findings) {
  std::vector<Override> parsed;
  for (const OverrideText& text : overrides) {
    Override o;
    if (parse_override(text, o, findings)) parsed.push_back(std::move(o));
  }
  // A new plugin drops inherited parameters, never those of this command line.
  std::stable_partition(parsed.begin(), parsed.end(), [](const Override& o) {
    return o.what == Override::What::set && o.path.back().key == "plugin";
  });
  Applier applier(document, findings);
  for (const Override& o : parsed) applier.apply(o);
}

std::vector<std::string> comma_values(const Origin& origin) {
  if (origin.argv_index == 0 || !origin.written.is_string()) return {};
  const std::size_t equals = find_equals(origin.argument);
  if (equals == std::string::npos) return {};
  const std::string raw = origin.argument.substr(equals + 1);
  if (raw != origin.written.as_string() || raw.find(',') == std::string::npos) return {};
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

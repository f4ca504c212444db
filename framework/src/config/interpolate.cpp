#include "config/interpolate.hpp"

#include <algorithm>
#include <stdexcept>

#include "config/merge.hpp"
#include "config/path.hpp"
#include "core/suggest.hpp"

namespace retake::config {
namespace {

constexpr std::size_t kMaxText = 1U << 20U;
constexpr std::size_t kMaxValues = 100'000;  // that all references of an experiment copy

std::size_t count_values(const Value& value) {
  if (!value.is_array()) return 1;
  std::size_t count = 1;
  for (const Value& item : value.as_array()) count += count_values(item);
  return count;
}

bool is_variable_name(const std::string& name) {
  if (name.empty() || (name[0] >= '0' && name[0] <= '9')) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// Thrown inside a text to leave it; the finding has been added.
struct Failed {};

class Interpolator {
 public:
  Interpolator(Document& document, const DefaultOf& default_of, const EnvironmentOf& environment,
               Findings& findings)
      : document_(document),
        default_of_(default_of),
        environment_(environment),
        findings_(findings) {}

  Interpolated run() {
    for (auto& [key, value] : document_.tree) {
      if (key != "sweep") walk(value, child_path("", key));
    }
    return std::move(out_);
  }

 private:
  void walk(Value& value, const std::string& path) {
    if (value.is_table()) {
      for (auto& [key, item] : value.as_table()) walk(item, child_path(path, key));
    } else if (value.is_array()) {
      for (std::size_t i = 0; i < value.as_array().size(); ++i) {
        walk(value.as_array()[i], item_path(path, i));
      }
    } else if (value.is_string()) {
      try {
        value = text_at(path, value.as_string());
      } catch (const Failed&) {
        out_.failed.insert(path);
      }
    }
  }

  /// The final value of the text at `path`, made once.
  Value text_at(const std::string& path, const std::string& text) {
    if (const auto it = done_.find(path); it != done_.end()) return it->second;
    if (out_.failed.contains(path)) throw Failed{};
    if (text.find("${") == std::string::npos) return text;
    if (std::find(stack_.begin(), stack_.end(), path) != stack_.end() || stack_.size() > 200) {
      std::string round;
      for (const std::string& step : stack_) round += step + " -> ";
      fail("E123", path, "interpolations go round: " + round + path, "break the circle");
    }
    stack_.push_back(path);
    Value value;
    try {
      value = expand(path, text);
    } catch (const Failed&) {
      stack_.pop_back();
      out_.failed.insert(path);
      throw;
    }
    stack_.pop_back();
    done_.emplace(path, value);
    return value;
  }

  Value expand(const std::string& path, const std::string& text) {
    std::string out;
    bool holds_run = false;
    bool holds_literal = false;
    for (std::size_t at = 0; at < text.size();) {
      if (text.compare(at, 3, "$${") == 0) {
        out += "${";
        at += 3;
        holds_literal = true;
        continue;
      }
      if (text.compare(at, 2, "${") != 0) {
        out += text[at++];
        continue;
      }
      const std::size_t end = text.find('}', at);
      if (end == std::string::npos) {
        fail("E120", path, "`${` is not closed by `}`", "write $${ for a literal ${");
      }
      const std::string body = text.substr(at + 2, end - at - 2);
      if (body.starts_with("run:")) {
        out += run_text(path, body);
        holds_run = true;
      } else if (body.starts_with("env:")) {
        out += environment_text(path, body.substr(4));
      } else {
        const std::string name = reference_path(path, body);
        const Value value = referenced(path, name);
        if (at == 0 && end + 1 == text.size()) return whole(path, name, value);
        out += as_text(path, body, value);
        holds_run = holds_run || out_.run_texts.contains(name);
      }
      at = end + 1;
      if (out.size() > kMaxText) fail("E120", path, "the text grows beyond 1 MiB", "shorten it");
    }
    if (holds_run && holds_literal) {
      fail("E120", path, "${run:...} and a literal $${ cannot stand in one text",
           "leave one of them out");
    }
    if (holds_run) out_.run_texts[path] = out;
    return out;
  }

  /// A text that is one ${path}: the value with its type, and what it holds of the run.
  Value whole(const std::string& path, const std::string& name, const Value& value) {
    if (value.is_table()) {
      fail("E124", path, "`" + name + "` is a table, no value", "name one of its keys");
    }
    copied_ += count_values(value);
    if (copied_ > kMaxValues) {
      fail("E120", path, "references copy more than " + std::to_string(kMaxValues) + " values",
           "shorten these arrays");
    }
    if (const auto it = out_.run_texts.find(name); it != out_.run_texts.end()) {
      out_.run_texts[path] = it->second;
    }
    for (std::size_t i = 0; value.is_array() && i < value.as_array().size(); ++i) {
      const auto it = out_.run_texts.find(item_path(name, i));
      if (it != out_.run_texts.end()) out_.run_texts[item_path(path, i)] = it->second;
    }
    return value;
  }

  std::string run_text(const std::string& path, const std::string& body) {
    static const std::vector<std::string> known = {"id", "dir", "name"};
    const std::string what = body.substr(4);
    if (std::find(known.begin(), known.end(), what) == known.end()) {
      const auto guess = did_you_mean(what, known);
      fail("E120", path, "a run has no `" + what + "`",
           guess ? "did you mean `${run:" + *guess + "}`?"
                 : "only ${run:id}, ${run:dir} and ${run:name} exist");
    }
    return "${" + body + "}";
  }

  std::string environment_text(const std::string& path, const std::string& body) {
    const std::size_t mark = body.find(":-");
    const std::string name = body.substr(0, mark);
    if (!is_variable_name(name)) {
      fail("E120", path, "`" + name + "` is no name of an environment variable",
           "write  ${env:NAME}  or  ${env:NAME:-default}");
    }
    const std::optional<std::string> value = environment_(name);
    if (!value && mark == std::string::npos) {
      fail("E122", path, "the environment variable " + name + " is not set",
           "set it:  export " + name + "=...   or give a default:  ${env:" + name + ":-...}");
    }
    if (value && !is_utf8(*value)) {
      fail("E122", path, "the environment variable " + name + " is not UTF-8 text",
           "set it to UTF-8 text");
    }
    out_.environment[name] = value ? Value(*value) : Value();
    return value ? *value : body.substr(mark + 2);
  }

  std::string reference_path(const std::string& path, const std::string& body) {
    const std::size_t colon = body.find(':');
    if (colon != std::string::npos && body.find('"') == std::string::npos) {
      fail("E120", path, "there is no interpolation `${" + body.substr(0, colon + 1) + "...}`",
           "only ${path.to.key}, ${env:NAME}, ${env:NAME:-default} and ${run:id|dir|name} exist");
    }
    try {
      const std::string name = to_string(parse_path(body));
      const auto renamed = document_.renamed.find(name);
      return renamed != document_.renamed.end() ? renamed->second : name;
    } catch (const std::invalid_argument& e) {
      fail("E120", path, "`${" + body + "}` names no path: " + e.what(),
           "write $${ for a literal ${");
    }
  }

  Value referenced(const std::string& path, const std::string& name) {
    if (Value* found = find_value(document_.tree, parse_path(name))) {
      Value value = *found;
      finish(value, name);
      return value;
    }
    if (auto value = default_of_(name)) return std::move(*value);
    const auto guess = near_path(document_, name);
    fail("E121", path, "there is no `" + name + "` to take the value of",
         guess ? "did you mean `${" + *guess + "}`?" : "check the path");
  }

  /// Interpolates what a reference points at, wherever the walk stands.
  void finish(Value& value, const std::string& name) {
    if (value.is_string()) {
      value = text_at(name, value.as_string());
    } else if (value.is_array()) {
      for (std::size_t i = 0; i < value.as_array().size(); ++i) {
        finish(value.as_array()[i], item_path(name, i));
      }
    }
  }

  std::string as_text(const std::string& path, const std::string& body, const Value& value) {
    switch (value.type()) {
      case Value::Type::string:
        return value.as_string();
      case Value::Type::boolean:
        return value.as_bool() ? "true" : "false";
      case Value::Type::integer:
        return std::to_string(value.as_int());
      case Value::Type::floating:
        return format_double(value.as_double());
      default:
        fail("E124", path,
             "`" + body + "` is " + std::string(type_name(value.type())) +
                 ", which cannot stand inside a text",
             "name a single value");
    }
  }

  [[noreturn]] void fail(const std::string& id, const std::string& path, std::string message,
                         std::string help) {
    Diagnostic d;
    d.id = id;
    d.message = std::move(message);
    if (const Origin* origin = nearest_origin(document_.origins, path)) {
      d.place = value_place(*origin);
    }
    d.help = std::move(help);
    findings_.add(Certainty::structure, std::move(d));
    throw Failed{};
  }

  Document& document_;
  const DefaultOf& default_of_;
  const EnvironmentOf& environment_;
  Findings& findings_;
  Interpolated out_;
  std::map<std::string, Value> done_;
  std::vector<std::string> stack_;
  std::size_t copied_ = 0;
};

}  // namespace

Interpolated interpolate(Document& document, const DefaultOf& default_of,
                         const EnvironmentOf& environment, Findings& findings) {
  return Interpolator(document, default_of, environment, findings).run();
}

std::string escape_interpolation(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text.compare(i, 2, "${") == 0) out += '$';
    out += text[i];
  }
  return out;
}

}  // namespace retake::config

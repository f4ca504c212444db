#include "data/splits.hpp"

#include <toml++/toml.h>
#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>
#include <sstream>
#include <string_view>

#include "core/files.hpp"
#include "core/suggest.hpp"
#include "retake/rng.hpp"

namespace retake {

namespace fs = std::filesystem;

namespace {

constexpr const char* kSchema = "retake.splits/1";
constexpr std::array<const char*, 3> kSplits = {"train", "val", "test"};

[[noreturn]] void bad_rule(const std::string& text, const std::string& what) {
  Diagnostic d;
  d.id = "E510";
  d.message = "`" + text + "` is no split rule: " + what;
  d.help = "write it like  test=0.2,val=0.1,by=group  (by: group, id or prefix:X; seed=N)";
  throw UsageError(std::move(d));
}

double parse_share(const std::string& text, std::string_view part, std::string_view value) {
  double share = 0.0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), share);
  if (error != std::errc() || end != value.data() + value.size() ||
      !(share >= 0.0 && share < 1.0)) {
    bad_rule(text,
             std::string(part) + " must be a share in [0, 1), got `" + std::string(value) + "`");
  }
  return share;
}

void set_part(SplitRule& rule, const std::string& text, std::string_view part) {
  const std::size_t equals = part.find('=');
  const std::string key(part.substr(0, equals));
  const std::string value(equals == part.npos ? std::string_view() : part.substr(equals + 1));
  if (key == "test") {
    rule.test = parse_share(text, key, value);
  } else if (key == "val") {
    rule.val = parse_share(text, key, value);
  } else if (key == "by") {
    const bool prefix = value.starts_with("prefix:") && value.size() > 7;
    if (value != "group" && value != "id" && !prefix) {
      bad_rule(text, "by must be group, id or prefix:X, got `" + value + "`");
    }
    rule.by = value;
  } else if (key == "seed") {
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), rule.seed);
    if (error != std::errc() || end != value.data() + value.size()) {
      bad_rule(text, "seed must be a whole number >= 0, got `" + value + "`");
    }
  } else {
    const auto hint = did_you_mean(key, std::vector<std::string>{"test", "val", "by", "seed"});
    bad_rule(text, "unknown part `" + key + "`" + (hint ? ", did you mean `" + *hint + "`?" : ""));
  }
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}
bool is_separator(char c) {
  return c == '_' || c == '-' || c == ' ' || c == '.';
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = (c >= 'A' && c <= 'Z') ? static_cast<char>(c + 32) : c;
  return out;
}

void strip_separators(std::string& id) {
  while (id.size() > 1 && is_separator(id.back())) id.pop_back();
}

/// Cuts the last word when it is a version mark: word, then digits ("take3", "V2", "mix").
bool strip_mark(std::string& id) {
  std::size_t end = id.size();
  std::size_t digits = end;
  while (digits > 0 && is_digit(id[digits - 1])) --digits;
  std::size_t word_end = digits;
  while (word_end > 0 && word_end == digits && is_separator(id[word_end - 1])) --word_end;
  std::size_t word = word_end;
  while (word > 0 && is_letter(id[word - 1])) --word;
  const std::string text = lower(std::string_view(id).substr(word, word_end - word));
  const bool has_digits = digits < end;
  static const std::set<std::string> marks = {"take", "synth",   "mix", "remix",
                                              "alt",  "version", "ver"};
  // "V2" after a word needs no separator (jamV2); the others do, lest "retake" lose its end.
  const bool v = has_digits && word_end == digits && word_end > 1 &&
                 lower(id.substr(word_end - 1, 1)) == "v" && end - digits <= 2 &&
                 (text == "v" || id[word_end - 1] == 'V');
  if (v) {
    id.resize(word_end - 1);
  } else if (marks.count(text) != 0 && word > 0 && is_separator(id[word - 1])) {
    id.resize(word);
  } else {
    return false;
  }
  strip_separators(id);
  return true;
}

/// "15B" -> "15": one letter straight after a digit; "jam (2)" -> "jam".
bool strip_suffix(std::string& id) {
  if (id.size() >= 2 && is_digit(id[id.size() - 2]) && is_letter(id.back())) {
    id.pop_back();
    return true;
  }
  if (id.size() < 4 || id.back() != ')') return false;
  std::size_t at = id.size() - 1;
  while (at > 0 && is_digit(id[at - 1])) --at;
  if (at == id.size() - 1 || at < 2 || id[at - 1] != '(') return false;
  id.resize(at - 1);
  strip_separators(id);
  return true;
}

[[noreturn]] void bad_file(const fs::path& file, const std::string& what,
                           toml::source_position at) {
  Diagnostic d =
      file_diagnostic("E511", file.string(), file.string() + " is no split: " + what,
                      "make it anew with  retake pairs ROOT --split test=0.2,val=0.1,by=group");
  if (d.place && at.line > 0) {
    d.place->line = static_cast<int>(at.line);
    d.place->column = static_cast<int>(at.column);
  }
  throw DataError(std::move(d));
}

std::map<std::string, std::string> string_map(const fs::path& file, const toml::table& root,
                                              const char* name) {
  std::map<std::string, std::string> out;
  const toml::table* table = root[name].as_table();
  if (table == nullptr) bad_file(file, std::string("table [") + name + "] is missing", {});
  for (const auto& [key, node] : *table) {
    const auto value = node.value<std::string>();
    if (!value) {
      bad_file(file, "`" + std::string(key.str()) + "` in [" + name + "] is no string",
               node.source().begin);
    }
    out[std::string(key.str())] = *value;
  }
  return out;
}

/// A TOML basic string.
std::string toml_string(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto u = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (u < 0x20 || u == 0x7F) {
      std::array<char, 8> code{};
      std::snprintf(code.data(), code.size(), "\\u%04X", u);
      out += code.data();
    } else {
      out += c;
    }
  }
  return out + "\"";
}

struct Group {
  std::string name;
  std::string split;  ///< empty while undecided
  std::uint64_t order = 0;
  double size = 0.0;
};

std::vector<Group> collect_groups(const std::vector<Pair>& pairs, const SplitRule& rule,
                                  bool keep_stored) {
  std::map<std::string, Group> groups;
  for (const Pair& pair : pairs) {
    Group& group = groups[pair.group];
    group.name = pair.group;
    group.size += 1.0;
    if (!keep_stored || pair.split.empty()) continue;
    if (!group.split.empty() && group.split != pair.split) {
      Diagnostic d;
      d.id = "E512";
      d.message =
          "group `" + pair.group + "` stands in two splits, " + group.split + " and " + pair.split;
      d.facts.push_back("pairs of one song or session must not cross a split");
      d.help = "make the split anew with  retake pairs ROOT --split test=0.2,val=0.1,by=group";
      throw DataError(std::move(d));
    }
    group.split = pair.split;
  }
  std::vector<Group> out;
  for (auto& [name, group] : groups) {
    group.order = derive_seed(rule.seed, {std::string_view("data/split"), std::string_view(name)});
    out.push_back(std::move(group));
  }
  std::sort(out.begin(), out.end(), [](const Group& a, const Group& b) {
    return a.order != b.order ? a.order < b.order : a.name < b.name;
  });
  return out;
}

}  // namespace

SplitRule parse_split_rule(const std::string& text) {
  SplitRule rule;
  rule.val = 0.0;
  rule.test = 0.0;
  std::istringstream parts(text);
  for (std::string part; std::getline(parts, part, ',');) set_part(rule, text, part);
  if (rule.test + rule.val >= 1.0) bad_rule(text, "test and val leave nothing for train");
  if (rule.test + rule.val <= 0.0) bad_rule(text, "neither test nor val has a share");
  return rule;
}

std::string group_of_id(const std::string& id) {
  std::string group = id;
  strip_separators(group);
  while (group.size() > 1 && (strip_mark(group) || strip_suffix(group))) {
  }
  return group;
}

std::string group_by_rule(const std::string& id, const SplitRule& rule) {
  if (rule.by == "id") return id;
  if (rule.by.starts_with("prefix:")) return id.substr(0, id.find(rule.by.substr(7)));
  return group_of_id(id);
}

std::optional<StoredSplits> read_splits(const fs::path& file) {
  std::error_code error;
  if (!fs::exists(file, error)) return std::nullopt;
  const std::string text = read_file(file);
  toml::table root;
  try {
    root = toml::parse(text, file.string());
  } catch (const toml::parse_error& e) {
    bad_file(file, std::string(e.description()), e.source().begin);
  }
  if (root["schema"].value<std::string>() != std::optional<std::string>(kSchema)) {
    bad_file(file, std::string("`schema` is not \"") + kSchema + "\"", {});
  }
  StoredSplits out;
  out.split = string_map(file, root, "split");
  out.group = string_map(file, root, "group");
  for (const auto& [id, split] : out.split) {
    if (std::find(kSplits.begin(), kSplits.end(), split) == kSplits.end()) {
      bad_file(file, "split `" + split + "` of `" + id + "` is not train, val or test", {});
    }
  }
  const auto number = [&](const char* key, double fallback) {
    return root["rule"][key].value<double>().value_or(fallback);
  };
  out.rule.test = number("test", out.rule.test);
  out.rule.val = number("val", out.rule.val);
  out.rule.by = root["rule"]["by"].value<std::string>().value_or("group");
  out.rule.seed =
      static_cast<std::uint64_t>(root["rule"]["seed"].value<std::int64_t>().value_or(0));
  return out;
}

void write_splits(const PairSet& set, const SplitRule& rule) {
  std::string text =
      "# Which pairs train, validate and test. Pairs of one group never cross the split.\n"
      "# Made by `retake pairs ROOT --split ...`; pairs that come later are added to it in "
      "place.\n";
  text += std::string("schema = \"") + kSchema + "\"\n\n[rule]\n";
  text += "test = " + format_double(rule.test) + "\nval = " + format_double(rule.val) + "\n";
  text +=
      "by = " + toml_string(rule.by) + "\nseed = " + std::to_string(rule.seed) + "\n\n[split]\n";
  for (const Pair& pair : set.pairs)
    text += toml_string(pair.id) + " = " + toml_string(pair.split) + "\n";
  text += "\n[group]\n";
  for (const Pair& pair : set.pairs)
    text += toml_string(pair.id) + " = " + toml_string(pair.group) + "\n";
  write_file_atomic(set.root / "splits.toml", text);
}

void assign_splits(std::vector<Pair>& pairs, const SplitRule& rule, bool keep_stored) {
  std::vector<Group> groups = collect_groups(pairs, rule, keep_stored);
  const std::array<double, 3> share = {1.0 - rule.val - rule.test, rule.val, rule.test};
  std::array<double, 3> want{};
  std::array<double, 3> have{};
  for (std::size_t s = 0; s < 3; ++s) want[s] = share[s] * static_cast<double>(pairs.size());
  for (const Group& group : groups) {
    for (std::size_t s = 0; s < 3; ++s) have[s] += group.split == kSplits[s] ? group.size : 0.0;
  }
  // Test is filled first, then val, each by the next groups in hash order as long as that brings it
  // nearer to its share (or gives it its first one, where there are three or more). The rest
  // trains.
  for (const std::size_t s : {std::size_t{2}, std::size_t{1}}) {
    for (Group& group : groups) {
      if (!group.split.empty() || want[s] <= 0.0) continue;
      const bool nearer = std::abs(have[s] + group.size - want[s]) <= std::abs(have[s] - want[s]);
      if (!nearer && (have[s] > 0.0 || groups.size() < 3)) continue;
      group.split = kSplits[s];
      have[s] += group.size;
    }
  }
  std::map<std::string, std::string> split_of;
  for (const Group& group : groups) {
    split_of[group.name] = group.split.empty() ? "train" : group.split;
  }
  for (Pair& pair : pairs) pair.split = split_of.at(pair.group);
}

}  // namespace retake

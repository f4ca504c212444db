// retake pairs: list, check and split a pair set.

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include "command.hpp"
#include "core/diagnostics.hpp"
#include "data/pair_edl.hpp"
#include "retake/data/pair_set.hpp"
#include "table_text.hpp"

namespace retake::cli {
namespace {

constexpr std::size_t kShownPairs = 40;

std::string minutes(double seconds) {
  std::array<char, 32> text{};
  const auto whole = static_cast<long>(seconds + 0.5);
  std::snprintf(text.data(), text.size(), "%ld:%02ld", whole / 60, whole % 60);
  return text.data();
}

Value pair_value(const Pair& pair) {
  Table t;
  t["id"] = Value(pair.id);
  t["group"] = Value(pair.group);
  t["split"] = Value(pair.split);
  t["raw"] = Value(pair.raw.string());
  t["edit"] = Value(pair.edit.string());
  t["raw_seconds"] = Value(pair.raw_seconds);
  t["edit_seconds"] = Value(pair.edit_seconds);
  t["truth"] = pair.truth.empty() ? Value() : Value(pair.truth.string());
  t["alignment"] = pair.alignment.empty() ? Value() : Value(pair.alignment.string());
  t["stems"] = pair.stems.empty() ? Value() : Value(pair.stems.string());
  return Value(std::move(t));
}

struct Sum {
  std::size_t pairs = 0;
  std::map<std::string, int> groups;
  double raw_s = 0.0;
  double edit_s = 0.0;
};

std::map<std::string, Sum> sums(const PairSet& set) {
  std::map<std::string, Sum> out;
  for (const Pair& pair : set.pairs) {
    Sum& sum = out[pair.split];
    ++sum.pairs;
    ++sum.groups[pair.group];
    sum.raw_s += pair.raw_seconds;
    sum.edit_s += pair.edit_seconds;
  }
  return out;
}

Value result(const PairScan& scan) {
  Array pairs;
  for (const Pair& pair : scan.set.pairs) pairs.push_back(pair_value(pair));
  Table splits;
  for (const auto& [name, sum] : sums(scan.set)) {
    Table t;
    t["pairs"] = Value(static_cast<std::int64_t>(sum.pairs));
    t["groups"] = Value(static_cast<std::int64_t>(sum.groups.size()));
    t["raw_seconds"] = Value(sum.raw_s);
    t["edit_seconds"] = Value(sum.edit_s);
    splits[name] = Value(std::move(t));
  }
  Array problems;
  for (const Diagnostic& d : scan.problems) problems.push_back(to_value(d));
  Table root;
  root["root"] = Value(scan.set.root.string());
  root["stored_split"] = Value(scan.has_stored_split);
  root["pairs"] = Value(std::move(pairs));
  root["splits"] = Value(std::move(splits));
  root["problems"] = Value(std::move(problems));
  return Value(std::move(root));
}

/// Columns in terminal cells: bytes that continue a UTF-8 character take none.
std::size_t cells(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U;
  }));
}

std::string padded(const std::string& text, std::size_t width) {
  return text + std::string(width > cells(text) ? width - cells(text) : 0, ' ');
}

std::string text_of(const PairScan& scan) {
  std::size_t id_width = 4;
  std::size_t group_width = 5;
  const std::size_t shown = std::min(kShownPairs, scan.set.pairs.size());
  for (std::size_t i = 0; i < shown; ++i) {
    id_width = std::max(id_width, cells(scan.set.pairs[i].id));
    group_width = std::max(group_width, cells(scan.set.pairs[i].group));
  }
  std::string out = padded("pair", id_width) + "  " + padded("group", group_width) +
                    "  split     raw    edit  keep  truth\n";
  for (std::size_t i = 0; i < shown; ++i) {
    const Pair& p = scan.set.pairs[i];
    std::array<char, 80> line{};
    std::snprintf(line.data(), line.size(), "  %-5s  %6s  %6s  %.2f  ", p.split.c_str(),
                  minutes(p.raw_seconds).c_str(), minutes(p.edit_seconds).c_str(),
                  p.raw_seconds > 0.0 ? p.edit_seconds / p.raw_seconds : 0.0);
    const char* truth = !p.truth.empty() ? "exact" : !p.alignment.empty() ? "aligned" : "-";
    out +=
        padded(p.id, id_width) + "  " + padded(p.group, group_width) + line.data() + truth + "\n";
  }
  if (shown < scan.set.pairs.size()) {
    out +=
        "... and " + std::to_string(scan.set.pairs.size() - shown) + " more (--json lists all)\n";
  }
  out += "\n";
  for (const auto& [name, sum] : sums(scan.set)) {
    out += padded(name, 6) + counted(sum.pairs, "pair") + ", " +
           counted(sum.groups.size(), "group") + ", raw " + minutes(sum.raw_s) + ", edit " +
           minutes(sum.edit_s) + "\n";
  }
  const bool broken = std::any_of(scan.problems.begin(), scan.problems.end(),
                                  [](const auto& d) { return d.severity == Severity::error; });
  if (!scan.has_stored_split && !broken) {
    out += "the split is not stored; to store it:  retake pairs ROOT --split test=0.2,val=0.1\n";
  }
  return out;
}

/// Splits anew, or adds new pairs to a stored split of the same rule.
PairScan split(const std::string& root, const SplitRule& rule) {
  PairScan scan = scan_pairs(root, rule);
  const bool same = scan.has_stored_split && scan.rule.test == rule.test &&
                    scan.rule.val == rule.val && scan.rule.by == rule.by &&
                    scan.rule.seed == rule.seed;
  if (!same) scan = scan_pairs(root, rule, false);
  for (const Diagnostic& d : scan.problems) {
    if (d.severity == Severity::error) return scan;  // nothing is stored for a broken set
  }
  write_splits(scan.set, rule);
  scan.has_stored_split = true;
  return scan;
}

/// A share that no pair fell into: whole groups are divided.
void note_empty_splits(PairScan& scan) {
  const auto note = [&](const char* name, double share) {
    if (share <= 0 || scan.set.pairs.empty() || !scan.set.in_split(name).empty()) return;
    Diagnostic d;
    d.severity = Severity::warning;
    d.id = "W505";
    d.message = std::string("no pair is in the split `") + name + "`, which is to have " +
                format_double(share) + " of them";
    d.help = "whole groups are divided: more groups are needed, a larger share, or another `by`";
    scan.problems.push_back(std::move(d));
  };
  note("test", scan.rule.test);
  note("val", scan.rule.val);
}

int run(const Arguments& a) {
  if (a.positional.size() != 1) {
    throw usage_error("pairs takes one folder", "retake pairs ROOT [--split test=0.2,by=group]");
  }
  const std::string& root = a.positional.front();
  const bool store = a.options.count("split") != 0;
  PairScan scan = store ? split(root, parse_split_rule(a.options["split"].as<std::string>()))
                        : scan_pairs(root);
  std::vector<Diagnostic> errors;
  std::vector<Diagnostic> others;
  for (const Pair& pair : scan.set.pairs) {
    for (Diagnostic& d : data::alignment_problems(pair)) scan.problems.push_back(std::move(d));
  }
  note_empty_splits(scan);
  for (const Diagnostic& d : scan.problems) {
    (d.severity == Severity::error ? errors : others).push_back(d);
  }
  if (!scan.set.pairs.empty() || errors.empty()) {
    print_result(a, result(scan), [&] { return text_of(scan); });
  }
  print_diagnostics(a.globals, others);
  if (!errors.empty()) throw DataError(std::move(errors));
  return 0;
}

const RegisterCommand registered({
    .name = "pairs",
    .synopsis = "ROOT [--split test=0.2,val=0.1,by=group]",
    .summary = "List, check and split a pair set",
    .examples = {"retake pairs data/pairs",
                 "retake pairs data/pairs --split test=0.2,val=0.1,by=group"},
    .options =
        [](po::options_description& o) {
          o.add_options()("split", po::value<std::string>()->value_name("RULE"),
                          "store which pairs train, validate and test: shares of the pairs, "
                          "by=group, by=id or by=prefix:X (the id up to the first X), seed=N");
        },
    .run = run,
    .details =
        "A pair set is a folder with input/{id}_raw.* and desired_output/{id}_edit.* (or {id}.*).\n"
        "Pairs of one group (a song or a session) never cross a split. A stored split is kept "
        "when\n"
        "the same rule is given again: pairs that came since are added to it.\n",
});

}  // namespace
}  // namespace retake::cli

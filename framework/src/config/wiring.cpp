#include "config/wiring.hpp"

#include <algorithm>

#include "core/suggest.hpp"

namespace retake::config {
namespace {

struct Declared {
  std::string pattern;
  std::string who;  ///< "trainer pointer"
};

std::vector<Declared> declared_metrics(const std::vector<ResolvedComponent>& components) {
  std::vector<Declared> out;
  for (const ResolvedComponent& c : components) {
    if (!c.enabled) continue;
    for (const MetricInfo& m : c.info->traits.metrics) {
      out.push_back({m.name, c.kind + " " + c.plugin});
    }
  }
  return out;
}

bool is_declared(const std::string& metric, const std::vector<Declared>& declared) {
  const auto& engine = engine_metrics();
  return std::any_of(declared.begin(), declared.end(),
                     [&](const Declared& d) { return matches_metric(d.pattern, metric); }) ||
         std::any_of(engine.begin(), engine.end(),
                     [&](const MetricInfo& m) { return matches_metric(m.name, metric); });
}

/// "did you mean `val/edit_f1` (trainer pointer)? declared: val/edit_f1 val/loss"
std::string help_for(const std::string& metric, const std::vector<Declared>& declared) {
  std::vector<std::string> names;
  std::string list;
  for (const Declared& d : declared) {
    names.push_back(d.pattern);
    list += " " + d.pattern;
  }
  std::string out;
  if (const auto guess = did_you_mean(metric, names)) {
    const auto it = std::find_if(declared.begin(), declared.end(),
                                 [&](const Declared& d) { return d.pattern == *guess; });
    out = "did you mean `" + *guess + "` (" + it->who + ")? ";
  }
  return out + "declared:" + (list.empty() ? " none" : list);
}

}  // namespace

bool matches_metric(std::string_view pattern, std::string_view text) {
  std::size_t p = 0, t = 0, star = std::string_view::npos, mark = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      mark = t;
    } else if (p < pattern.size() && pattern[p] == text[t]) {
      ++p;
      ++t;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      t = ++mark;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

void check_metric(const std::string& metric, const Origin* written,
                  const std::vector<ResolvedComponent>& components, Findings& findings) {
  const auto declared = declared_metrics(components);
  if (is_declared(metric, declared)) return;
  Diagnostic d;
  d.id = "E142";
  d.message = "metric `" + metric + "` is declared by no plugin of this experiment";
  if (written != nullptr) {
    d.place = value_place(*written);
  } else {
    d.facts.push_back("it is the default of `train.metric`");
  }
  d.help = help_for(metric, declared);
  findings.add(Certainty::wiring, std::move(d));
}

void check_watched(const std::string& metric, const Origin* written,
                   const std::vector<ResolvedComponent>& components, Findings& findings) {
  const auto declared = declared_metrics(components);
  if (is_declared(metric, declared)) return;
  Diagnostic d;
  d.severity = Severity::warning;
  d.id = "W15";
  d.message = "watched metric `" + metric + "` is declared by no plugin of this experiment";
  if (written != nullptr) d.place = key_place(*written);
  d.help = help_for(metric, declared);
  findings.note(std::move(d));
}

}  // namespace retake::config

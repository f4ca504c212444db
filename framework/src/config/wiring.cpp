#include "config/wiring.hpp"

#include <algorithm>
#include <map>
#include <set>

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
  return std::any_of(declared.begin(), declared.end(),
                     [&](const Declared& d) { return matches_metric(d.pattern, metric); });
}

std::vector<Declared> metrics_of_engine() {
  std::vector<Declared> out;
  for (const MetricInfo& m : engine_metrics()) out.push_back({m.name, "the training engine"});
  return out;
}

/// "did you mean `val/edit_f1` (trainer pointer)? declared: val/edit_f1 val/loss"
std::string help_for(const std::string& metric, std::vector<Declared> known) {
  std::string list;
  for (const Declared& d : known) list += " " + d.pattern;
  // Of two that are as near, the usual one.
  std::stable_partition(known.begin(), known.end(),
                        [](const Declared& d) { return d.pattern == TrainTable().metric; });
  std::vector<std::string> names;
  for (const Declared& d : known) names.push_back(d.pattern);
  std::string out;
  if (const auto guess = did_you_mean(metric, names)) {
    const auto it = std::find_if(known.begin(), known.end(),
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
  if (is_declared(metric, metrics_of_engine())) {
    d.message = "`train.metric` is judged at validations, and `" + metric +
                "` is known of training steps only";
  }
  if (written != nullptr) {
    d.place = value_place(*written);
  } else {
    d.facts.push_back("it is the default of `train.metric`");
  }
  d.help = help_for(metric, declared);
  findings.add(Certainty::wiring, std::move(d));
}

void require_metric(const std::string& metric, const std::map<std::string, double>& given) {
  if (given.contains(metric)) return;
  Diagnostic d;
  d.id = "E150";
  d.message = "the validation gave no `" + metric + "`, which train.metric asks for";
  for (const auto& [name, _] : given) d.facts.push_back("it gave " + name);
  d.help = "choose one of these as train.metric";
  throw ConfigError(std::move(d));
}

void check_watched(const std::string& metric, const Origin* written,
                   const std::vector<ResolvedComponent>& components, Findings& findings) {
  std::vector<Declared> declared = declared_metrics(components);
  const auto engine = metrics_of_engine();
  declared.insert(declared.end(), engine.begin(), engine.end());
  if (is_declared(metric, declared)) return;
  Diagnostic d;
  d.severity = Severity::warning;
  d.id = "W15";
  d.message = "watched metric `" + metric + "` is declared by no plugin of this experiment";
  if (written != nullptr) d.place = key_place(*written);
  d.help = help_for(metric, declared);
  findings.note(std::move(d));
}

Diagnostic missing_table(std::string_view kind) {
  static const std::map<std::string_view, const char*> why = {
      {"dataset", "it says where pairs are"},
      {"feature_extractor", "models learn from features"},
      {"model", "a run trains one"},
      {"trainer", "it says how the model learns"},
      {"optimizer", "it turns gradients into updates"}};
  const auto reason = why.find(kind);
  Diagnostic d;
  d.id = "E156";
  d.message = "the experiment has no [" + std::string(kind) + "]";
  if (reason != why.end()) d.message += std::string(": ") + reason->second;
  d.help = "add a [" + std::string(kind) + "] table; retake plugins list --kind " +
           std::string(kind) + " shows what there is";
  return d;
}

namespace {

using Components = std::vector<const ResolvedComponent*>;

/// E151 for each input of `user` that no port of `givers` gives.
void check_inputs(const ResolvedComponent& user, const Components& givers,
                  std::vector<Diagnostic>& faults) {
  for (const PortInfo& wanted : user.info->traits.inputs) {
    const auto gives = [&](const ResolvedComponent* c) {
      const auto& outputs = c->info->traits.outputs;
      return std::any_of(outputs.begin(), outputs.end(),
                         [&](const PortInfo& p) { return p.name == wanted.name; });
    };
    if (wanted.optional || std::any_of(givers.begin(), givers.end(), gives)) continue;
    Diagnostic d;
    d.id = "E151";
    d.message = "[" + user.table + "] needs `" + wanted.name + "`" +
                (wanted.doc.empty() ? "" : " (" + wanted.doc + ")") + ", which ";
    for (std::size_t i = 0; i < givers.size(); ++i) {
      d.message += (i > 0 ? " and " : "") + givers[i]->kind + " " + givers[i]->plugin;
    }
    d.message += givers.size() == 1 ? " does not give" : " do not give";
    d.help = "retake plugins info KIND/NAME lists what goes in and comes out; choose others";
    faults.push_back(std::move(d));
  }
}

}  // namespace

std::vector<Diagnostic> training_faults(const std::vector<ResolvedComponent>& components) {
  std::map<std::string_view, Components> of_kind;
  for (const ResolvedComponent& c : components) {
    if (c.enabled) of_kind[c.kind].push_back(&c);
  }
  std::vector<Diagnostic> faults;
  std::set<std::string> needed = {"dataset", "feature_extractor", "model", "trainer", "optimizer"};
  for (const ResolvedComponent& c : components) {
    if (c.enabled) needed.insert(c.info->traits.needs.begin(), c.info->traits.needs.end());
  }
  for (const std::string& kind : needed) {
    if (!of_kind.contains(kind)) faults.push_back(missing_table(kind));
  }
  for (const char* kind :
       {"dataset", "model", "trainer", "editor", "action_space", "lr_schedule"}) {
    if (of_kind[kind].size() < 2) continue;
    Diagnostic d;
    d.id = "E155";
    d.message = "a run takes one " + std::string(kind) + ", the experiment has " +
                std::to_string(of_kind[kind].size());
    d.help = "keep one table, or set enabled = false where the kind allows it";
    faults.push_back(std::move(d));
  }
  if (!faults.empty()) return faults;
  const Components model = of_kind["model"], trainer = of_kind["trainer"];
  check_inputs(*trainer.front(), model, faults);
  for (const ResolvedComponent* loss : of_kind["loss"]) {
    check_inputs(*loss, {model.front(), trainer.front()}, faults);
  }
  return faults;
}

}  // namespace retake::config

#include "plugin/probe_run.hpp"

#include <stdlib.h>

#include <algorithm>
#include <optional>
#include <typeinfo>

#include "core/temp_folder.hpp"
#include "plugin/blame.hpp"
#include "plugin/child.hpp"
#include "plugin/loader.hpp"
#include "retake/error.hpp"
#include "retake/testing/context.hpp"

namespace retake::plugin {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr const char* kLoads = "loads, and registers what its table says";
constexpr const char* kMade = "is made";
constexpr const char* kDefect = "this is a defect of the plugin";
constexpr const char* kNoExit =
    "the plugin's code ended the process: take exit() out of it, and throw a retake::Error where "
    "it cannot go on";

ProbeResult failed(const std::string& probe, std::string why, std::string help) {
  return {probe, Verdict::failed, std::move(why), std::move(help), 0};
}

/// Runs one probe and tells what it found.
ProbeResult verdict_of(const std::string& name, const std::function<void()>& body) {
  try {
    body();
    return {name, Verdict::ok, {}, {}, 0};
  } catch (const ProbeFailure& e) {
    return failed(name, e.what(), e.help());
  } catch (const ProbeSkipped& e) {
    return {name, Verdict::skipped, e.what(), e.help(), 0};
  } catch (const Error& e) {
    const Diagnostic& d = e.diagnostics().front();
    return failed(name, (d.id.empty() ? "" : d.id + ": ") + d.message, d.help);
  } catch (const std::exception& e) {
    return failed(name, "threw what is no retake::Error: " + said_by(e),
                  "throw a retake::Error that says where, what and how to mend it");
  } catch (...) {
    return failed(name, "threw what is no exception", kDefect);
  }
}

/// Words of a metric that the host would take for none at all: nobody would watch it.
void metric_words(const ComponentInfo& info) {
  const auto one_of = [](const std::string& word, std::initializer_list<const char*> known) {
    return std::find(known.begin(), known.end(), word) != known.end();
  };
  for (const MetricInfo& metric : info.traits.metrics) {
    expect(one_of(metric.goal, {"", "max", "min"}),
           "the metric `" + metric.name + "` has the goal `" + metric.goal + "`",
           "its goal in traits().metrics is \"max\", \"min\" or empty");
    expect(one_of(metric.trend, {"", "rising", "falling"}),
           "the metric `" + metric.name + "` has the trend `" + metric.trend + "`",
           "its trend in traits().metrics is \"rising\", \"falling\" or empty");
  }
}

/// What happens in the child.
class Asking {
 public:
  Asking(const ProbeRun& run, const fs::path& scratch)
      : run_(run),
        context_(1, 2, scratch),
        subject_{run.file->components[run.component], run.params, context_, scratch,
                 [this] { return make(); }} {
    add(kLoads, [this] { load(); });
    if (!subject_.info.traits.metrics.empty()) {
      add("its metrics have goals and trends that there are",
          [this] { metric_words(subject_.info); });
    }
    if (!run.missing.empty()) return;
    add("its own check agrees with its parameters", [this] { check(); });
    add(kMade, [this] { make(); });
    add("is made twice, and both are destroyed", [this] {
      const auto first = make();
      const auto second = make();
    });
    for (const Probe& probe : probes_of(subject_.info.kind)) {
      add(probe.name, [this, &probe] { probe.body(subject_); });
    }
  }

  void ask(std::size_t from, const SendLine& send) {
    if (from > 0) load();
    for (std::size_t i = from; i < probes_.size(); ++i) {
      const auto& [name, body] = probes_[i];
      Table begin;
      begin["begin"] = name;
      send(to_json(Value(std::move(begin))));
      const auto start = Clock::now();
      const ProbeResult result = verdict_of(name, body);
      Table line;
      line["verdict"] = static_cast<int>(result.verdict);
      line["why"] = result.why;
      line["help"] = result.help;
      line["seconds"] = std::chrono::duration<double>(Clock::now() - start).count();
      send(to_json(Value(std::move(line))));
      if (result.verdict == Verdict::failed && (name == kLoads || name == kMade)) break;
    }
  }

 private:
  void add(std::string name, std::function<void()> body) {
    probes_.emplace_back(std::move(name), std::move(body));
  }
  void load() { loaded_ = load_plugin(*run_.file); }
  const Registration& registration() const { return loaded_[run_.component]; }

  void check() const {
    if (!registration().check) return;
    Problems problems;
    registration().check(subject_.params, problems);
    for (const Problems::Item& item : problems.items()) {
      throw ProbeFailure(
          "it says of `" + item.key + "`: " + item.message,
          item.help.empty() ? "give parameters that go together as key=value" : item.help);
    }
  }

  std::unique_ptr<Component> make() {
    auto made = registration().create(subject_.params, context_);
    expect(made != nullptr, "its factory returned a null pointer", kDefect);
    return made;
  }

  const ProbeRun& run_;
  testing::FixedContext context_;
  Subject subject_;
  std::vector<Registration> loaded_;
  std::vector<std::pair<std::string, std::function<void()>>> probes_;
};

/// What the lines of the children add up to.
struct Findings {
  std::vector<ProbeResult> results;
  std::optional<std::string> open;  ///< begun and without verdict
  std::optional<Diagnostic> unprepared;

  void take(const std::string& text) {
    const Value value = parse_json(text, "the probes' process");
    const Table& line = value.as_table();
    if (const Value* id = line.find("unprepared")) {
      unprepared.emplace();
      unprepared->id = id->as_string();
      unprepared->message = line.at("message").as_string();
      unprepared->help = line.at("help").as_string();
      return;
    }
    if (const Value* begin = line.find("begin")) {
      open = begin->as_string();
      return;
    }
    results.push_back({open.value_or(kLoads), static_cast<Verdict>(line.at("verdict").as_int()),
                       line.at("why").as_string(), line.at("help").as_string(),
                       line.at("seconds").as_double()});
    open.reset();
  }

  void crashed(const ChildEnd& end) {
    const std::string name = open.value_or(kLoads);
    const std::string words = end.last_words.empty() ? "" : " (" + end.last_words + ")";
    results.push_back(failed(name, end.text() + (end.in_time ? words : ""),
                             !end.in_time ? "give parameters that make less work as key=value, or "
                                            "more time with --timeout; else it hangs"
                             : end.signal == 0 ? kNoExit
                                               : kDefect));
    results.back().seconds = end.silent_for;
    open.reset();
  }
};

/// Opens what the plugin needs; false when that cannot be had, which is told to the parent.
bool prepared(const ProbeRun& run, const SendLine& send) {
  if (!run.prepare) return true;
  try {
    run.prepare();
    return true;
  } catch (const Error& e) {
    const Diagnostic d = libtorch_problem(e);
    Table line;
    line["unprepared"] = d.id;
    line["message"] = d.message;
    line["help"] = d.help;
    send(to_json(Value(std::move(line))));
    return false;
  }
}

}  // namespace

std::vector<ProbeResult> run_probes(const ProbeRun& run) {
  Findings findings;
  for (;;) {
    const std::size_t from = findings.results.size();
    const TempFolder scratch;  // of its own for each child
    const ChildEnd end = run_in_child(
        [&](const SendLine& send) {
          ::setenv("RETAKE_STORE", (scratch.path() / "store").c_str(), 1);
          fs::current_path(scratch.path());  // a default like "data/pairs" is not the user's
          if (prepared(run, send)) Asking(run, scratch.path()).ask(from, send);
        },
        [&](const std::string& line) { findings.take(line); }, run.limit);
    if (findings.unprepared) throw PluginError(std::move(*findings.unprepared));
    if (end.ok() && !findings.open) break;
    findings.crashed(end);
    const std::string& last = findings.results.back().probe;
    if (last == kLoads || last == kMade) break;
  }
  const ProbeResult& last = findings.results.back();
  if (!run.missing.empty() && (last.probe != kLoads || last.verdict == Verdict::ok)) {
    std::string keys, example;
    for (const std::string& key : run.missing) {
      keys += (keys.empty() ? "" : ", ") + key;
      example += " " + key + "=...";
    }
    findings.results.push_back({kMade, Verdict::skipped, "it needs " + keys,
                                "give them:  retake plugins check FILE" + example, 0});
  }
  return std::move(findings.results);
}

}  // namespace retake::plugin

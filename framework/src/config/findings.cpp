#include "config/findings.hpp"

#include <algorithm>
#include <iterator>
#include <string_view>
#include <tuple>

namespace retake::config {
namespace {
constexpr std::size_t kMaxShown = 20;

/// Whether the finding may come of a file that is not there.
bool may_follow(Certainty certainty, const std::string& id) {
  if (certainty == Certainty::rule || certainty == Certainty::wiring) return true;
  constexpr std::string_view kOfTheLost[] = {"E106", "E112", "E121", "E133"};
  return std::find(std::begin(kOfTheLost), std::end(kOfTheLost), id) != std::end(kOfTheLost);
}

}  // namespace

void Findings::add(Certainty certainty, Diagnostic diagnostic) {
  items_.push_back({certainty, std::move(diagnostic)});
}

void Findings::add_lost_file(const std::vector<Diagnostic>& why) {
  for (const Diagnostic& d : why) add(Certainty::structure, d);
  lost_file_ = true;
}

void Findings::note(Diagnostic diagnostic) {
  if (diagnostic.severity == Severity::error) diagnostic.severity = Severity::warning;
  notes_.push_back(std::move(diagnostic));
}

void Findings::raise(const std::string& first_file) const {
  if (items_.empty()) return;
  std::vector<const Item*> sorted;
  for (const Item& item : items_) {
    if (!lost_file_ || !may_follow(item.certainty, item.diagnostic.id)) sorted.push_back(&item);
  }
  const auto key = [&](const Item* item) {
    static const Place nowhere;
    const Place& p = item->diagnostic.place ? *item->diagnostic.place : nowhere;
    return std::make_tuple(item->certainty, p.file != first_file, p.file, p.line, p.column);
  };
  std::stable_sort(sorted.begin(), sorted.end(),
                   [&](const Item* a, const Item* b) { return key(a) < key(b); });
  std::vector<Diagnostic> shown;
  bool only_plugins = true;
  for (const Item* item : sorted) {
    only_plugins = only_plugins && item->diagnostic.id.starts_with("E2");
    if (shown.size() < kMaxShown) shown.push_back(item->diagnostic);
  }
  if (sorted.size() > kMaxShown) {
    std::string& end = shown.back().help;
    end += std::string(end.empty() ? "" : "\n") + "... and " +
           std::to_string(sorted.size() - kMaxShown) + " more errors, shown when these are mended";
  }
  if (only_plugins) throw PluginError(std::move(shown));
  throw ConfigError(std::move(shown));
}

}  // namespace retake::config

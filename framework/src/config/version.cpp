#include "config/version.hpp"

#include <algorithm>
#include <charconv>
#include <sstream>

namespace retake::config {
namespace {

std::string trimmed(const std::string& text) {
  const std::size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

/// -1, 0, 1; missing numbers count as 0.
int compare(const std::vector<long>& a, const std::vector<long>& b) {
  for (std::size_t i = 0; i < std::max(a.size(), b.size()); ++i) {
    const long x = i < a.size() ? a[i] : 0;
    const long y = i < b.size() ? b[i] : 0;
    if (x != y) return x < y ? -1 : 1;
  }
  return 0;
}

std::optional<bool> meets(const std::vector<long>& have, const std::string& part) {
  const std::size_t digits = part.find_first_of("0123456789");
  if (digits == std::string::npos) return std::nullopt;
  const std::string relation = trimmed(part.substr(0, digits));
  const std::string number = part.substr(digits);
  const auto wanted = parse_version(number);
  if (!wanted || number.find_first_not_of("0123456789.") != std::string::npos) return std::nullopt;
  const int order = compare(have, *wanted);
  if (relation == ">=") return order >= 0;
  if (relation == ">") return order > 0;
  if (relation == "<=") return order <= 0;
  if (relation == "<") return order < 0;
  if (relation != "=" && relation != "==" && !relation.empty()) return std::nullopt;
  // "1.2" means any 1.2.x.
  const std::size_t n = std::min(have.size(), wanted->size());
  return compare(std::vector<long>(have.begin(), have.begin() + static_cast<long>(n)), *wanted) ==
         0;
}

}  // namespace

std::optional<std::vector<long>> parse_version(const std::string& text) {
  std::vector<long> out;
  const char* at = text.data();
  const char* end = at + text.size();
  for (;;) {
    long number = 0;
    const auto [stop, error] = std::from_chars(at, end, number);
    if (error != std::errc() || number < 0) return std::nullopt;
    out.push_back(number);
    if (stop == end || *stop != '.') return out;
    at = stop + 1;
  }
}

std::optional<bool> satisfies(const std::string& version, const std::string& requirement) {
  const auto have = parse_version(version);
  if (!have || trimmed(requirement).empty()) return std::nullopt;
  std::istringstream parts(requirement);
  bool all = true;
  for (std::string part; std::getline(parts, part, ',');) {
    const auto one = meets(*have, trimmed(part));
    if (!one) return std::nullopt;
    all = all && *one;
  }
  return all;
}

std::optional<Diagnostic> version_fault(const ComponentInfo& component, const std::string& wanted,
                                        const std::string& path) {
  const auto good = satisfies(component.version, wanted);
  if (good && *good) return std::nullopt;
  Diagnostic d;
  d.id = "E113";
  if (!good) {
    d.message = "`" + path + "` cannot be read: \"" + wanted + "\"";
    d.help = "write  \">=1.2, <2\"  (>=, >, <=, <, =)";
    return d;
  }
  d.message = component.kind + " plugin `" + component.name + "` is version " + component.version +
              ", not " + wanted;
  d.help = "install that version, or widen `version`";
  if (!component.file.empty()) d.facts.push_back("found in " + component.file);
  return d;
}

}  // namespace retake::config

#include "core/suggest.hpp"

#include <algorithm>
#include <cctype>

namespace retake {
namespace {

std::string squeeze(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '_' || c == '-') continue;
    out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

std::vector<std::string> tokens(std::string_view text) {
  std::vector<std::string> out(1);
  for (const char c : text) {
    if (c == '_' || c == '-' || c == '.' || c == '/') {
      out.emplace_back();
    } else {
      out.back() += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
  }
  std::erase(out, std::string());
  return out;
}

std::size_t allowed(std::string_view word) {
  return std::max<std::size_t>(2, word.size() / 3);
}

/// Cost of the best token match, when each token of `word` is near a token of `name` or a prefix.
std::optional<std::size_t> token_cost(std::string_view word, std::string_view name) {
  const auto wanted = tokens(word), have = tokens(name);
  if (wanted.empty()) return std::nullopt;
  std::size_t total = 0;
  for (const std::string& w : wanted) {
    std::size_t best = std::string::npos;
    for (const std::string& h : have) {
      if (w.size() >= 3 && h.starts_with(w)) best = std::min<std::size_t>(best, 1);
      const std::size_t d = edit_distance(w, h);
      if (d <= std::max<std::size_t>(1, w.size() / 3)) best = std::min(best, d);
    }
    if (best == std::string::npos) return std::nullopt;
    total += best;
  }
  return total + (have.size() > wanted.size() ? have.size() - wanted.size() : 0);
}

std::optional<std::size_t> cost(std::string_view word, const std::string& name) {
  const std::string a = squeeze(word), b = squeeze(name);
  if (a == b) return 0;
  std::optional<std::size_t> best;
  const std::size_t distance = edit_distance(a, b);
  // Short words: two edits would turn anything into anything.
  if (distance <= allowed(word) && distance < std::max(a.size(), b.size())) best = 10 * distance;
  // The beginning of a name, or a longer form of it: `max-st`, `maximum`.
  if (a.size() >= 3 && b.size() >= 3 && (b.starts_with(a) || a.starts_with(b))) {
    best = std::min<std::size_t>(best.value_or(std::string::npos), 15);
  }
  if (const auto t = token_cost(word, name)) {
    best = std::min(best.value_or(std::string::npos), 5 + 10 * *t);
  }
  return best;
}

}  // namespace

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), now(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    now[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t same = a[i - 1] == b[j - 1] ? 0 : 1;
      now[j] = std::min({last[j] + 1, now[j - 1] + 1, last[j - 1] + same});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        now[j] = std::min(now[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, now);
  }
  return last[b.size()];
}

std::vector<std::string> suggestions(std::string_view word, const std::vector<Candidate>& known) {
  std::vector<std::pair<std::size_t, std::string>> found;
  for (const Candidate& candidate : known) {
    std::optional<std::size_t> best = cost(word, candidate.name);
    for (const std::string& synonym : candidate.synonyms) {
      const std::string a = squeeze(word), b = squeeze(synonym);
      if (a == b) best = std::min<std::size_t>(best.value_or(std::string::npos), 1);
      if (edit_distance(a, b) <= 1 && a.size() > 3) {
        // A name that is one letter away comes first.
        best = std::min<std::size_t>(best.value_or(std::string::npos), 12);
      }
    }
    if (best) found.emplace_back(*best, candidate.name);
  }
  std::stable_sort(found.begin(), found.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> names;
  for (auto& [c, name] : found) names.push_back(std::move(name));
  return names;
}

std::optional<std::string> did_you_mean(std::string_view word,
                                        const std::vector<Candidate>& known) {
  auto all = suggestions(word, known);
  if (all.empty()) return std::nullopt;
  return std::move(all.front());
}

std::optional<std::string> did_you_mean(std::string_view word,
                                        const std::vector<std::string>& known) {
  std::vector<Candidate> candidates;
  for (const std::string& name : known) candidates.push_back({name, {}});
  return did_you_mean(word, candidates);
}

}  // namespace retake

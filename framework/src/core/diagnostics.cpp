#include "core/diagnostics.hpp"

#include <algorithm>
#include <cstdio>

#include "core/utf8.hpp"

namespace retake {
namespace {

struct Style {
  const char* on;
  const char* off;
};

const char* word(Severity severity) {
  switch (severity) {
    case Severity::error:
      return "error";
    case Severity::warning:
      return "warning";
    case Severity::note:
      return "note";
  }
  return "error";
}

Style style(Severity severity, bool color) {
  if (!color) return {"", ""};
  switch (severity) {
    case Severity::error:
      return {"\033[1;31m", "\033[0m"};
    case Severity::warning:
      return {"\033[1;33m", "\033[0m"};
    case Severity::note:
      return {"\033[1;36m", "\033[0m"};
  }
  return {"", ""};
}

constexpr std::size_t kMostText = 2000;   ///< of one line of a message, in bytes
constexpr std::size_t kMostSource = 160;  ///< of a source line, in characters
constexpr std::size_t kBeforeCaret = 60;  ///< of them before the caret where the line is long

/// Without what could upset a terminal, and not endless: users' texts stand in messages.
std::string tame(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte < 0x20 && c != '\n' && c != '\t') || byte == 0x7f) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\x%02x", byte);
      out += escape;
    } else {
      out += c;
    }
    if (out.size() < kMostText) continue;
    while (!out.empty() && !starts_character(out.back())) out.pop_back();
    if (!out.empty()) out.pop_back();
    return out + "...";
  }
  return out;
}

/// The stretch of a long line around its caret; the column moves with it.
std::string shown_part(const std::string& line, int& column) {
  if (count_characters(line) <= kMostSource) return line;
  const auto at = static_cast<std::size_t>(std::max(column, 1) - 1);
  const std::size_t first = at > kBeforeCaret ? at - kBeforeCaret : 0;
  const std::size_t begin = byte_of_character(line, first);
  const std::size_t end = byte_of_character(line, first + kMostSource);
  if (first > 0) column = static_cast<int>(at - first + 4);
  return (first > 0 ? "..." : "") + line.substr(begin, end - begin) +
         (end < line.size() ? "..." : "");
}

void append_source(std::string& out, const Diagnostic& d) {
  Place place = *d.place;
  place.source_line = shown_part(place.source_line, place.column);
  const std::string number = place.line > 0 ? std::to_string(place.line) : "";
  const std::string margin(number.size(), ' ');
  out += margin + " |\n" + number + " | " + place.source_line + "\n";
  const std::string_view line = place.source_line;
  const auto before = static_cast<std::size_t>(std::max(place.column, 1) - 1);
  const std::size_t begin = byte_of_character(line, before);
  std::string pad;
  for (const char c : line.substr(0, begin)) {
    if (starts_character(c)) pad += c == '\t' ? '\t' : ' ';
  }
  // Not beyond the line, but one caret at least.
  const std::size_t length =
      std::clamp<std::size_t>(static_cast<std::size_t>(std::max(place.length, 1)), 1,
                              std::max<std::size_t>(1, count_characters(line.substr(begin))));
  out += margin + " | " + pad + std::string(length, '^');
  if (!d.caret.empty()) out += " " + tame(d.caret);
  out += "\n";
}

}  // namespace

std::string render(const Diagnostic& d, bool color) {
  const Style s = style(d.severity, color);
  std::string out = s.on + std::string(word(d.severity));
  if (!d.id.empty()) out += "[" + d.id + "]";
  out += std::string(s.off) + ": " + tame(d.message) + "\n";
  if (d.place && !d.place->file.empty()) {
    out += "  --> " + tame(d.place->file);
    if (d.place->line > 0) out += ":" + std::to_string(d.place->line);
    if (d.place->line > 0 && d.place->column > 0) out += ":" + std::to_string(d.place->column);
    if (!d.place->via.empty()) out += "   (" + d.place->via + ")";
    out += "\n";
    if (!d.place->source_line.empty()) {
      append_source(out, d);
    } else if (!d.caret.empty()) {
      out += "note: " + tame(d.caret) + "\n";
    }
  } else if (!d.caret.empty()) {
    out += "note: " + tame(d.caret) + "\n";
  }
  for (const std::string& fact : d.facts) out += tame(fact) + "\n";
  if (!d.help.empty()) out += "help: " + tame(d.help) + "\n";
  return out;
}

std::string render(const std::vector<Diagnostic>& all, bool color) {
  std::string out;
  for (std::size_t i = 0; i < std::min(all.size(), kMaxShownDiagnostics); ++i) {
    out += render(all[i], color);
  }
  if (all.size() > kMaxShownDiagnostics) {
    out += "... and " + std::to_string(all.size() - kMaxShownDiagnostics) + " more\n";
  }
  return out;
}

Value to_value(const Diagnostic& d) {
  Table t;
  t["severity"] = word(d.severity);
  t["id"] = d.id;
  t["message"] = d.message;
  if (d.place) {
    t["file"] = d.place->file;
    t["line"] = d.place->line;
    t["column"] = d.place->column;
    if (!d.place->via.empty()) t["via"] = d.place->via;
  }
  if (!d.caret.empty()) t["hint"] = d.caret;
  if (!d.facts.empty()) {
    Array facts;
    for (const auto& fact : d.facts) facts.emplace_back(fact);
    t["facts"] = std::move(facts);
  }
  if (!d.help.empty()) t["help"] = d.help;
  return t;
}

Value to_value(const Error& error) {
  Table t;
  t["code"] = static_cast<int>(error.code());
  t["id"] = error.diagnostics().empty() ? std::string() : error.diagnostics().front().id;
  t["message"] =
      error.diagnostics().empty() ? std::string(error.what()) : error.diagnostics().front().message;
  Array all;
  for (const Diagnostic& d : error.diagnostics()) all.push_back(to_value(d));
  t["diagnostics"] = std::move(all);
  return t;
}

}  // namespace retake

// retake explain-error: what an id of an error or warning means, and what to do.

#include "command.hpp"
#include "config/error_ids.hpp"
#include "core/diagnostics.hpp"
#include "core/suggest.hpp"
#include "table_text.hpp"

namespace retake::cli {
namespace {

using config::ErrorDoc;

bool is_warning(const ErrorDoc& doc) {
  return doc.id.front() == 'W';
}

Value doc_value(const ErrorDoc& doc) {
  Table t;
  t["id"] = std::string(doc.id);
  t["severity"] = is_warning(doc) ? "warning" : "error";
  t["title"] = std::string(doc.title);
  t["remedy"] = std::string(doc.remedy);
  return t;
}

std::string doc_text(const ErrorDoc& doc, bool color) {
  Diagnostic d;
  d.severity = is_warning(doc) ? Severity::warning : Severity::error;
  d.id = doc.id;
  d.message = doc.title;
  d.help = doc.remedy;
  return render(d, color);
}

int list_all(const Arguments& a) {
  Array all;
  std::vector<std::vector<std::string>> rows;
  for (const ErrorDoc& doc : config::error_docs()) {
    all.push_back(doc_value(doc));
    rows.push_back({std::string(doc.id), std::string(doc.title)});
  }
  print_result(a, Value(std::move(all)), [&] { return columns({"id", "meaning"}, rows); });
  return 0;
}

[[noreturn]] void no_such_id(const std::string& word) {
  std::vector<std::string> known;
  for (const ErrorDoc& doc : config::error_docs()) known.emplace_back(doc.id);
  Diagnostic d;
  d.id = "E008";
  d.message = "there is no error or warning `" + word + "`";
  if (const auto guess = did_you_mean(word, known)) d.message += ": did you mean `" + *guess + "`?";
  d.help = "`retake explain-error` lists all of them";
  throw UsageError(std::move(d));
}

int run(const Arguments& a) {
  if (a.positional.empty()) return list_all(a);
  if (a.positional.size() > 1)
    throw usage_error("`retake explain-error` takes one id", "without one it lists all");
  const ErrorDoc* doc = config::find_error_doc(a.positional.front());
  if (doc == nullptr) no_such_id(a.positional.front());
  print_result(a, doc_value(*doc),
               [&] { return doc_text(*doc, use_color(a.globals, Stream::result)); });
  return 0;
}

const RegisterCommand registered({.name = "explain-error",
                                  .synopsis = "[ID]",
                                  .summary = "Say what an error or warning means and what to do",
                                  .examples = {"retake explain-error E104",
                                               "retake explain-error W12 --json"},
                                  .run = run,
                                  .details = "Without an id, all of them are listed."});

}  // namespace
}  // namespace retake::cli

// retake migrate: writes the present names of parameters into experiment files.

#include <algorithm>
#include <map>

#include "command.hpp"
#include "config/experiment.hpp"
#include "config/path.hpp"
#include "core/files.hpp"
#include "core/utf8.hpp"
#include "overrides.hpp"
#include "plugin/registry.hpp"
#include "table_text.hpp"

namespace retake::cli {
namespace {

/// One key to be rewritten.
struct Edit {
  std::string file;
  int line = 0;
  int column = 0;
  std::string from;  ///< as the key is called
  std::string to;
  bool by_hand = false;  ///< the text at that place is not the bare or quoted key
};

std::string last_key(const std::string& path) {
  return config::parse_path(path).back().key;
}

std::vector<Edit> edits_of(const config::ResolvedExperiment& e) {
  std::vector<Edit> out;
  for (const config::Renaming& r : e.renamed) {
    for (const config::Origin& origin : r.writings) {
      if (origin.source == nullptr) continue;
      out.push_back({origin.source->name, origin.key.line, origin.key.column, last_key(r.from),
                     last_key(r.to)});
    }
  }
  // From the end of a file to its beginning, so that earlier places stay where they are; a base
  // that is inherited twice is written once.
  std::sort(out.begin(), out.end(), [](const Edit& a, const Edit& b) {
    if (a.file != b.file) return a.file < b.file;
    return a.line != b.line ? a.line > b.line : a.column > b.column;
  });
  out.erase(std::unique(out.begin(), out.end(),
                        [](const Edit& a, const Edit& b) {
                          return a.file == b.file && a.line == b.line && a.column == b.column;
                        }),
            out.end());
  return out;
}

std::size_t line_begin(const std::string& text, int line) {
  std::size_t at = 0;
  for (int i = 1; i < line && at != std::string::npos; ++i) {
    at = text.find('\n', at);
    if (at != std::string::npos) ++at;
  }
  return at;
}

/// Puts the new key in; marks the edit where the text is not what was expected there.
void apply(std::string& text, Edit& edit) {
  const std::size_t begin = line_begin(text, edit.line);
  edit.by_hand = true;
  if (begin == std::string::npos) return;
  const std::size_t end = std::min(text.find('\n', begin), text.size());
  const std::string line = text.substr(begin, end - begin);
  const std::size_t at = byte_of_character(line, static_cast<std::size_t>(edit.column - 1));
  for (const std::string& form : {edit.from, '"' + edit.from + '"', '\'' + edit.from + '\''}) {
    if (line.compare(at, form.size(), form) != 0) continue;
    text.replace(begin + at, form.size(), config::quoted_key(edit.to));
    edit.by_hand = false;
    return;
  }
}

int run(const Arguments& a) {
  const std::string file = experiment_argument(a);
  if (a.positional.size() > 1) {
    throw usage_error("`retake migrate` takes one file", "its bases are read with it");
  }
  const plugin::Registry registry(a.globals.plugin_path);
  const auto e = config::resolve_experiment(file, registry, read_load_options(a));
  std::vector<Edit> edits = edits_of(e);
  std::map<std::string, std::string> texts(e.files.begin(), e.files.end());
  for (Edit& edit : edits) apply(texts.at(edit.file), edit);
  const bool write = a.options.contains("write");
  std::vector<std::string> written;
  for (const auto& [name, before] : e.files) {
    if (texts.at(name) == before) continue;
    if (write) write_file_atomic(name, texts.at(name));
    written.push_back(name);
  }
  std::reverse(edits.begin(), edits.end());
  Array rows;
  std::vector<std::vector<std::string>> cells;
  for (const Edit& edit : edits) {
    Table row;
    row["file"] = edit.file;
    row["line"] = edit.line;
    row["column"] = edit.column;
    row["from"] = edit.from;
    row["to"] = edit.to;
    row["by_hand"] = edit.by_hand;
    rows.emplace_back(std::move(row));
    cells.push_back(
        {edit.file + ":" + std::to_string(edit.line) + ":" + std::to_string(edit.column), edit.from,
         edit.to, edit.by_hand ? "rename it by hand" : ""});
  }
  Table out;
  out["renamed"] = std::move(rows);
  out["written"] = write && !written.empty();
  print_result(a, out, [&] {
    if (cells.empty()) return std::string("no parameter is written under an old name\n");
    return columns({"place", "old name", "new name", ""}, cells) +
           (write ? "written: " + join(written) + "\n" : "nothing was written: --write does it\n");
  });
  return 0;
}

const RegisterCommand registered(
    {.name = "migrate",
     .synopsis = "EXP [--write]",
     .summary = "Write the present names of renamed parameters into an experiment",
     .examples = {"retake migrate experiments/pointer/demo.toml",
                  "retake migrate experiments/pointer/demo.toml --write"},
     .options =
         [](po::options_description& o) {
           o.add_options()("write", "change the files; without it they are only shown");
         },
     .run = run,
     .details =
         "A plugin may rename a parameter; files with the old name still run, with a note. "
         "The experiment and\nthe files it extends are rewritten in place, comments and all "
         "else kept. Names inside ${...} and\n[merge] stay as they are: they go on working."});

}  // namespace
}  // namespace retake::cli

// retake plugins pages: a page of Markdown for each kind, made of what its components declare.

#include <filesystem>

#include "command.hpp"
#include "core/files.hpp"
#include "plugin/registry.hpp"
#include "table_text.hpp"

namespace retake::cli {
namespace {

namespace fs = std::filesystem;

/// A cell of a Markdown table: no line ends, no column marks.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += "\\";
    out += c == '\n' ? ' ' : c;
  }
  return out;
}

std::string code(const std::string& text) {
  return text.empty() ? "" : "`" + cell(text) + "`";
}

std::string row(const std::vector<std::string>& cells) {
  std::string out = "|";
  for (const std::string& c : cells) out += " " + c + " |";
  return out + "\n";
}

std::string heading(const std::vector<std::string>& titles) {
  std::string line = "|";
  for (std::size_t i = 0; i < titles.size(); ++i) line += "---|";
  return row(titles) + line + "\n";
}

std::string parameters(const SchemaInfo& schema) {
  if (schema.fields.empty()) return "No parameters.\n";
  std::string out = heading({"parameter", "type", "default", "range", "unit", ""});
  for (const auto& r : field_rows(schema.fields)) {
    out += row({code(r[0]), r[1], code(r[2]), cell(r[3]), cell(r[4]), cell(r[5])});
  }
  const std::vector<std::string> rules = rule_lines(schema.rules);
  if (!rules.empty()) out += "\n";
  for (const std::string& rule : rules) out += "- " + rule + "\n";
  return out;
}

std::string ports(const char* title, const std::vector<PortInfo>& list) {
  if (list.empty()) return "";
  std::string out = "\n" + heading({title, "type", ""});
  for (const PortInfo& p : list) {
    const std::string marks =
        std::string(p.optional ? "(optional) " : "") + (p.is_list ? "(list) " : "");
    out += row({code(p.name), code(p.dtype + "[" + p.shape + "]"), cell(marks + p.doc)});
  }
  return out;
}

std::string metrics(const std::vector<MetricInfo>& list) {
  if (list.empty()) return "";
  std::string out = "\n" + heading({"metric", "", "better", "target", "problem if not"});
  for (const MetricInfo& m : list) {
    out += row({code(m.name), cell(m.doc), m.goal, cell(m.target), cell(m.problem)});
  }
  return out;
}

std::string page(const plugin::Registry& registry, const std::string& kind) {
  std::string out = "# " + kind + "\n\nWritten by `retake plugins pages` from what the installed " +
                    "components declare.\n";
  for (const std::string& name : registry.names(kind)) {
    const ComponentInfo& c = *registry.find(kind, name);
    out += "\n## " + name + "\n\n" + c.doc + " Plugin `" + c.plugin + "` " + c.version + ".\n\n";
    out += parameters(c.schema) + ports("input", c.traits.inputs) +
           ports("output", c.traits.outputs) + metrics(c.traits.metrics);
  }
  return out;
}

int run(const Arguments& a) {
  if (!a.positional.empty()) {
    throw usage_error("plugins pages takes no words, only options", "-o DIR says where they go");
  }
  const plugin::Registry registry(a.globals.plugin_path);
  const fs::path folder = a.options["output"].as<std::string>();
  Array written;
  std::string text;
  for (const std::string& kind : registry.kinds()) {
    if (registry.names(kind).empty()) continue;
    const fs::path file = folder / (kind + ".md");
    write_file_atomic(file, page(registry, kind));
    written.emplace_back(file.string());
    text += file.string() + "\n";
  }
  Table result;
  result["written"] = std::move(written);
  print_result(a, result, [&] { return text; });
  return 0;
}

const RegisterCommand registered(
    {.name = "plugins pages",
     .synopsis = "[-o DIR]",
     .summary = "Write a page of documentation for each kind of component",
     .examples = {"retake plugins pages -o docs/components",
                  "retake plugins pages --plugin-path my_plugins -o pages"},
     .options =
         [](po::options_description& o) {
           o.add_options()("output,o",
                           po::value<std::string>()->default_value(".")->value_name("DIR"),
                           "where the pages go");
         },
     .run = run});

}  // namespace
}  // namespace retake::cli

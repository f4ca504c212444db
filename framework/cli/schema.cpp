// retake schema: the JSON Schema of experiment files, for completion and checks in editors.

#include <filesystem>

#include "command.hpp"
#include "config/json_schema.hpp"
#include "core/files.hpp"
#include "plugin/registry.hpp"

namespace retake::cli {
namespace {

namespace fs = std::filesystem;

/// The nearest folder from the working folder upwards that holds `.retake` or `.git`, else the
/// working folder itself.
fs::path project_root() {
  const fs::path here = fs::current_path();
  for (fs::path folder = here;; folder = folder.parent_path()) {
    if (fs::exists(folder / ".retake") || fs::exists(folder / ".git")) return folder;
    if (folder == folder.parent_path()) return here;
  }
}

int run(const Arguments& a) {
  if (!a.positional.empty()) {
    throw usage_error("`retake schema` takes no arguments", "-o FILE says where to write it");
  }
  const plugin::Registry registry(a.globals.plugin_path);
  const std::string text = to_json(config::experiment_schema(registry), 1) + "\n";
  const bool given = a.options.contains("output");
  const std::string output = given ? a.options["output"].as<std::string>() : std::string();
  print_diagnostics(a.globals, registry.problems());
  if (output == "-") {
    if (a.globals.json)
      throw usage_error("-o - prints the schema, --json a result about it",
                        "leave one of them away");
    print_text(text);
    return 0;
  }
  const fs::path file = given ? fs::path(output) : project_root() / ".retake" / "schema.json";
  write_file_atomic(file, text);
  std::size_t components = 0;
  for (const std::string& kind : registry.kinds()) components += registry.names(kind).size();
  Table out;
  out["file"] = file.string();
  out["components"] = static_cast<std::int64_t>(components);
  print_result(a, out, [&] {
    return file.string() + ": " + std::to_string(components) +
           " components.  An experiment names it in its first line:  #:schema " +
           fs::proximate(file).string() + "\n";
  });
  return 0;
}

const RegisterCommand registered(
    {.name = "schema",
     .synopsis = "[-o FILE]",
     .summary = "Write the JSON Schema of experiment files, for editors",
     .examples = {"retake schema", "retake schema -o - > experiment.schema.json"},
     .options =
         [](po::options_description& o) {
           o.add_options()("output,o", po::value<std::string>()->value_name("FILE"),
                           "where to write it; - prints it (.retake/schema.json of the project)");
         },
     .run = run,
     .details = "The schema knows the tables of the host and every parameter of every installed "
                "plugin, so write it\nagain after plugins changed. Editors with Taplo (Even Better "
                "TOML) find it through the line\n`#:schema PATH` of a file, PATH relative to that "
                "file. JSON Schema draft 7."});

}  // namespace
}  // namespace retake::cli

#pragma once
// The frame every command stands in: one file per command, each registering itself.
//
//   namespace retake::cli {
//   namespace {
//   int run(const Arguments& a) {
//     if (a.positional.empty()) throw usage_error("an EDL is needed", "retake render x.edl.json");
//     ...
//     print_result(a, json, [&] { return text; });
//     return 0;
//   }
//   const RegisterCommand registered({
//       .name = "render",
//       .synopsis = "EDL [--source RAW] [-o OUT]",
//       .summary = "Turn an EDL into sound",
//       .examples = {"retake render song.edl.json", "retake render song.edl.json -o song.flac"},
//       .options = [](po::options_description& o) {
//         o.add_options()("output,o", po::value<std::string>()->value_name("OUT"), "file to
//         write");
//       },
//       .run = run});
//   }  // namespace
//   }  // namespace retake::cli
//
// The frame parses, shows --help, and catches what a command throws; a command returns its code.

#include <boost/program_options.hpp>
#include <cstdio>
#include <functional>
#include <string>
#include <vector>

#include "retake/error.hpp"
#include "retake/value.hpp"

namespace retake::cli {

namespace po = boost::program_options;

/// Options that every command has.
struct Globals {
  bool json = false;
  bool quiet = false;
  int verbose = 0;
  std::string color = "auto";
  std::vector<std::string> plugin_path;  ///< each --plugin-path, split at ':'
  std::vector<std::string> config_path;  ///< each --config-path, split at ':'
};

/// One option as typed. `argv_index` counts the program's name as 0.
struct TypedOption {
  std::string name;   ///< long name, without dashes
  std::string value;  ///< empty for a flag
  int argv_index = 0;
};

/// A parsed command line, less the command's own name.
struct Arguments {
  Globals globals;
  po::variables_map options;            ///< the command's own options
  std::vector<std::string> positional;  ///< in order
  std::vector<int> argv_index;          ///< of each positional: errors say `argv[3]`
  std::vector<TypedOption> typed;       ///< the command's own options in the order typed
  std::vector<std::string> argv;        ///< the whole command line, for records
};

struct Command {
  std::string name;                     ///< "render"; two words for a subcommand: "plugins list"
  std::string synopsis;                 ///< "EDL [--source RAW] [-o OUT]"
  std::string summary;                  ///< one line
  std::vector<std::string> examples{};  ///< two at least, shown by --help
  std::function<void(po::options_description&)> options{};
  /// Returns the exit code; failures are thrown as retake::Error.
  std::function<int(const Arguments&)> run{};
  std::string details{};  ///< further text of --help, or empty
};

/// One static object per command file puts the command in the table.
struct RegisterCommand {
  explicit RegisterCommand(Command command);
};

/// Writes the command's result to stdout: as one line of JSON with --json, else through `human`
/// (a newline is added where it lacks one). Throws Error (exit 1) when stdout cannot be written;
/// a reader that went away (`| head`) is no error.
void print_result(const Arguments& arguments, const Value& json,
                  const std::function<std::string()>& human);

/// Raw text to stdout, same rules.
void print_text(const std::string& text);

/// Keeps standard output for results: what plugins and libraries print there goes to stderr from
/// now on. Call once, from main.
void claim_stdout();

enum class Stream { result, messages };
/// Whether to colour what goes to this stream: --color, NO_COLOR, TERM and the terminal decide.
bool use_color(const Globals& globals, Stream stream);

/// Prints warnings and notes to stderr as diagnostics, unless --quiet.
void print_diagnostics(const Globals& globals, const std::vector<Diagnostic>& diagnostics);

/// E005: the command line lacks or has too many arguments.
UsageError usage_error(std::string message, std::string help);

}  // namespace retake::cli

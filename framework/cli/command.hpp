#pragma once
// The frame every command stands in: one file per command, each registering itself.

#include <boost/program_options.hpp>
#include <functional>
#include <string>
#include <vector>

#include "retake/value.hpp"

namespace retake::cli {

namespace po = boost::program_options;

/// Options that every command has.
struct Globals {
  bool json = false;
  bool quiet = false;
  int verbose = 0;
  std::string color = "auto";
  std::vector<std::string> plugin_path;
  std::vector<std::string> config_path;
};

/// A parsed command line, less the command's own name.
struct Arguments {
  Globals globals;
  po::variables_map options;            ///< the command's own options
  std::vector<std::string> positional;  ///< in order
  std::vector<int> argv_index;          ///< of each positional: errors say `argv[3]`
};

struct Command {
  std::string name;                   ///< "render"; two words for a subcommand: "plugins list"
  std::string synopsis;               ///< "EDL [--source RAW] [-o OUT]"
  std::string summary;                ///< one line
  std::vector<std::string> examples;  ///< two at least, shown by --help
  std::function<void(po::options_description&)> options;
  /// Returns the exit code; failures are thrown as retake::Error.
  std::function<int(const Arguments&)> run;
};

/// One static object per command file puts the command in the table.
struct RegisterCommand {
  explicit RegisterCommand(Command command);
};

/// Writes the command's result: as JSON with --json, else through `human`.
void print_result(const Arguments& arguments, const Value& json,
                  const std::function<std::string()>& human);

}  // namespace retake::cli

#pragma once
// Inside of the frame: the command table, parsing, help. Commands need only command.hpp.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "command.hpp"

namespace retake::cli {

/// Every registered command by name.
std::map<std::string, Command>& command_table();

/// Commands that programs call and no list shows: their names begin with `__`.
bool is_hidden(const std::string& name);

/// What every command takes besides its own options.
po::options_description global_options();

/// The first words that name commands, hidden ones left out; "help" is one.
std::vector<std::string> first_words();
/// The second words of a group: "list", "info" of "plugins".
std::vector<std::string> subcommands_of(const std::string& group);

/// What the words of a command line ask for.
struct Request {
  enum class What { run, help, version };
  What what = What::run;
  const Command* command = nullptr;  ///< null for the general help and the version
  std::string group;                 ///< help of "plugins" where only "plugins list" exists
  Arguments arguments;
};

/// Parses a whole command line. Throws UsageError with did-you-mean.
Request parse_command_line(const std::vector<std::string>& argv);

/// The globals of a line that cannot be parsed as a whole: how its error is to be shown.
Globals guess_globals(const std::vector<std::string>& argv);

std::string general_help();
std::string group_help(const std::string& group);
std::string command_help(const Command& command);
std::string version_line();

/// Shows a failure on stderr; with --json as {"error":{...}} on the last line.
void report_failure(const Globals& globals, const Error& error);

/// Ends stdout: flushes, and throws Error when what was printed could not be written.
void finish_output();

}  // namespace retake::cli

#include "frame.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <sstream>
#include <tuple>

#include "config/host_tables.hpp"
#include "core/build_info.hpp"
#include "core/join.hpp"
#include "core/suggest.hpp"

namespace retake::cli {

std::map<std::string, Command>& command_table() {
  static std::map<std::string, Command> table;
  return table;
}

RegisterCommand::RegisterCommand(Command command) {
  std::string name = command.name;
  command_table().emplace(std::move(name), std::move(command));
}

UsageError usage_error(std::string message, std::string help) {
  Diagnostic d;
  d.id = "E005";
  d.message = std::move(message);
  d.help = std::move(help);
  return UsageError(std::move(d));
}

std::vector<std::string> subcommands_of(const std::string& group) {
  std::vector<std::string> out;
  for (const auto& [name, command] : command_table()) {
    if (name.rfind(group + " ", 0) == 0) out.push_back(name.substr(group.size() + 1));
  }
  return out;
}

std::vector<std::string> first_words() {
  std::set<std::string> out;
  for (const auto& [name, command] : command_table()) {
    if (!is_hidden(name)) out.insert(name.substr(0, name.find(' ')));
  }
  out.insert("help");
  return {out.begin(), out.end()};
}

bool is_hidden(const std::string& name) {
  return name.rfind("__", 0) == 0;
}

po::options_description global_options() {
  po::options_description d("Global options");
  d.add_options()("help,h", "show this help")(
      "json", "machine-readable result on stdout; a failure is the last line of stderr")(
      "quiet", "no progress and no notes")("verbose,v", "more detail")(
      "color", po::value<std::string>()->value_name("WHEN")->default_value("auto"),
      "auto, always or never (NO_COLOR is obeyed)")(
      "plugin-path", po::value<std::vector<std::string>>()->value_name("DIRS")->composing(),
      "folders with plugins, searched first (separated by ':')")(
      "config-path", po::value<std::vector<std::string>>()->value_name("DIRS")->composing(),
      "folders where `extends` looks after the file's own (separated by ':')")("version",
                                                                               "show the version");
  return d;
}

namespace {

bool takes_value(const std::string& global) {
  return global == "--color" || global == "--plugin-path" || global == "--config-path";
}

/// "-v", "-vv", ...: how often; 0 for anything else.
int verbosity_of(const std::string& word) {
  if (word == "--verbose") return 1;
  if (word.size() < 2 || word[0] != '-' || word.find_first_not_of('v', 1) != std::string::npos)
    return 0;
  return static_cast<int>(word.size()) - 1;
}

/// Indices in argv of the words that may name a command: the first two that are no options, the
/// second only if nothing but global options stands between them.
std::vector<std::size_t> command_words(const std::vector<std::string>& argv) {
  std::vector<std::size_t> words;
  for (std::size_t i = 1; i < argv.size() && words.size() < 2; ++i) {
    const std::string& word = argv[i];
    if (word == "--") break;
    if (word.empty() || word[0] != '-' || word == "-") {
      words.push_back(i);
    } else if (takes_value(word)) {
      ++i;
    } else if (!words.empty() && word != "--json" && word != "--quiet" && !verbosity_of(word) &&
               word.rfind("--color=", 0) != 0 && word.rfind("--plugin-path=", 0) != 0 &&
               word.rfind("--config-path=", 0) != 0) {
      break;
    }
  }
  return words;
}

std::vector<std::string> split_paths(const std::vector<std::string>& lists) {
  std::vector<std::string> out;
  for (const auto& list : lists) {
    std::istringstream in(list);
    for (std::string part; std::getline(in, part, ':');) {
      if (!part.empty()) out.push_back(part);
    }
  }
  return out;
}

[[noreturn]] void unknown_word(const std::string& id, const std::string& message,
                               const std::string& word, const std::vector<Candidate>& known,
                               const std::string& prefix, const std::string& help) {
  Diagnostic d;
  d.id = id;
  d.message = message;
  if (const auto guess = did_you_mean(word, known)) {
    d.message += ": did you mean `" + prefix + *guess + "`?";
  }
  d.help = help;
  throw UsageError(std::move(d));
}

std::vector<Candidate> candidates_of(const std::vector<std::string>& names) {
  static const std::map<std::string, std::vector<std::string>> synonyms = {
      {"run", {"train", "fit", "start", "launch"}},
      {"check", {"validate", "lint", "verify-config"}},
      {"runs", {"list", "ls", "ps", "history"}},
      {"evaluate", {"eval", "test", "score"}},
      {"edit", {"infer", "predict", "apply"}},
      {"new", {"init", "create", "generate"}},
      {"resume", {"continue", "restart"}},
      {"show", {"print", "config", "dump"}}};
  std::vector<Candidate> out;
  for (const std::string& name : names) {
    const auto it = synonyms.find(name);
    out.push_back({name, it == synonyms.end() ? std::vector<std::string>{} : it->second});
  }
  return out;
}

/// The key of the host's tables that an unknown option names: `--seed` is experiment.seed.
std::optional<std::string> setting_of(std::string word) {
  std::replace(word.begin(), word.end(), '-', '_');
  for (const char* table : {"experiment", "train", "run"}) {
    for (const FieldInfo& f : config::host_schema(table)->fields) {
      const auto& words = f.synonyms;
      if (f.name == word || std::find(words.begin(), words.end(), word) != words.end()) {
        return std::string(table) + "." + f.name;
      }
    }
  }
  return std::nullopt;
}

/// The command that the words name, and how many words that took.
std::pair<const Command*, std::size_t> find_command(const std::vector<std::string>& words) {
  const auto& table = command_table();
  if (words.size() > 1) {
    const auto it = table.find(words[0] + " " + words[1]);
    if (it != table.end()) return {&it->second, 2};
  }
  const auto it = table.find(words[0]);
  if (it != table.end()) return {&it->second, 1};
  const auto children = subcommands_of(words[0]);
  if (children.empty()) {
    unknown_word("E002", "there is no command `" + words[0] + "`", words[0],
                 candidates_of(first_words()), "retake ", "`retake --help` lists all commands");
  }
  const std::string help = "one of: " + join(children, ", ");
  if (words.size() == 1) {
    throw usage_error("`retake " + words[0] + "` needs a subcommand", help);
  }
  unknown_word("E002", "there is no command `" + words[0] + " " + words[1] + "`", words[1],
               candidates_of(children), "retake " + words[0] + " ", help);
}

[[noreturn]] void rethrow_usage(const po::error& error, const po::options_description& known,
                                const Command* command) {
  const std::string help =
      command != nullptr ? "`retake " + command->name + " --help` lists all options" : "";
  if (const auto* unknown = dynamic_cast<const po::unknown_option*>(&error)) {
    std::vector<std::string> names;
    for (const auto& option : known.options()) names.push_back(option->long_name());
    std::string word = unknown->get_option_name();
    const std::string bare = word.substr(std::min(word.find_first_not_of('-'), word.size()));
    const std::string message = "there is no option `" + word + "`";
    if (known.find_nothrow("set-file", false) != nullptr) {  // the command takes overrides
      const auto setting = setting_of(bare);
      if (setting) {
        throw usage_error(message, "settings are written without dashes:  " + *setting + "=...");
      }
      unknown_word("E003", message, bare, candidates_of(names), "--",
                   help + "; settings are written without dashes:  optimizer.lr=1e-4");
    }
    unknown_word("E003", message, bare, candidates_of(names), "--", help);
  }
  Diagnostic d;
  d.id = "E004";
  d.message = error.what();
  d.help = help;
  throw UsageError(std::move(d));
}

/// Fills positionals and typed options with the argv index of each, found in order of appearance.
void place_options(const po::parsed_options& parsed, const std::vector<std::string>& args,
                   const std::vector<int>& index_of, Arguments& out) {
  std::size_t cursor = 0;
  for (const auto& option : parsed.options) {
    int index = 0;
    if (!option.original_tokens.empty()) {
      while (cursor < args.size() && args[cursor] != option.original_tokens.front()) ++cursor;
      if (cursor < args.size()) index = index_of[cursor];
      cursor = std::min(cursor + option.original_tokens.size(), args.size());
    }
    if (option.position_key >= 0) {
      for (const auto& value : option.value) {
        out.positional.push_back(value);
        out.argv_index.push_back(index);
      }
    } else {
      for (const auto& value : option.value) out.typed.push_back({option.string_key, value, index});
      if (option.value.empty()) out.typed.push_back({option.string_key, {}, index});
    }
  }
}

void read_globals(const po::variables_map& map, Globals& globals) {
  globals.json = map.count("json") > 0;
  globals.quiet = map.count("quiet") > 0;
  globals.color = map["color"].as<std::string>();
  if (globals.color != "auto" && globals.color != "always" && globals.color != "never") {
    Diagnostic d;
    d.id = "E004";
    d.message = "--color must be auto, always or never, got `" + globals.color + "`";
    throw UsageError(std::move(d));
  }
  if (map.count("plugin-path"))
    globals.plugin_path = split_paths(map["plugin-path"].as<std::vector<std::string>>());
  if (map.count("config-path"))
    globals.config_path = split_paths(map["config-path"].as<std::vector<std::string>>());
  for (const std::string& folder : globals.config_path) {
    std::error_code unknown;
    if (std::filesystem::is_directory(folder, unknown)) continue;
    throw usage_error("--config-path: there is no folder `" + folder + "`", "check the path");
  }
}

/// Parses everything but the command's own words.
void parse_options(const Command* command, const std::vector<std::string>& args,
                   const std::vector<int>& index_of, Arguments& out) {
  po::options_description visible;
  if (command != nullptr && command->options) command->options(visible);
  po::options_description all;
  all.add(visible).add(global_options());
  po::options_description with_positional;
  with_positional.add(all);
  with_positional.add_options()("positional", po::value<std::vector<std::string>>());
  po::positional_options_description positional;
  positional.add("positional", -1);
  using namespace po::command_line_style;
  try {
    const po::parsed_options parsed = po::command_line_parser(args)
                                          .options(with_positional)
                                          .positional(positional)
                                          .style(unix_style & ~allow_guessing)
                                          .run();
    po::store(parsed, out.options);
    po::notify(out.options);
    place_options(parsed, args, index_of, out);
  } catch (const po::error& e) {
    rethrow_usage(e, all, command);
  }
  read_globals(out.options, out.globals);
}

bool is_help_request(const std::vector<std::string>& argv) {
  for (std::size_t i = 1; i < argv.size() && argv[i] != "--"; ++i) {
    if (argv[i] == "--help" || argv[i] == "-h") return true;
  }
  return false;
}

Request help_request(const std::vector<std::string>& words) {
  Request request;
  request.what = Request::What::help;
  if (words.empty()) return request;
  const auto& table = command_table();
  const bool exact =
      table.count(words[0]) > 0 || (words.size() > 1 && table.count(words[0] + " " + words[1]) > 0);
  if (!exact && !subcommands_of(words[0]).empty()) {
    request.group = words[0];
  } else {
    request.command = find_command(words).first;
  }
  return request;
}

}  // namespace

Globals guess_globals(const std::vector<std::string>& argv) {
  Globals globals;
  for (std::size_t i = 1; i < argv.size() && argv[i] != "--"; ++i) {
    globals.verbose += verbosity_of(argv[i]);
    globals.json = globals.json || argv[i] == "--json";
    globals.quiet = globals.quiet || argv[i] == "--quiet";
    if (argv[i] == "--color=never" || argv[i] == "--color=always")
      globals.color = argv[i].substr(8);
    if (argv[i] == "--color" && i + 1 < argv.size()) globals.color = argv[i + 1];
  }
  return globals;
}

Request parse_command_line(const std::vector<std::string>& argv) {
  std::vector<std::size_t> word_index = command_words(argv);
  std::vector<std::string> words;
  for (std::size_t i : word_index) words.push_back(argv[i]);
  if (!words.empty() && words[0] == "help") {
    words.clear();
    for (std::size_t i = word_index[0] + 1; i < argv.size(); ++i) {
      if (argv[i].rfind("-", 0) != 0) words.push_back(argv[i]);
    }
    return help_request(words);
  }
  if (is_help_request(argv)) return help_request(words);

  Request request;
  std::size_t used = 0;
  if (!words.empty()) std::tie(request.command, used) = find_command(words);
  std::vector<std::string> args;
  std::vector<int> index_of;
  bool options_ended = false;
  for (std::size_t i = 1; i < argv.size(); ++i) {
    options_ended = options_ended || argv[i] == "--";
    const bool is_word = std::find(word_index.begin(), word_index.begin() + static_cast<long>(used),
                                   i) != word_index.begin() + static_cast<long>(used);
    const int verbosity = options_ended ? 0 : verbosity_of(argv[i]);
    request.arguments.globals.verbose += verbosity;
    if (is_word || verbosity > 0) continue;
    args.push_back(argv[i]);
    index_of.push_back(static_cast<int>(i));
  }
  parse_options(request.command, args, index_of, request.arguments);
  request.arguments.argv = argv;
  if (request.arguments.options.count("version") > 0) {
    request.what = Request::What::version;
  } else if (request.command == nullptr) {
    throw usage_error("no command given", "`retake --help` lists all commands");
  }
  return request;
}

std::string version_line() {
  return std::string("retake ") + build_info::version;
}

namespace {

std::string option_lines(const po::options_description& options) {
  std::ostringstream out;
  out << options;
  return out.str();
}

std::string command_list(const std::string& group) {
  std::size_t width = 0;
  for (const auto& [name, command] : command_table()) width = std::max(width, name.size());
  std::string out;
  for (const auto& [name, command] : command_table()) {
    if (is_hidden(name) || (!group.empty() && name.rfind(group + " ", 0) != 0)) continue;
    out += "  " + name + std::string(width - name.size() + 2, ' ') + command.summary + "\n";
  }
  return out;
}

}  // namespace

std::string general_help() {
  return version_line() + ": learns to edit raw music recordings into finished tracks\n\n" +
         "usage: retake COMMAND [ARGUMENTS] [OPTIONS]\n\nCommands:\n" + command_list("") + "\n" +
         option_lines(global_options()) +
         "\n`retake COMMAND --help` shows a command's options and examples.\n";
}

std::string group_help(const std::string& group) {
  return "usage: retake " + group + " SUBCOMMAND [ARGUMENTS] [OPTIONS]\n\n" + command_list(group) +
         "\n`retake " + group + " SUBCOMMAND --help` shows options and examples.\n";
}

std::string command_help(const Command& command) {
  std::string out = "usage: retake " + command.name +
                    (command.synopsis.empty() ? "" : " " + command.synopsis) + "\n\n" +
                    command.summary + "\n";
  if (!command.details.empty()) out += "\n" + command.details + "\n";
  po::options_description own("Options");
  if (command.options) command.options(own);
  if (!own.options().empty()) out += "\n" + option_lines(own);
  out += "\n" + option_lines(global_options());
  if (!command.examples.empty()) out += "\nExamples:\n";
  for (const auto& example : command.examples) out += "  " + example + "\n";
  const auto children = subcommands_of(command.name);
  if (!children.empty()) out += "\nSubcommands: " + join(children, ", ") + "\n";
  return out;
}

}  // namespace retake::cli

// The `retake` executable: finds the command, runs it, and catches its failure, once.

#include <fcntl.h>

#include <csignal>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <new>
#include <string>
#include <typeinfo>
#include <vector>

#include "core/log_sink.hpp"
#include "core/stop.hpp"
#include "frame.hpp"
#include "plugin/blame.hpp"
#include "plugin/crash.hpp"

namespace {

using namespace retake;
using namespace retake::cli;

/// Libraries end the process where it stands in a folder that was deleted, and say something else.
void require_working_folder() {
  std::error_code error;
  [[maybe_unused]] const auto here = std::filesystem::current_path(error);
  if (!error) return;
  throw usage_error("the working folder cannot be found: " + error.message(),
                    "it was deleted or moved: go to another with cd");
}

int dispatch(const Request& request) {
  switch (request.what) {
    case Request::What::version:
      if (request.arguments.globals.json)
        return command_table().at("version").run(request.arguments);
      print_text(version_line() + "\n");
      return 0;
    case Request::What::help:
      if (request.command != nullptr) {
        print_text(command_help(*request.command));
      } else {
        print_text(request.group.empty() ? general_help() : group_help(request.group));
      }
      return 0;
    case Request::What::run:
      require_working_folder();
      break;
  }
  return request.command->run(request.arguments);
}

/// Of the exception now handled.
Error unexpected(std::string message, std::string help) {
  Diagnostic d;
  d.id = "E001";
  d.message = std::move(message);
  d.help = std::move(help);
  if (const std::string library = plugin::thrown_in(); !library.empty()) {
    d.facts.push_back("thrown in " + library);
  }
  return Error(ExitCode::unexpected, std::move(d));
}

/// The exception in flight as an Error; anything that is not one of ours is exit 1.
Error current_failure(bool verbose) {
  try {
    throw;
  } catch (const Error& e) {
    return plugin::settled(e);
  } catch (const std::bad_alloc&) {
    return unexpected("out of memory", "use a smaller batch, fewer threads or shorter files");
  } catch (const std::exception& e) {
    std::string what = plugin::said_by(e);
    if (verbose) what = std::string(e.what()) + " [" + typeid(e).name() + "]";
    return unexpected(what, "this is a defect of retake or of a plugin: please report it");
  } catch (...) {
    return unexpected("a plugin threw something that is no exception",
                      "this is a defect of a plugin: please report it to its author");
  }
}

/// A program may be started with streams closed. The next file opened would take their number, and
/// what is printed would go into it.
void hold_standard_streams() {
  for (int fd = 0; fd <= 2; ++fd) {
    if (::fcntl(fd, F_GETFD) < 0 && ::open("/dev/null", O_RDWR) < 0) std::_Exit(1);
  }
}

}  // namespace

int main(int argc, char** argv) {
  hold_standard_streams();
  claim_stdout();
  // A reader that goes away must not end a run: writes to it fail and are judged where they happen.
  std::signal(SIGPIPE, SIG_IGN);
  const std::vector<std::string> words(argv, argv + argc);
  Globals globals = guess_globals(words);
  install_early_stop(globals.json);
  plugin::install_crash_handler();
  plugin::set_crash_json(globals.json);
  try {
    const Request request = parse_command_line(words);
    globals = request.arguments.globals;
    set_log_settings({globals.quiet, globals.verbose > 0, globals.json});
    plugin::forbid_exit(true);
    const int code = dispatch(request);
    finish_output();
    plugin::forbid_exit(false);
    return code;
  } catch (...) {
    plugin::forbid_exit(false);
    const Error error = current_failure(globals.verbose > 0);
    report_failure(globals, error);
    return static_cast<int>(error.code());
  }
}

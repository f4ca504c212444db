#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include "core/diagnostics.hpp"
#include "frame.hpp"

namespace retake::cli {

namespace {

/// What is printed goes here; stdout itself until it is claimed.
std::FILE*& result_stream() {
  static std::FILE* stream = stdout;
  return stream;
}

void check_written(bool good) {
  if (good || errno == EPIPE) return;
  Diagnostic d;
  d.id = "E006";
  d.message = std::string("cannot write to standard output: ") + std::strerror(errno);
  d.help = "free some space, or send the output elsewhere";
  throw Error(ExitCode::unexpected, std::move(d));
}

}  // namespace

void claim_stdout() {
  const int own = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  std::FILE* stream = own < 0 ? nullptr : ::fdopen(own, "w");
  if (stream == nullptr || ::dup2(STDERR_FILENO, STDOUT_FILENO) < 0) return;
  result_stream() = stream;
}

bool use_color(const Globals& globals, Stream which) {
  std::FILE* stream = which == Stream::result ? result_stream() : stderr;
  if (globals.color == "always") return true;
  if (globals.color == "never") return false;
  const char* no_color = std::getenv("NO_COLOR");
  if (no_color != nullptr && *no_color != '\0') return false;
  const char* term = std::getenv("TERM");
  if (term == nullptr || std::strcmp(term, "dumb") == 0) return false;
  return isatty(fileno(stream)) == 1;
}

void print_text(const std::string& text) {
  const bool good = std::fwrite(text.data(), 1, text.size(), result_stream()) == text.size();
  check_written(good);
}

void print_result(const Arguments& arguments, const Value& json,
                  const std::function<std::string()>& human) {
  std::string text = arguments.globals.json ? to_json(json) : human();
  if (!text.empty() && text.back() != '\n') text += '\n';
  print_text(text);
}

void finish_output() {
  check_written(std::fflush(result_stream()) == 0);
}

void print_diagnostics(const Globals& globals, const std::vector<Diagnostic>& diagnostics) {
  if (globals.quiet || globals.json) return;
  for (const auto& d : diagnostics) {
    const std::string text = render(d, use_color(globals, Stream::messages));
    std::fputs(text.c_str(), stderr);
  }
}

void report_failure(const Globals& globals, const Error& error) {
  std::fflush(result_stream());
  if (!globals.json) {
    std::fputs(render(error.diagnostics(), use_color(globals, Stream::messages)).c_str(), stderr);
    return;
  }
  Table line;
  line["error"] = to_value(error);
  std::fputs((to_json(Value(std::move(line))) + "\n").c_str(), stderr);
}

}  // namespace retake::cli

#include "retake/error.hpp"

namespace retake {
namespace {
std::string first_line(const std::vector<Diagnostic>& all) {
  if (all.empty()) return "error";
  const Diagnostic& d = all.front();
  std::string text = d.id.empty() ? d.message : "[" + d.id + "] " + d.message;
  if (d.place && !d.place->file.empty()) text = d.place->file + ": " + text;
  return text;
}
}  // namespace

Error::Error(ExitCode code, std::vector<Diagnostic> diagnostics)
    : std::runtime_error(first_line(diagnostics)),
      code_(code),
      diagnostics_(std::move(diagnostics)) {}
Error::Error(ExitCode code, Diagnostic diagnostic)
    : Error(code, std::vector<Diagnostic>{std::move(diagnostic)}) {}
Error::~Error() = default;
UsageError::~UsageError() = default;
ConfigError::~ConfigError() = default;
PluginError::~PluginError() = default;
DataError::~DataError() = default;
DivergedError::~DivergedError() = default;

Diagnostic file_diagnostic(std::string id, std::string file, std::string message,
                           std::string help) {
  Diagnostic d;
  d.id = std::move(id);
  d.message = std::move(message);
  d.place = Place{};
  d.place->file = std::move(file);
  d.help = std::move(help);
  return d;
}

}  // namespace retake

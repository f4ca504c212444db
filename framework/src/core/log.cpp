#include "retake/log.hpp"

#include <spdlog/sinks/basic_file_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <mutex>

#include "core/log_sink.hpp"
#include "retake/error.hpp"
#include "retake/value.hpp"

namespace retake {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

/// The process's sinks. Never destroyed: lines may come while statics of plugins die.
struct Sinks {
  std::mutex mutex;
  std::shared_ptr<spdlog::sinks::stderr_sink_mt> terminal =
      std::make_shared<spdlog::sinks::stderr_sink_mt>();
  std::shared_ptr<spdlog::sinks::sink> file;
  std::function<void()> before_line;
  bool json = false;

  Sinks() {
    terminal->set_pattern("%v");
    terminal->set_level(spdlog::level::info);
  }
};

Sinks& sinks() {
  static auto* instance = new Sinks;
  return *instance;
}

}  // namespace

namespace {

std::string terminal_line(LogLevel level, const std::string& text, bool json) {
  const char* word = level == LogLevel::error     ? "error"
                     : level == LogLevel::warning ? "warning"
                     : level == LogLevel::info    ? "info"
                                                  : "debug";
  if (json) {
    Table line, inner;
    inner["level"] = word;
    inner["message"] = text;
    line["log"] = std::move(inner);
    return to_json(Value(std::move(line)));
  }
  const bool marked = level == LogLevel::warning || level == LogLevel::error;
  return marked && !text.starts_with(word) ? std::string(word) + ": " + text : text;
}

}  // namespace

void log(LogLevel level, std::string_view message) {
  Sinks& s = sinks();
  const std::scoped_lock lock(s.mutex);
  const spdlog::level::level_enum l = to_spdlog(level);
  std::string text(message);
  if (s.terminal->should_log(l)) {
    if (s.before_line) s.before_line();
    const std::string line = terminal_line(level, text, s.json);
    s.terminal->log(spdlog::details::log_msg("retake", l, line));
    s.terminal->flush();
  }
  if (s.file) {
    s.file->log(spdlog::details::log_msg("retake", l, text));
    s.file->flush();
  }
}

void set_log_settings(LogSettings settings) {
  Sinks& s = sinks();
  const std::scoped_lock lock(s.mutex);
  s.json = settings.json;
  s.terminal->set_level(settings.verbose ? spdlog::level::debug
                        : settings.quiet ? spdlog::level::warn
                                         : spdlog::level::info);
}

void set_before_log_line(std::function<void()> hook) {
  Sinks& s = sinks();
  const std::scoped_lock lock(s.mutex);
  s.before_line = std::move(hook);
}

LogFile::LogFile(const std::filesystem::path& path) {
  Sinks& s = sinks();
  const std::scoped_lock lock(s.mutex);
  try {
    auto file = std::make_shared<spdlog::sinks::basic_file_sink_mt>(path.string(), false);
    file->set_pattern("%Y-%m-%dT%H:%M:%S.%e %l %v");
    file->set_level(spdlog::level::debug);
    s.file = std::move(file);
  } catch (const spdlog::spdlog_ex& e) {
    throw DataError(file_diagnostic("E401", path.string(),
                                    std::string("cannot write the log: ") + e.what(),
                                    "check the permissions and the space of that disk"));
  }
}

LogFile::~LogFile() {
  Sinks& s = sinks();
  const std::scoped_lock lock(s.mutex);
  s.file.reset();
}

}  // namespace retake

#include "run/json_lines.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"
#include "retake/error.hpp"
#include "retake/log.hpp"

namespace retake::run {

namespace fs = std::filesystem;

namespace {

constexpr auto kFlushInterval = std::chrono::milliseconds(200);

std::string where(const fs::path& path, std::size_t line) {
  return path.string() + ":" + std::to_string(line);
}

[[noreturn]] void damaged(const fs::path& path, std::size_t line, const std::string& what) {
  Diagnostic d = file_diagnostic("E608", path.string(), what,
                                 "restore the file from a copy, or start the run anew");
  d.place->line = static_cast<int>(line);
  throw DataError(d);
}

/// The step of a record; throws when the line is not one.
std::int64_t step_of(const Value& record, const fs::path& path, std::size_t line) {
  const Value* step = record.is_table() ? record.as_table().find("step") : nullptr;
  if (step == nullptr || !step->is_int()) damaged(path, line, "a record has no integer `step`");
  return step->as_int();
}

}  // namespace

JsonLines::JsonLines(const fs::path& path, std::optional<std::int64_t> keep_through)
    : path_(path), file_(open_file(path, O_WRONLY | O_CREAT | O_APPEND)) {
  if (keep_through) {
    keep(*keep_through);
  } else if (::ftruncate(file_.get(), 0) != 0) {
    fail_io(path_, "empty the file", errno);
  }
  struct stat now {};
  if (::fstat(file_.get(), &now) != 0) fail_io(path_, "read the size of the file", errno);
  bytes_ = now.st_size;
}

void JsonLines::keep(std::int64_t through) {
  std::size_t kept_bytes = 0;
  {
    const MappedFile file(path_);
    std::string_view rest = file.text();
    bool beyond = false;
    for (std::size_t line = 1; !rest.empty(); ++line) {
      const std::size_t length = rest.find('\n');
      if (length == std::string_view::npos) break;  // torn by a kill: dropped
      const Value record = parse_json(rest.substr(0, length), where(path_, line));
      const std::int64_t step = step_of(record, path_, line);
      if (step < last_step_) damaged(path_, line, "the records are not in the order of steps");
      if (!beyond && step > through) {
        beyond = true;
        kept_bytes = file.size() - rest.size();
      } else if (beyond && step <= through) {
        damaged(path_, line, "the records are not in the order of steps");
      }
      if (!beyond) {
        last_step_ = step;
        if (const Value* t = record.as_table().find("t"); t && t->is_number()) {
          last_time_ = t->as_double();
        }
        kept_bytes = file.size() - rest.size() + length + 1;
      }
      rest.remove_prefix(length + 1);
    }
    if (kept_bytes == file.size()) return;
  }
  if (::ftruncate(file_.get(), static_cast<off_t>(kept_bytes)) != 0) {
    fail_io(path_, "cut the file back to step " + std::to_string(through), errno);
  }
}

JsonLines::~JsonLines() {
  try {
    flush();
  } catch (const Error& e) {
    log_warning(std::string("the last records are lost: ") + e.what());
  }
}

void JsonLines::begin_line(std::int64_t step) {
  if (step < last_step_) {
    throw std::logic_error("JsonLines: step " + std::to_string(step) + " after step " +
                           std::to_string(last_step_));
  }
  last_step_ = step;
  pending_ += "{\"step\":";
  pending_ += std::to_string(step);
}

void JsonLines::end_line() {
  pending_ += "}\n";
  if (Clock::now() - last_flush_ >= kFlushInterval) flush();
}

void JsonLines::append(std::int64_t step, const Table& record) {
  begin_line(step);
  for (const auto& [key, value] : record) {
    pending_ += ',';
    append_json(pending_, key);
    pending_ += ':';
    pending_ += to_json(value);
  }
  end_line();
}

void JsonLines::append(std::int64_t step, double t, const std::map<std::string, double>& numbers) {
  begin_line(step);
  pending_ += ",\"t\":";
  append_json(pending_, t);
  for (const auto& [name, number] : numbers) {
    pending_ += ',';
    append_json(pending_, name);
    pending_ += ':';
    append_json(pending_, number);
  }
  end_line();
}

void JsonLines::flush() {
  last_flush_ = Clock::now();
  if (pending_.empty()) return;
  const auto size = static_cast<off_t>(pending_.size());
  try {
    write_all(file_.get(), pending_, path_);
  } catch (...) {
    pending_.clear();  // what could not be written is not tried again
    // Half a line would make the next append unreadable. Should even this fail, resuming drops it.
    [[maybe_unused]] const int cut = ::ftruncate(file_.get(), bytes_);
    throw;
  }
  pending_.clear();
  bytes_ += size;
}

void JsonLines::sync() {
  flush();
  if (::fdatasync(file_.get()) != 0) fail_io(path_, "sync the file", errno);
}

void read_json_lines(const fs::path& path, const std::function<void(const Value&)>& visit) {
  const MappedFile file(path);
  std::string_view rest = file.text();
  for (std::size_t line = 1; !rest.empty(); ++line) {
    const std::size_t length = rest.find('\n');
    if (length == std::string_view::npos) return;
    const Value record = parse_json(rest.substr(0, length), where(path, line));
    step_of(record, path, line);
    visit(record);
    rest.remove_prefix(length + 1);
  }
}

std::string json_lines_values_hash(const fs::path& path) {
  Sha256 hash;
  read_json_lines(path, [&](const Value& record) {
    Value stripped = record;
    stripped.as_table().erase("t");
    hash.update(to_canonical_json(stripped) + "\n");
  });
  return hash.hex();
}

}  // namespace retake::run

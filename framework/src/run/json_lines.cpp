#include "run/json_lines.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <string_view>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "core/json.hpp"
#include "retake/error.hpp"
#include "retake/log.hpp"

namespace retake::run {

namespace fs = std::filesystem;

namespace {

constexpr auto kFlushInterval = std::chrono::milliseconds(200);

[[noreturn]] void damaged(const fs::path& path, std::size_t line, const std::string& what) {
  Diagnostic d = file_diagnostic("E608", path.string(), what,
                                 "restore the file from a copy, or move it away: the run then goes "
                                 "on without its earlier records");
  d.place->line = static_cast<int>(line);
  throw DataError(d);
}

struct Record {
  std::int64_t step = 0;
  Value value;
};

/// Throws E608 for a line that is no record.
Record parse_record(std::string_view text, const fs::path& path, std::size_t line) {
  Record out;
  try {
    out.value = parse_json(text, path.string());
  } catch (const DataError& e) {
    damaged(path, line, e.diagnostics().front().message);
  }
  const Value* step = find_path(out.value, "step");
  if (step == nullptr || !step->is_int()) damaged(path, line, "a record has no integer `step`");
  out.step = step->as_int();
  return out;
}

/// What of a log is kept, and what cannot be read behind it.
class Kept {
 public:
  Kept(const fs::path& path, std::int64_t through) : path_(path), through_(through) {}

  void add(std::string_view text, std::size_t line, std::size_t end) {
    std::optional<Record> record;
    try {
      record = parse_record(text, path_, line);
    } catch (const DataError& e) {
      // All records up to the checkpoint were on the disk before it was published. What a power cut
      // spoils lies behind them.
      if (step != through_) throw;
      beyond_ = true;
      if (!unreadable) unreadable = e;
      return;
    }
    if (record->step < step || (beyond_ && record->step <= through_)) {
      if (unreadable) throw *unreadable;
      damaged(path_, line, "the records are not in the order of steps");
    }
    if (record->step > through_) beyond_ = true;
    if (beyond_) return;
    step = record->step;
    bytes = end;
    if (const Value* t = find_path(record->value, "t"); t && t->is_number()) time = t->as_double();
  }

  std::size_t bytes = 0;
  std::int64_t step = -1;
  double time = 0.0;
  std::optional<DataError> unreadable;

 private:
  const fs::path& path_;
  std::int64_t through_;
  bool beyond_ = false;
};

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
  Kept kept(path_, through);
  {
    const MappedFile file(path_);
    std::string_view rest = file.text();
    for (std::size_t line = 1; !rest.empty(); ++line) {
      const std::size_t length = rest.find('\n');
      if (length == std::string_view::npos) break;  // torn by a kill: dropped
      const std::size_t end = file.size() - rest.size() + length + 1;
      kept.add(rest.substr(0, length), line, end);
      rest.remove_prefix(length + 1);
    }
    last_step_ = kept.step;
    last_time_ = kept.time;
    if (kept.bytes == file.size()) return;
  }
  if (kept.unreadable) {
    const Diagnostic& d = kept.unreadable->diagnostics().front();
    log_warning(path_.string() + ":" + std::to_string(d.place->line) +
                " cannot be read; the file is cut back to step " + std::to_string(through) +
                ", from which the run goes on (W35)");
  }
  if (::ftruncate(file_.get(), static_cast<off_t>(kept.bytes)) != 0) {
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
    visit(parse_record(rest.substr(0, length), path, line).value);
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

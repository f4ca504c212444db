#pragma once
// metrics.jsonl and trace.jsonl: records in the order of their steps, appended, never rewritten.
//
//   {"step":500,"t":12.31,"val/edit_f1":0.641}
//
// A resumed run must end with the file of the uninterrupted one. Two rules give that:
//  - `sync` writes all records, and is called before the checkpoint of step n is published: every
//    checkpoint finds all the records up to it, whatever instant the process was killed at;
//  - resuming from step n drops what lies beyond it: records of later steps, which will be written
//    again, and a torn last line. Records are in step order, so this is the file's tail and one
//    ftruncate(2) removes it: killed before or after, the next resume finds a file it can treat the
//    same way.
// Steps that come faster than five times a second share a write(2): a kill then loses the records
// of the last 0.2 s, steps that lie beyond the newest checkpoint anyway.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "retake/value.hpp"
#include "run/io.hpp"

namespace retake::run {

/// One writer a file (the run's lock sees to it). Not thread-safe.
class JsonLines {
 public:
  /// Opens for appending. `keep_through` is the step resumed from; without it the file starts
  /// empty. Lines behind the last record of that step that cannot be read, as a power cut leaves
  /// them, are dropped with a warning. Throws DataError (E608) when the part to keep is damaged or
  /// out of step order, or may be: when that step has no record.
  explicit JsonLines(const std::filesystem::path& path,
                     std::optional<std::int64_t> keep_through = std::nullopt);
  /// Writes what is buffered; a failure is logged.
  ~JsonLines();
  JsonLines(const JsonLines&) = delete;
  JsonLines& operator=(const JsonLines&) = delete;

  /// Appends `{"step": step, ...record}` as one line, written at once unless the last write was
  /// less than 0.2 s ago. Steps never decrease. May throw as `flush` does.
  void append(std::int64_t step, const Table& record);
  /// `{"step": step, "t": t, ...numbers}`: the same line, made without a Table.
  void append(std::int64_t step, double t, const std::map<std::string, double>& numbers);
  /// Hands all lines to the system. When the disk is full the file is cut back to what it held
  /// before and DataError thrown.
  void flush();
  /// Flushes, and forces the file to the disk.
  void sync();

  std::int64_t last_step() const { return last_step_; }  ///< -1: none
  /// `t` of the last kept record, 0 when there is none: a resumed run's clock goes on from it.
  double last_time() const { return last_time_; }

 private:
  using Clock = std::chrono::steady_clock;

  void keep(std::int64_t through);
  void begin_line(std::int64_t step);
  void end_line();

  std::filesystem::path path_;
  Descriptor file_;
  off_t bytes_ = 0;      ///< of whole lines in the file
  std::string pending_;  ///< whole lines that are not in the file yet
  Clock::time_point last_flush_{};
  std::int64_t last_step_ = -1;
  double last_time_ = 0.0;
};

/// Calls `visit` with each whole record; a torn last line is ignored, since a writer may be at
/// work. Throws DataError (E608) naming file and line for anything else that is no record.
void read_json_lines(const std::filesystem::path& path,
                     const std::function<void(const Value& record)>& visit);

/// SHA-256 of the records as values: canonical JSON, a line each, without the wall-clock key "t".
/// Equal for runs that computed the same.
std::string json_lines_values_hash(const std::filesystem::path& path);

}  // namespace retake::run

#pragma once
// The folder of one run: its name, its files, its lock.
//
//   runs/2026-11-23_pointer_small_k7q2m4xa/
//     config.resolved.toml  config.input/  overrides.txt  command.txt  manifest.json
//     metrics.jsonl  trace.jsonl  log.txt  progress.json  tb/  checkpoints/  artifacts/  bin/ code/

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "retake/value.hpp"
#include "run/io.hpp"

namespace retake::run {

/// The parts of a run folder's name: DATE_NAME_ID.
struct RunName {
  std::string date;  ///< YYYY-MM-DD, UTC
  std::string name;
  std::string id;  ///< 8 of a-z2-7
};
/// Nothing when `folder_name` is not of this form.
std::optional<RunName> parse_run_name(std::string_view folder_name);

/// Held while a command writes into a run; released when destroyed or when the process ends,
/// however it ends.
class RunLock {
 public:
  explicit RunLock(Descriptor file) : file_(std::move(file)) {}

 private:
  Descriptor file_;
};

/// A file of the experiment as the user wrote it.
struct InputFile {
  std::filesystem::path path;
  std::string text;
};

/// Cheap to copy. Methods that write need the lock.
class RunFolder {
 public:
  /// Makes RUNS/DATE_NAME_ID with a fresh random id; characters of `name` outside [A-Za-z0-9._-]
  /// become '-'. Exclusive: two processes never get the same folder. Throws DataError.
  static RunFolder create(const std::filesystem::path& runs_dir, std::string_view name);
  /// An existing folder. Throws DataError (E601) when it is no run.
  static RunFolder open(const std::filesystem::path& folder);
  /// By name alone, without looking into it; nothing when the name is not a run's.
  static std::optional<RunFolder> from_name(const std::filesystem::path& runs_dir,
                                            const std::string& folder_name);

  const std::filesystem::path& path() const { return path_; }
  const std::string& id() const { return name_.id; }
  const std::string& name() const { return name_.name; }
  const std::string& date() const { return name_.date; }

  std::filesystem::path manifest() const { return path_ / "manifest.json"; }
  std::filesystem::path resolved_config() const { return path_ / "config.resolved.toml"; }
  std::filesystem::path metrics() const { return path_ / "metrics.jsonl"; }
  std::filesystem::path trace() const { return path_ / "trace.jsonl"; }
  std::filesystem::path log_file() const { return path_ / "log.txt"; }
  std::filesystem::path progress() const { return path_ / "progress.json"; }
  std::filesystem::path checkpoints() const { return path_ / "checkpoints"; }
  std::filesystem::path artifacts() const { return path_ / "artifacts"; }
  std::filesystem::path tensorboard() const { return path_ / "tb"; }
  std::filesystem::path bin() const { return path_ / "bin"; }
  std::filesystem::path code() const { return path_ / "code"; }

  /// config.resolved.toml, overrides.txt (one a line), command.txt (quoted for a shell).
  void write_config(std::string_view resolved_toml, const std::vector<std::string>& overrides,
                    const std::vector<std::string>& command) const;
  /// config.input/: each file at its place relative to the common parent, so that `extends` between
  /// the copies still resolves.
  void write_inputs(const std::vector<InputFile>& files) const;
  /// progress.json, whole or not at all. Not synced: other tools read live state here.
  void write_progress(const Value& state) const;

  /// Throws UsageError (E603) naming the holder when another command writes into this run.
  RunLock lock(std::string_view command) const;
  /// Whether some process holds the lock now. Takes no lock and writes nothing.
  bool is_locked() const;
  /// Removes half-written files of a killed process. Call under the lock.
  void clean() const;

 private:
  RunFolder(const std::filesystem::path& path, RunName name);
  std::filesystem::path path_;  ///< ends with the folder's name, so its parent holds the run
  RunName name_;
};

}  // namespace retake::run

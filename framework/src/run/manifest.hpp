#pragma once
// manifest.json: where a run comes from and how it ended. Written when the run starts, after every
// change of state, and sealed at the end. docs/manifest.schema.json describes it.

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "retake/error.hpp"
#include "retake/value.hpp"
#include "run/run_folder.hpp"

namespace retake::run {

/// A plugin file that a run uses, one entry for each component taken from it.
struct PluginUse {
  std::string kind;
  std::string name;  ///< of the component
  std::string version;
  std::string abi;            ///< 12 hex digits
  std::string params_schema;  ///< hash of the component's schema, hex
  std::filesystem::path path;
  std::string git;  ///< of the plugin's own repository; empty: unknown
  bool archived = false;
  std::string flags{};  ///< of its compiler; empty: unknown
};

/// What is known when a run starts. Tables go into the manifest as they are.
struct ManifestStart {
  std::string config_hash;
  std::uint64_t seed = 0;
  Table host_program;  ///< describe_host_program
  std::vector<PluginUse> plugins;
  Table code;         ///< snapshot_code
  Value data;         ///< the data room's account; null when the run reads none
  Table env;          ///< describe_environment
  Table determinism;  ///< {"requested", "level", "nondeterministic_ops"}
  Value parent;       ///< `train.init_from`: {"run_id", "checkpoint", ...} or null
  Value sweep;        ///< {"dir", "trial", "replicate"} or null
  Table experiment;   ///< name, notes, tags, environment values used: goes under "x-experiment"
};

/// How an attempt ended.
struct AttemptEnd {
  ExitCode code = ExitCode::ok;
  std::int64_t to_step = 0;
  int signal = 0;       ///< that asked to stop; 0: none
  std::string message;  ///< of the error, for codes that have one
};

/// SHA-256 of the decoded PCM of an audio file, which another room knows how to read.
using PcmHash = std::function<std::string(const std::filesystem::path&)>;

/// "plugins" of a manifest.
Array describe_plugins(const std::vector<PluginUse>& plugins);

/// One writer at a time: hold the run's lock. Not thread-safe.
class Manifest {
 public:
  /// Writes the first manifest of a run: status "running", one attempt from step 0.
  static Manifest start(const RunFolder& run, const ManifestStart& start);
  /// An existing one, checked for form. Throws DataError (E609).
  static Manifest load(const RunFolder& run);

  /// A resumed run: closes an attempt that was killed and opens one from `from_step`. `renewed`:
  /// top-level keys that are another now; the attempts before keep what they had.
  void begin_attempt(std::int64_t from_step, const Table& renewed = {});
  /// A fact of the newest attempt, under "x-KEY".
  void note_attempt(const std::string& key, Value value);
  /// Replaces a top-level key and writes the file.
  void set(std::string_view key, Value value);
  /// Ends the attempt: status, exit code, outputs with their hashes, summary.
  void seal(const AttemptEnd& end, const PcmHash& pcm_hash = {});
  /// Further derived seeds (SeedBook::recorded), kept sorted; written with the next change.
  void record_seeds(const Table& seeds);
  /// Metrics whose best value counts, with "max" or "min", for the summary.
  void set_goals(std::vector<std::pair<std::string, std::string>> goals) {
    goals_ = std::move(goals);
  }

  /// While alive, a second stop signal leaves a manifest that names it (status "aborted", exit code
  /// 130 or 143, nothing saved), and so does a crash (status "crashed"), which is told in log.txt
  /// too: prepared files are renamed in the signal handler. One at a time.
  class AbortGuard {
   public:
    explicit AbortGuard(const Manifest& manifest);
    ~AbortGuard();
    AbortGuard(const AbortGuard&) = delete;
    AbortGuard& operator=(const AbortGuard&) = delete;

   private:
    std::vector<std::filesystem::path> files_;
  };

  const Table& value() const { return value_; }
  const RunFolder& run() const { return run_; }

 private:
  Manifest(RunFolder run, Table value) : run_(std::move(run)), value_(std::move(value)) {}
  void write() const;
  Table& last_attempt();

  RunFolder run_;
  Table value_;
  std::vector<std::pair<std::string, std::string>> goals_;
};

/// Whether the run was begun with its binaries archived.
bool was_archived(const Table& manifest);

/// "finished", "interrupted", "preempted", "time_limit", "diverged" or "failed".
std::string status_of(ExitCode code);

/// {"val/edit_f1": {"best": 0.812, "step": 18500, "last": 0.8}, ...} from metrics.jsonl, numbers
/// only. Metrics without a goal have "last" and its "step".
Table summarize_metrics(const std::filesystem::path& metrics_file,
                        const std::vector<std::pair<std::string, std::string>>& goals);

/// "x-inputs": the experiment's files, the command line, overrides and the data index by their
/// bytes.
Array describe_inputs(const RunFolder& run);

/// "outputs": metrics and trace by values, checkpoints by their hashes.json, artifacts by content:
/// JSON as values, audio as PCM (when `pcm_hash` is given), all else as bytes. Sorted by path.
Array describe_outputs(const RunFolder& run, const PcmHash& pcm_hash = {});

}  // namespace retake::run

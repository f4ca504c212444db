#pragma once
// checkpoints/: complete states of a run, and which of them is the latest and the best.
//
//   checkpoints/step-002500/{retake.json, model.safetensors, optim.safetensors, rng.json,
//                            cursor.json, hashes.json}
//   checkpoints/LATEST  checkpoints/BEST      each one line: the name of a folder
//
// A checkpoint is written into a folder with a temporary name, every file and the folder synced,
// then renamed; only then do LATEST and BEST, each by an atomic rename, name it; only then are
// older ones deleted (renamed away first). So LATEST names a complete checkpoint at every instant,
// whenever the writer is killed, and what it left behind is removed by the next resume.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "retake/value.hpp"
#include "run/safetensors.hpp"

namespace retake::run {

/// The best validation so far, as known when a checkpoint was made.
struct BestMark {
  std::int64_t step = 0;
  std::string metric;  ///< "val/edit_f1"
  double value = 0.0;
};

/// What a checkpoint holds. The tensors are borrowed for the time of the call.
struct CheckpointContent {
  std::int64_t step = 0;
  Value retake;  ///< resolved config, feature spec, normaliser, plugins: all that `edit` needs
  Value rng;     ///< streams of random numbers
  Value cursor;  ///< where data and schedules stand
  std::vector<TensorView> model;
  std::vector<TensorView> optim;  ///< optimizers, and further state under prefixes ("ema/...")
  std::optional<BestMark> best;   ///< step == this step: this one is the best
};

/// `train.keep`.
struct KeepPolicy {
  int last = 1;  ///< newest checkpoints kept, >= 1
  int best = 1;  ///< 0: the best is not kept once a newer one exists
};

/// A checkpoint read back. Opening verifies every file against hashes.json.
class Checkpoint {
 public:
  /// Throws DataError (E605, E606) naming the file when anything is missing, truncated or changed.
  static Checkpoint open(const std::filesystem::path& folder);

  const std::filesystem::path& path() const { return path_; }
  std::int64_t step() const { return step_; }
  const std::optional<BestMark>& best() const { return best_; }
  const Value& retake() const { return retake_; }
  const Value& rng() const { return rng_; }
  const Value& cursor() const { return cursor_; }
  const SafeTensors& model() const { return *model_; }
  const SafeTensors& optim() const { return *optim_; }

 private:
  Checkpoint() = default;
  std::filesystem::path path_;
  std::int64_t step_ = 0;
  std::optional<BestMark> best_;
  Value retake_, rng_, cursor_;
  std::unique_ptr<SafeTensors> model_, optim_;
};

/// The checkpoints of one run. Reading is safe beside a writer; writing needs the run's lock.
class CheckpointStore {
 public:
  explicit CheckpointStore(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Writes the checkpoint, moves LATEST (and BEST) to it and deletes what `keep` does not hold.
  /// One of the same step is replaced. Returns its folder. Throws DataError (disk full, ...), the
  /// earlier checkpoints then being as they were.
  std::filesystem::path publish(const CheckpointContent& content, const KeepPolicy& keep);

  /// Puts the folder into the state it had just after the checkpoint of `step` was made: leftovers
  /// of a killed writer and later checkpoints are deleted, LATEST is `step`, BEST what that
  /// checkpoint knew as best (none when that one is gone). Throws DataError when it is absent.
  void resume_from(std::int64_t step);
  /// Empties the folder: the run starts anew because it was killed before its first checkpoint.
  void clear();

  /// Folders; nothing while there is none. Throws DataError (E605) when the mark is damaged.
  std::optional<std::filesystem::path> latest() const { return marked("LATEST"); }
  std::optional<std::filesystem::path> best() const { return marked("BEST"); }
  std::optional<std::filesystem::path> at(std::int64_t step) const;
  std::vector<std::int64_t> steps() const;  ///< ascending

  /// Opens the latest, verified; nothing while there is none. Goes on with the newer one when a
  /// writer replaces it meanwhile.
  std::optional<Checkpoint> open_latest() const;

 private:
  std::optional<std::filesystem::path> marked(const char* mark) const;
  void set_mark(const char* mark, std::int64_t step);
  void put_in_place(const std::filesystem::path& temporary, const std::filesystem::path& target);
  void restore_swapped();
  void remove(std::int64_t step);
  void prune(const KeepPolicy& keep);

  std::filesystem::path folder_;
};

/// "step-002500"
std::string checkpoint_name(std::int64_t step);

}  // namespace retake::run

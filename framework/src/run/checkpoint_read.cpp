// Reading checkpoints: everything is verified before it is used.

#include <array>
#include <system_error>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "retake/error.hpp"
#include "run/checkpoint.hpp"

namespace retake::run {

namespace fs = std::filesystem;

namespace {

[[noreturn]] void damaged(const fs::path& path, const std::string& what) {
  throw DataError(file_diagnostic("E605", path.string(), "the checkpoint is damaged: " + what,
                                  "use another checkpoint (RUN:best or RUN:STEP; of retake resume: "
                                  "--from best or --from STEP), or restore "
                                  "it from a copy"));
}

/// Reads a file and compares it with what hashes.json says of it.
void verify(const fs::path& folder, const std::string& name, const Table& files) {
  const fs::path path = folder / name;
  const Value* entry = files.find(name);
  const Value* bytes = entry && entry->is_table() ? entry->as_table().find("bytes") : nullptr;
  const Value* hash = entry && entry->is_table() ? entry->as_table().find("sha256") : nullptr;
  if (!bytes || !bytes->is_int() || !hash || !hash->is_string()) {
    damaged(folder / "hashes.json", "it says nothing of " + name);
  }
  std::error_code error;
  const auto size = fs::file_size(path, error);
  if (error) damaged(path, "the file is missing or unreadable");
  if (size != static_cast<std::uintmax_t>(bytes->as_int())) {
    damaged(path, "it has " + std::to_string(size) + " bytes instead of " +
                      std::to_string(bytes->as_int()));
  }
  if (sha256_file(path) != hash->as_string()) {
    damaged(path, "its content is not what was written (its hash differs)");
  }
}

Value read_json(const fs::path& path) {
  return parse_json(read_file(path), path.string());
}

std::optional<BestMark> best_of(const Value& hashes, const fs::path& path) {
  const Value* best = hashes.as_table().find("best");
  if (best == nullptr || best->is_null()) return std::nullopt;
  const Value* step = find_path(*best, "step");
  const Value* metric = find_path(*best, "metric");
  const Value* value = find_path(*best, "value");
  if (!step || !step->is_int() || !metric || !metric->is_string() || !value ||
      !value->is_number()) {
    damaged(path, "`best` lacks step, metric or value");
  }
  return BestMark{step->as_int(), metric->as_string(), value->as_double()};
}

}  // namespace

Checkpoint Checkpoint::open(const fs::path& folder) {
  const fs::path list = folder / "hashes.json";
  std::error_code error;
  if (!fs::is_directory(folder, error)) damaged(folder, "there is no such folder");
  if (!fs::exists(list, error)) damaged(list, "the file is missing");
  const Value hashes = read_json(list);
  const Value* step = hashes.is_table() ? hashes.as_table().find("step") : nullptr;
  const Value* schema = hashes.is_table() ? hashes.as_table().find("schema") : nullptr;
  const Value* files = hashes.is_table() ? hashes.as_table().find("files") : nullptr;
  if (!schema || *schema != Value("retake.checkpoint/1")) {
    damaged(list, "its schema is not retake.checkpoint/1");
  }
  if (!step || !step->is_int() || !files || !files->is_table()) {
    damaged(list, "it lacks `step` or `files`");
  }
  constexpr std::array names{"retake.json", "model.safetensors", "optim.safetensors", "rng.json",
                             "cursor.json"};
  for (const char* name : names) verify(folder, name, files->as_table());

  Checkpoint c;
  c.path_ = folder;
  c.step_ = step->as_int();
  c.best_ = best_of(hashes, list);
  c.retake_ = read_json(folder / "retake.json");
  c.rng_ = read_json(folder / "rng.json");
  c.cursor_ = read_json(folder / "cursor.json");
  c.model_ = std::make_unique<SafeTensors>(folder / "model.safetensors");
  c.optim_ = std::make_unique<SafeTensors>(folder / "optim.safetensors");
  return c;
}

std::optional<Checkpoint> CheckpointStore::open_latest() const {
  constexpr int kAttempts = 4;
  for (int attempt = 1;; ++attempt) {
    const auto folder = latest();
    if (!folder) return std::nullopt;
    try {
      return Checkpoint::open(*folder);
    } catch (const DataError&) {
      // Deleted or replaced under our hands, or damaged indeed: the latter stays so.
      if (latest() == folder && attempt >= kAttempts) throw;
    }
  }
}

}  // namespace retake::run

// Writing checkpoints so that a kill at any instant leaves a complete one.

#include <fcntl.h>
#include <stdio.h>  // renameat2
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <system_error>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "retake/error.hpp"
#include "retake/log.hpp"
#include "run/checkpoint.hpp"
#include "run/io.hpp"

namespace retake::run {

namespace fs = std::filesystem;

namespace {

/// Sets aside the old folder while a new one takes its name, where folders can't be exchanged.
constexpr std::string_view kSetAside = ".set-aside-";

std::optional<std::int64_t> parse_step(std::string_view name) {
  if (!name.starts_with("step-")) return std::nullopt;
  std::int64_t step = 0;
  const auto [end, error] = std::from_chars(name.data() + 5, name.data() + name.size(), step);
  if (error != std::errc() || end != name.data() + name.size() || checkpoint_name(step) != name) {
    return std::nullopt;
  }
  return step;
}

Value tensor_hashes(const std::vector<TensorView>& tensors) {
  std::vector<const TensorView*> order;
  for (const auto& t : tensors) order.push_back(&t);
  std::sort(order.begin(), order.end(),
            [](const auto* a, const auto* b) { return a->name < b->name; });
  Table out;
  for (const auto* t : order) out[t->name] = tensor_hash(*t);
  return Value(std::move(out));
}

void write_text(const fs::path& path, const std::string& text) {
  const Descriptor file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC);
  write_all(file.get(), text, path);
  if (::fsync(file.get()) != 0) fail_io(path, "sync the file", errno);
}

void write_files(const fs::path& folder, const CheckpointContent& content) {
  write_safetensors(folder / "model.safetensors", content.model);
  write_safetensors(folder / "optim.safetensors", content.optim);
  write_text(folder / "retake.json", to_json(content.retake, 1) + "\n");
  write_text(folder / "rng.json", to_json(content.rng, 1) + "\n");
  write_text(folder / "cursor.json", to_json(content.cursor, 1) + "\n");

  Table files;
  for (const char* name :
       {"retake.json", "model.safetensors", "optim.safetensors", "rng.json", "cursor.json"}) {
    Table entry;
    entry["bytes"] = static_cast<std::int64_t>(fs::file_size(folder / name));
    entry["sha256"] = sha256_file(folder / name);
    files[name] = std::move(entry);
  }
  Table hashes;
  hashes["schema"] = "retake.checkpoint/1";
  hashes["step"] = content.step;
  if (content.best) {
    Table best;
    best["step"] = content.best->step;
    best["metric"] = content.best->metric;
    best["value"] = content.best->value;
    hashes["best"] = std::move(best);
  } else {
    hashes["best"] = Value();
  }
  hashes["files"] = std::move(files);
  Table tensors;
  tensors["model"] = tensor_hashes(content.model);
  tensors["optim"] = tensor_hashes(content.optim);
  hashes["tensors"] = std::move(tensors);
  write_text(folder / "hashes.json", to_json(Value(std::move(hashes)), 1) + "\n");
  sync_path(folder);
}

void remove_tree(const fs::path& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) fail_io(path, "delete the old checkpoint", error.value());
}

}  // namespace

std::string checkpoint_name(std::int64_t step) {
  char text[32];
  std::snprintf(text, sizeof text, "step-%06lld", static_cast<long long>(step));
  return text;
}

std::optional<fs::path> CheckpointStore::marked(const char* mark) const {
  const fs::path file = folder_ / mark;
  std::error_code error;
  if (!fs::exists(file, error)) return std::nullopt;
  std::string name = read_file(file);
  while (!name.empty() && name.back() == '\n') name.pop_back();
  if (!parse_step(name)) {
    throw DataError(file_diagnostic("E605", file.string(),
                                    "it names no checkpoint, but `" + name.substr(0, 80) + "`",
                                    "write the name of a folder beside it into it"));
  }
  return folder_ / name;
}

std::optional<fs::path> CheckpointStore::at(std::int64_t step) const {
  const fs::path path = folder_ / checkpoint_name(step);
  std::error_code error;
  if (!fs::is_directory(path, error)) return std::nullopt;
  return path;
}

std::vector<std::int64_t> CheckpointStore::steps() const {
  std::vector<std::int64_t> out;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    if (const auto step = parse_step(entry.path().filename().string())) out.push_back(*step);
  }
  std::sort(out.begin(), out.end());
  return out;
}

void CheckpointStore::set_mark(const char* mark, std::int64_t step) {
  write_file_atomic(folder_ / mark, checkpoint_name(step) + "\n");
}

void CheckpointStore::put_in_place(const fs::path& temporary, const fs::path& target) {
  std::error_code error;
  if (!fs::exists(target, error)) {
    if (::rename(temporary.c_str(), target.c_str()) != 0) {
      fail_io(target, "put the checkpoint in its place", errno);
    }
  } else if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) ==
             0) {
    remove_tree(temporary);  // it holds the old one now
  } else if (errno == EINVAL || errno == ENOSYS) {
    // This file system can't exchange two folders. Between the two renames the name is missing;
    // `restore_swapped` mends a kill just there.
    const fs::path aside = folder_ / (std::string(kSetAside) + target.filename().string());
    if (::rename(target.c_str(), aside.c_str()) != 0 ||
        ::rename(temporary.c_str(), target.c_str()) != 0) {
      fail_io(target, "put the checkpoint in its place", errno);
    }
    remove_tree(aside);
  } else {
    fail_io(target, "put the checkpoint in its place", errno);
  }
  sync_path(folder_);
}

void CheckpointStore::restore_swapped() {
  std::vector<fs::path> aside;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder_, error)) {
    if (entry.path().filename().string().starts_with(kSetAside)) aside.push_back(entry.path());
  }
  for (const auto& path : aside) {
    const fs::path target = folder_ / path.filename().string().substr(kSetAside.size());
    if (fs::exists(target, error)) {
      remove_tree(path);
    } else if (::rename(path.c_str(), target.c_str()) != 0) {
      fail_io(target, "put the checkpoint back in its place", errno);
    }
  }
}

void CheckpointStore::remove(std::int64_t step) {
  const fs::path target = folder_ / checkpoint_name(step);
  const fs::path doomed = folder_ / ("." + checkpoint_name(step) + ".tmp-deleted");
  remove_tree(doomed);
  if (::rename(target.c_str(), doomed.c_str()) != 0) {
    fail_io(target, "delete the old checkpoint", errno);
  }
  remove_tree(doomed);
}

void CheckpointStore::prune(const KeepPolicy& keep) {
  const auto newest = latest();
  const auto best_one = keep.best > 0 ? best() : std::nullopt;
  const std::vector<std::int64_t> all = steps();
  const auto n_last = static_cast<std::size_t>(std::max(keep.last, 1));
  for (std::size_t i = 0; i + n_last < all.size(); ++i) {
    const auto path = at(all[i]);
    if (path != newest && path != best_one) remove(all[i]);
  }
}

fs::path CheckpointStore::publish(const CheckpointContent& content, const KeepPolicy& keep) {
  make_folders(folder_);
  const fs::path target = folder_ / checkpoint_name(content.step);
  const fs::path temporary =
      folder_ / ("." + checkpoint_name(content.step) + ".tmp-" + std::to_string(::getpid()));
  remove_tree(temporary);
  make_folders(temporary);
  try {
    write_files(temporary, content);
  } catch (...) {
    std::error_code ignored;  // the reason to report is the first one
    fs::remove_all(temporary, ignored);
    throw;
  }
  put_in_place(temporary, target);
  set_mark("LATEST", content.step);
  if (content.best && content.best->step == content.step) set_mark("BEST", content.step);
  prune(keep);
  return target;
}

void CheckpointStore::resume_from(std::int64_t step) {
  remove_leftovers(folder_);
  restore_swapped();
  const auto target = at(step);
  if (!target) {
    throw DataError(file_diagnostic("E604", folder_.string(),
                                    "there is no checkpoint of step " + std::to_string(step),
                                    "resume from another one"));
  }
  const Checkpoint checkpoint = Checkpoint::open(*target);
  set_mark("LATEST", step);
  if (checkpoint.best() && at(checkpoint.best()->step)) {
    set_mark("BEST", checkpoint.best()->step);
  } else {
    if (checkpoint.best()) {
      log_warning("the best checkpoint as of step " + std::to_string(step) + " (step " +
                  std::to_string(checkpoint.best()->step) + ") was not kept");
    }
    std::error_code error;
    fs::remove(folder_ / "BEST", error);
    if (error) fail_io(folder_ / "BEST", "delete the file", error.value());
  }
  for (const std::int64_t other : steps()) {
    if (other > step) remove(other);
  }
  sync_path(folder_);
}

void CheckpointStore::clear() {
  remove_tree(folder_);
  make_folders(folder_);
}

}  // namespace retake::run

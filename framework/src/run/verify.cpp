#include "run/verify.hpp"

#include <algorithm>
#include <filesystem>
#include <map>
#include <optional>
#include <utility>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "run/archive.hpp"
#include "run/checkpoint.hpp"
#include "run/hash_cache.hpp"
#include "run/json_lines.hpp"
#include "run/run_row.hpp"

namespace retake::run {
namespace {

namespace fs = std::filesystem;

/// An output's hash under whichever name it has: {"path", "sha256..."}.
std::map<std::string, std::string> by_path(const Array& outputs) {
  std::map<std::string, std::string> out;
  for (const Value& item : outputs) {
    std::string path, hash;
    for (const auto& [key, value] : item.as_table()) {
      if (key == "path") {
        path = value.as_string();
      } else if (value.is_string()) {
        hash = key + ":" + value.as_string();
      }
    }
    out[path] = hash;
  }
  return out;
}

/// In the word of `retake runs`, which asks the lock whether a run still goes on.
std::string how_it_is(const RunFolder& run) {
  const std::string status = RunRow(run).status();
  return "the run " + std::string(status == "running" ? "is " : "was ") + status;
}

VerifyPart compare_outputs(const RunFolder& run, const Table& manifest, const PcmHash& pcm_hash) {
  VerifyPart part{"outputs", 0, {}, ""};
  const auto recorded = by_path(manifest.at("outputs").as_array());
  if (recorded.empty()) {
    part.absent = "the manifest was not sealed: " + how_it_is(run);
    return part;
  }
  const auto now = by_path(describe_outputs(run, pcm_hash));
  for (const auto& [path, hash] : recorded) {
    ++part.compared;
    const auto found = now.find(path);
    if (found == now.end()) {
      part.differences.push_back(path + ": is missing");
    } else if (found->second != hash) {
      part.differences.push_back(path + ": its content is another");
    }
  }
  return part;
}

/// What the run was made from, as far as it lies in its folder.
VerifyPart compare_inputs(const RunFolder& run, const Table& manifest) {
  VerifyPart part{"inputs", 0, {}, ""};
  const Value* inputs = manifest.find("x-inputs");
  if (inputs == nullptr) {
    part.absent = "the run ended before it recorded them, or is of an earlier version";
    return part;
  }
  std::error_code error;
  for (const auto& [path, hash] : by_path(inputs->as_array())) {
    ++part.compared;
    const fs::path file = run.path() / path;
    if (!fs::exists(file, error)) {
      part.differences.push_back(path + ": is missing");
    } else if ("sha256:" + sha256_file(file) != hash) {
      part.differences.push_back(path + ": its content is another");
    }
  }
  return part;
}

using Mark = std::optional<fs::path> (CheckpointStore::*)() const;

/// LATEST or BEST, which resume and RUN:best go by. Whether the checkpoint it names is whole is
/// told with the checkpoints.
void compare_mark(const CheckpointStore& store, const char* name, Mark mark, bool expected,
                  bool may_be_gone, VerifyPart& part) {
  const std::string file = std::string("checkpoints/") + name;
  try {
    const auto named = (store.*mark)();
    if (!named && !expected) return;
    ++part.compared;
    std::error_code error;
    if (!named) {
      part.differences.push_back(file + ": is missing");
    } else if (!fs::is_directory(*named, error) && !may_be_gone) {
      part.differences.push_back(file + ": names " + named->filename().string() +
                                 ", which is not there");
    }
  } catch (const DataError& e) {
    ++part.compared;
    part.differences.push_back(file + ": " + e.diagnostics().front().message);
  }
}

VerifyPart compare_checkpoints(const RunFolder& run) {
  VerifyPart part{"checkpoints", 0, {}, ""};
  const CheckpointStore store(run.checkpoints());
  std::optional<BestMark> best;  // as the newest whole one knows it
  for (const std::int64_t step : store.steps()) {
    ++part.compared;
    try {
      best = Checkpoint::open(*store.at(step)).best();
    } catch (const Error& e) {
      for (const Diagnostic& d : e.diagnostics()) {
        const std::string where =
            d.place ? fs::path(d.place->file).lexically_relative(run.path()).string()
                    : "step " + std::to_string(step);
        part.differences.push_back(where + ": " + d.message);
      }
    }
  }
  const bool best_is_kept = best && store.at(best->step);
  const bool may_be_gone = RunRow(run).get("train.keep.best") == Value(0);
  compare_mark(store, "LATEST", &CheckpointStore::latest, part.compared > 0, false, part);
  compare_mark(store, "BEST", &CheckpointStore::best, best_is_kept, may_be_gone, part);
  if (part.compared == 0) part.absent = "the run has no checkpoint";
  return part;
}

using NamedHash = std::pair<std::string, std::string>;

/// Every hash that the manifest knows of an archived file, with the file's name.
std::vector<NamedHash> archived_hashes(const Table& manifest) {
  const Table& host = manifest.at("host_program").as_table();
  std::vector<NamedHash> out{{"retake", host.at("sha256").as_string()}};
  for (const Value& lib : manifest.at("env").as_table().at("libs").as_array()) {
    const Array& pair = lib.as_array();
    const bool ours = pair.at(0).as_string().starts_with("libretake");
    if (ours && pair.at(1).is_string())
      out.emplace_back(pair.at(0).as_string(), pair.at(1).as_string().substr(7));
  }
  for (const Value& item : manifest.at("plugins").as_array()) {
    const Table& p = item.as_table();
    if (!p.at("archived").as_bool()) continue;
    out.emplace_back(fs::path(p.at("path").as_string()).filename().string(),
                     p.at("sha256").as_string());
  }
  return out;
}

VerifyPart compare_binaries(const RunFolder& run, const Table& manifest) {
  VerifyPart part{"binaries", 0, {}, ""};
  std::error_code error;
  if (!fs::is_directory(run.bin(), error)) {
    if (was_archived(manifest)) {
      part.compared = 1;
      part.differences.emplace_back("bin: is missing");
    } else {
      part.absent = "nothing was archived (run.archive = false or --no-archive)";
    }
    return part;
  }
  const auto listed = archived_files(run);
  std::map<std::string, std::string> expected = listed;
  for (const NamedHash& known : archived_hashes(manifest)) {
    // The list knows under which name a file of this content stands there.
    const auto is_it = [&](const auto& file) { return file.second == known.second; };
    if (std::none_of(listed.begin(), listed.end(), is_it)) expected[known.first] = known.second;
  }
  for (const auto& [name, hash] : expected) {
    ++part.compared;
    const fs::path file = run.bin() / name;
    if (!fs::exists(file, error)) {
      part.differences.push_back("bin/" + name + ": is missing");
    } else if (sha256_file(file) != hash) {
      part.differences.push_back("bin/" + name + ": its content is another");
    }
  }
  return part;
}

/// One file of code/ that must be there; `same` tells whether it is what was recorded.
template <class F>
void compare_code_file(const RunFolder& run, const std::string& name, const char* otherwise,
                       F&& same, VerifyPart& part) {
  ++part.compared;
  std::error_code error;
  const fs::path file = run.code() / name;
  if (!fs::exists(file, error)) {
    part.differences.push_back("code/" + name + ": is missing");
  } else if (!same(file)) {
    part.differences.push_back("code/" + name + ": " + otherwise);
  }
}

VerifyPart compare_code(const RunFolder& run, const Table& manifest) {
  VerifyPart part{"code", 0, {}, ""};
  const Table& code = manifest.at("code").as_table();
  if (const Value* why = code.find("absent")) {
    part.absent = why->as_string();
    return part;
  }
  const auto has_hash = [&](const char* key) {
    return [&code, key](const fs::path& file) {
      return sha256_file(file) == code.at(key).as_string();
    };
  };
  const auto names_commit = [&](const fs::path& file) {
    return read_file(file) == code.at("commit").as_string() + "\n";
  };
  constexpr const char* kAnother = "its content is another";
  if (code.find("x-patch_left_out") == nullptr) {
    compare_code_file(run, "diff.patch", kAnother, has_hash("diff_sha256"), part);
  }
  compare_code_file(run, "base-commit.txt", "names another commit", names_commit, part);
  const Value* archive = code.find("untracked_sha256");
  if (archive != nullptr && archive->is_string()) {
    std::error_code error;
    const bool plain = fs::exists(run.code() / "untracked.tar", error);
    compare_code_file(run, plain ? "untracked.tar" : "untracked.tar.zst", kAnother,
                      has_hash("untracked_sha256"), part);
  }
  return part;
}

VerifyPart compare_data(const RunFolder& run, const Table& manifest, bool rehash) {
  VerifyPart part{"data", 0, {}, ""};
  const Value* data = manifest.find("data");
  const Value* index =
      data != nullptr && data->is_table() ? data->as_table().find("index") : nullptr;
  if (index == nullptr || !index->is_string()) {
    part.absent = "the run recorded no data";
    return part;
  }
  const fs::path root = data->as_table().at("root").as_string();
  HashCache hashes;
  std::error_code error;
  const std::string text = read_file(run.path() / index->as_string());
  for (std::size_t at = 0, line = 1; at < text.size(); ++line) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string origin =
        (run.path() / index->as_string()).string() + ":" + std::to_string(line);
    const Value item = parse_json(text.substr(at, end - at), origin);
    at = end + 1;
    const Table& file = item.as_table();
    const std::string path = file.at("path").as_string();
    ++part.compared;
    const auto size = fs::file_size(root / path, error);
    const auto recorded = file.at("bytes").as_int();
    if (error) {
      part.differences.push_back(path + ": " + error.message());
    } else if (static_cast<std::int64_t>(size) != recorded) {
      const auto off = static_cast<std::int64_t>(size) - recorded;
      part.differences.push_back(path + ": " + std::to_string(std::abs(off)) + " bytes " +
                                 (off > 0 ? "longer" : "shorter"));
    } else if (hashes.sha256(root / path, rehash) != file.at("sha256").as_string()) {
      part.differences.push_back(path + ": its content is another");
    }
  }
  const Value* files = data->as_table().find("files");
  if (files != nullptr && *files != Value(part.compared)) {
    ++part.compared;
    part.differences.push_back(index->as_string() + ": it lists not the " + to_json(*files) +
                               " files that the manifest counts");
  }
  return part;
}

}  // namespace

std::vector<VerifyPart> verify_run(const RunFolder& run, const PcmHash& pcm_hash, bool rehash) {
  const Manifest loaded = Manifest::load(run);
  const Table& manifest = loaded.value();
  std::vector<VerifyPart> parts;
  const auto add = [&](const char* name, auto&& compare) {
    try {
      parts.push_back(compare());
    } catch (const Error& e) {
      parts.push_back({name, 1, {e.diagnostics().front().message}, ""});
    } catch (const std::exception& e) {  // a key that a manifest of this schema has is missing
      parts.push_back({name, 1, {std::string("the manifest cannot tell: ") + e.what()}, ""});
    }
  };
  add("outputs", [&] { return compare_outputs(run, manifest, pcm_hash); });
  add("checkpoints", [&] { return compare_checkpoints(run); });
  add("binaries", [&] { return compare_binaries(run, manifest); });
  add("code", [&] { return compare_code(run, manifest); });
  add("inputs", [&] { return compare_inputs(run, manifest); });
  add("data", [&] { return compare_data(run, manifest, rehash); });
  return parts;
}

}  // namespace retake::run

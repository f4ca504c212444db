#include "run/verify.hpp"

#include <algorithm>
#include <filesystem>
#include <map>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "run/checkpoint.hpp"
#include "run/hash_cache.hpp"
#include "run/json_lines.hpp"

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

VerifyPart compare_outputs(const RunFolder& run, const Table& manifest, const PcmHash& pcm_hash) {
  VerifyPart part{"outputs", 0, {}, ""};
  const auto recorded = by_path(manifest.at("outputs").as_array());
  if (recorded.empty()) {
    part.absent = "the manifest was not sealed: the run is " + manifest.at("status").as_string();
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

VerifyPart compare_checkpoints(const RunFolder& run) {
  VerifyPart part{"checkpoints", 0, {}, ""};
  const CheckpointStore store(run.checkpoints());
  for (const std::int64_t step : store.steps()) {
    ++part.compared;
    try {
      Checkpoint::open(*store.at(step));
    } catch (const Error& e) {
      for (const Diagnostic& d : e.diagnostics()) {
        const std::string where =
            d.place ? fs::path(d.place->file).lexically_relative(run.path()).string()
                    : "step " + std::to_string(step);
        part.differences.push_back(where + ": " + d.message);
      }
    }
  }
  if (part.compared == 0) part.absent = "the run has no checkpoint";
  return part;
}

/// Every hash that the manifest knows of an archived file, by file name.
std::map<std::string, std::string> archived_hashes(const Table& manifest) {
  std::map<std::string, std::string> out;
  const Table& host = manifest.at("host_program").as_table();
  out["retake"] = host.at("sha256").as_string();
  for (const Value& lib : manifest.at("env").as_table().at("libs").as_array()) {
    const Array& pair = lib.as_array();
    const bool ours = pair.at(0).as_string().starts_with("libretake");
    if (ours && pair.at(1).is_string())
      out[pair.at(0).as_string()] = pair.at(1).as_string().substr(7);
  }
  for (const Value& item : manifest.at("plugins").as_array()) {
    const Table& p = item.as_table();
    if (!p.at("archived").as_bool()) continue;
    out[fs::path(p.at("path").as_string()).filename().string()] = p.at("sha256").as_string();
  }
  return out;
}

VerifyPart compare_binaries(const RunFolder& run, const Table& manifest) {
  VerifyPart part{"binaries", 0, {}, ""};
  std::error_code error;
  if (!fs::is_directory(run.bin(), error)) {
    part.absent = "nothing was archived (run.archive = false or --no-archive)";
    return part;
  }
  for (const auto& [name, hash] : archived_hashes(manifest)) {
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

VerifyPart compare_code(const RunFolder& run, const Table& manifest) {
  VerifyPart part{"code", 0, {}, ""};
  const Table& code = manifest.at("code").as_table();
  if (const Value* why = code.find("absent")) {
    part.absent = why->as_string();
    return part;
  }
  const fs::path patch = run.code() / "diff.patch";
  const fs::path base = run.code() / "base-commit.txt";
  std::error_code error;
  for (const fs::path& file : {patch, base}) {
    const bool left_out = file == patch && code.at("patch_verified") == Value(false);
    if (left_out) continue;
    ++part.compared;
    if (!fs::exists(file, error)) {
      part.differences.push_back("code/" + file.filename().string() + ": is missing");
    } else if (file == patch && sha256_file(file) != code.at("diff_sha256").as_string()) {
      part.differences.push_back("code/diff.patch: its content is another");
    } else if (file == base && read_file(file) != code.at("commit").as_string() + "\n") {
      part.differences.push_back("code/base-commit.txt: names another commit");
    }
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
      parts.push_back({name, 0, {e.diagnostics().front().message}, ""});
    } catch (const std::exception& e) {  // a key that a manifest of this schema has is missing
      parts.push_back({name, 0, {std::string("the manifest cannot tell: ") + e.what()}, ""});
    }
  };
  add("outputs", [&] { return compare_outputs(run, manifest, pcm_hash); });
  add("checkpoints", [&] { return compare_checkpoints(run); });
  add("binaries", [&] { return compare_binaries(run, manifest); });
  add("code", [&] { return compare_code(run, manifest); });
  add("data", [&] { return compare_data(run, manifest, rehash); });
  return parts;
}

}  // namespace retake::run

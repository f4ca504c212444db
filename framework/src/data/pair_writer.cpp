#include "retake/data/pair_writer.hpp"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <map>
#include <set>

#include "audio/pcm_file.hpp"
#include "core/files.hpp"
#include "core/hash.hpp"
#include "data/damage.hpp"
#include "data/material.hpp"
#include "data/splits.hpp"
#include "edit/renderer.hpp"
#include "retake/audio/hash.hpp"

namespace retake {

namespace fs = std::filesystem;

namespace {

constexpr const char* kSchema = "retake.pair/1";

fs::path meta_file(const fs::path& root, const std::string& id) {
  return root / "truth" / (id + ".meta.json");
}

/// Folders of the layout, in the order in which their files are put in place.
constexpr const char* kInput = "input";
constexpr const char* kOutput = "desired_output";
constexpr const char* kTruth = "truth";

/// Where a process makes a pair. It lies in the set's own folder: a parent shared by pairs that are
/// made side by side would be removed by one of them while another is about to use it.
std::string staging_name(const std::string& id, const std::string& process) {
  return ".making-" + id + "." + process;
}

/// Takes away what killed processes left of this pair. A folder's name ends in its process's id.
void sweep_leftovers(const fs::path& root, const std::string& id) {
  const std::string prefix = staging_name(id, "");
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(root, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(prefix)) continue;
    int pid = 0;
    std::from_chars(name.data() + prefix.size(), name.data() + name.size(), pid);
    if (pid > 0 && pid != ::getpid() && ::kill(pid, 0) != 0 && errno == ESRCH) {
      fs::remove_all(entry.path(), error);
    }
  }
}

void check_truth(const PairTruth& truth, std::int64_t samples) {
  std::vector<std::string> found = problems(truth.edl);
  for (const std::string& p : material_problems(truth.material, samples)) found.push_back(p);
  if (found.empty()) return;
  Diagnostic d;
  d.id = "E526";
  d.message = "a generator of pairs gave an unsound truth";
  d.facts = std::move(found);
  throw DataError(std::move(d));
}

Value damage_value(const EditDamage& damage) {
  Table t;
  t["codec"] = Value(damage.codec);
  t["quality"] = Value(damage.quality);
  t["snr_db"] = Value(damage.snr_db);
  t["eq_db"] = Value(damage.eq_db);
  t["gain_db"] = Value(damage.gain_db);
  t["sample_rate"] = Value(damage.sample_rate);
  return Value(std::move(t));
}

Value file_value(const fs::path& file) {
  const auto source = open_audio(file.string());
  Table t;
  t["sha256_pcm"] = Value(sha256_pcm(*source));
  t["samples"] = Value(source->info().samples);
  t["sample_rate"] = Value(source->info().sample_rate);
  t["channels"] = Value(source->info().channels);
  return Value(std::move(t));
}

}  // namespace

std::string hash_text(const std::string& text) {
  return sha256_hex(text);
}

std::string hash_files(const std::vector<fs::path>& files) {
  Sha256 hash;
  for (const fs::path& file : files) {
    const MappedFile bytes(file);
    hash.update(bytes.text());
  }
  return hash.hex();
}

PairWriter::PairWriter(fs::path root) : root_(plain_path(fs::absolute(root))) {}

void PairWriter::place(std::vector<Pair>& pairs, const SplitRule& rule) const {
  const fs::path file = root_ / "splits.toml";
  const auto stored = read_splits(file);
  PairSet all;
  all.root = root_;
  std::set<std::string> wanted;
  for (Pair& pair : pairs) {
    wanted.insert(pair.id);
    pair.split.clear();
    if (stored && stored->split.count(pair.id) != 0) pair.split = stored->split.at(pair.id);
    all.pairs.push_back(pair);
  }
  for (const auto& [id, split] : stored ? stored->split : std::map<std::string, std::string>()) {
    if (wanted.count(id) != 0 || stored->group.count(id) == 0) continue;
    Pair other;
    other.id = id;
    other.group = stored->group.at(id);
    other.split = split;
    all.pairs.push_back(std::move(other));
  }
  std::sort(all.pairs.begin(), all.pairs.end(),
            [](const Pair& a, const Pair& b) { return a.id < b.id; });
  assign_splits(all.pairs, rule, true);
  std::map<std::string, std::string> split;
  for (const Pair& pair : all.pairs) split[pair.id] = pair.split;
  for (Pair& pair : pairs) pair.split = split.at(pair.id);
  if (!stored || stored->split != split) write_splits(all, rule);
}

bool PairWriter::has(const std::string& id, const std::string& identity) const {
  const fs::path file = meta_file(root_, id);
  std::error_code error;
  if (!fs::exists(file, error)) return false;
  const Value meta = parse_json(read_file(file), file.string());
  const Value* found = meta.is_table() ? meta.as_table().find("identity") : nullptr;
  if (found == nullptr || *found != Value(identity)) {
    throw DataError(file_diagnostic(
        "E525", file.string(),
        "pair `" + id + "` is in " + root_.string() + " already, made with other parameters",
        "choose another folder, or take the old pairs away"));
  }
  const Value* files = meta.as_table().find("files");
  if (files == nullptr || !files->is_array()) return false;
  for (const Value& name : files->as_array()) {
    if (!name.is_string() || !fs::exists(root_ / name.as_string(), error)) return false;
  }
  return true;
}

struct PairWriter::Session::Impl {
  fs::path root;
  fs::path staging;
  PairDraft draft;
  std::unique_ptr<audio::PcmWriter> raw;
  std::vector<std::int32_t> block;
  std::int64_t samples = 0;
  std::int64_t clipped = 0;

  ~Impl() {
    raw.reset();
    std::error_code error;
    fs::remove_all(staging, error);
  }

  std::string raw_name() const { return draft.id + "_raw." + draft.container; }
  std::string edit_name() const {
    return draft.id + "_edit" + damaged_extension(draft.damage, draft.container);
  }

  /// Gives how many values the edit's own gain clipped.
  std::int64_t render(const Edl& edl) const;
  void move_into_place(const std::vector<fs::path>& files) const;
};

PairWriter::Session::Session(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
PairWriter::Session::Session(Session&&) noexcept = default;
PairWriter::Session::~Session() = default;

std::int64_t PairWriter::Session::samples() const {
  return impl_->samples;
}

PairWriter::Session PairWriter::begin(PairDraft draft) const {
  check_codec(draft.damage, draft.sample_rate, draft.channels);
  auto impl = std::make_unique<Session::Impl>();
  impl->root = root_;
  sweep_leftovers(root_, draft.id);
  impl->staging = root_ / staging_name(draft.id, std::to_string(::getpid()));
  impl->draft = std::move(draft);
  std::error_code error;
  for (const char* folder : {kInput, kOutput, kTruth}) {
    fs::create_directories(impl->staging / folder, error);
    if (!error) fs::create_directories(root_ / folder, error);
    if (error) {
      throw DataError(
          file_diagnostic("E527", root_.string(),
                          "folder " + root_.string() + " cannot be written to: " + error.message(),
                          "choose another folder, or check its permissions"));
    }
  }
  const PairDraft& d = impl->draft;
  const audio::PcmFormat format{d.container, "pcm_16", static_cast<int>(d.sample_rate), d.channels};
  impl->raw = std::make_unique<audio::PcmWriter>(
      (impl->staging / kInput / impl->raw_name()).string(), format, d.samples);
  return Session(std::move(impl));
}

void PairWriter::Session::append(std::span<const std::span<const float>> channels) {
  if (channels.empty() || channels.front().empty()) return;
  const std::size_t n = channels.front().size();
  impl_->block.resize(n * channels.size());
  for (std::size_t c = 0; c < channels.size(); ++c) {
    for (std::size_t i = 0; i < n; ++i) {
      impl_->block[i * channels.size() + c] = audio::quantise(channels[c][i], 16, impl_->clipped);
    }
  }
  impl_->raw->write(impl_->block.data(), static_cast<std::int64_t>(n));
  impl_->samples += static_cast<std::int64_t>(n);
}

std::int64_t PairWriter::Session::Impl::render(const Edl& edl) const {
  const fs::path edit = staging / kOutput / edit_name();
  edit::RenderRequest request;
  request.base = staging / kTruth;
  request.output = draft.damage.any() ? staging / ("clean." + draft.container) : edit;
  request.edl_name = draft.id + ".edl.json";
  const edit::RenderReport report = edit::render(edl, request);
  if (draft.damage.any()) write_damaged(request.output, edit, draft.damage, draft.container);
  return report.clipped;
}

void PairWriter::Session::Impl::move_into_place(const std::vector<fs::path>& files) const {
  for (const fs::path& file : files) {
    std::error_code error;
    fs::rename(staging / file, root / file, error);
    if (error) {
      throw DataError(
          file_diagnostic("E527", (root / file).string(),
                          (root / file).string() + " cannot be written: " + error.message(),
                          "check the folder's permissions and free space"));
    }
  }
}

void PairWriter::Session::finish(PairTruth truth) {
  Impl& s = *impl_;
  const PairDraft& d = s.draft;
  const fs::path raw = fs::path(kInput) / s.raw_name();
  const fs::path edit = fs::path(kOutput) / s.edit_name();
  const fs::path edl = fs::path(kTruth) / (d.id + ".edl.json");
  const fs::path material = fs::path(kTruth) / (d.id + ".material.json");
  EdlSource source;
  source.path = "../" + raw.generic_string();
  source.sample_rate = d.sample_rate;
  source.channels = d.channels;
  source.samples = s.samples;
  truth.edl.sources = {source};
  check_truth(truth, s.samples);
  s.raw->finish();
  s.raw.reset();
  const Value raw_facts = file_value(s.staging / raw);
  truth.edl.sources.front().sha256_pcm = raw_facts.as_table().at("sha256_pcm").as_string();
  write_edl(truth.edl, (s.staging / edl).string());
  write_material(truth.material, s.staging / material);
  const std::int64_t clipped = s.render(truth.edl);

  Table meta;
  meta["schema"] = Value(kSchema);
  meta["id"] = Value(d.id);
  meta["group"] = Value(d.group);
  meta["split"] = Value(d.split);
  meta["identity"] = Value(d.identity);
  meta["exact"] = Value(!d.damage.any());
  meta["raw"] = raw_facts;
  meta["edit"] = file_value(s.staging / edit);
  meta["clipped_raw"] = Value(s.clipped);
  meta["clipped_edit"] = Value(clipped);
  if (d.damage.any()) meta["damage"] = damage_value(d.damage);
  meta["recipe"] = Value(std::move(truth.recipe));
  Array files;
  for (const fs::path& file : {raw, edit, edl, material}) files.emplace_back(file.generic_string());
  meta["files"] = Value(std::move(files));
  s.move_into_place({raw, edit, edl, material});
  write_file_atomic(meta_file(s.root, d.id), to_json(Value(std::move(meta)), 1) + "\n");
}

}  // namespace retake

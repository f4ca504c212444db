#include "data/feature_store.hpp"

#include <sys/stat.h>
#include <xxhash.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <memory>

#include "core/files.hpp"
#include "core/hash.hpp"
#include "plugin/blame.hpp"
#include "retake/audio/hash.hpp"
#include "retake/error.hpp"
#include "retake/log.hpp"

namespace retake::data {
namespace {

namespace fs = std::filesystem;

// A stored table: magic, version, length of the description (little endian), sum of all that
// follows, then the description (JSON) filled up to a page, then rows * columns float32.
constexpr std::array<char, 8> kMagic{'R', 'T', 'K', 'F', 'E', 'A', 'T', '\n'};
constexpr std::uint32_t kVersion = 1;
constexpr std::size_t kPage = 4096;

struct Prefix {
  std::array<char, 8> magic;
  std::uint32_t version;
  std::uint32_t description;  ///< bytes, filled up
  std::uint64_t sum;          ///< XXH3 of description and values
};
static_assert(sizeof(Prefix) == 24);

Value to_value(const FeatureSpec& spec) {
  Table t;
  t["extractor"] = Value(spec.extractor);
  t["version"] = Value(spec.version);
  t["params"] = Value(spec.params);
  return Value(std::move(t));
}

Value describe(const std::string& audio_hash, const FeatureSpec& key, const FeatureTable& table) {
  Table t;
  t["audio"] = Value(audio_hash);
  t["key"] = to_value(key);
  t["spec"] = to_value(table.spec());
  t["hop"] = Value(table.grid().hop);
  t["rate"] = Value(table.grid().rate);
  t["rows"] = Value(table.rows());
  Array beats;
  for (const TimeGrid::Beat& b : table.grid().beats) {
    beats.push_back(Value(Array{Value(b.time), Value(static_cast<double>(b.position)),
                                Value(static_cast<double>(b.confidence))}));
  }
  t["beats"] = Value(std::move(beats));
  Array blocks;
  for (const FeatureBlock& b : table.blocks()) {
    Table block;
    block["name"] = Value(b.name);
    block["width"] = Value(b.width);
    block["unit"] = Value(b.unit);
    block["normalised"] = Value(b.normalised);
    blocks.push_back(Value(std::move(block)));
  }
  t["blocks"] = Value(std::move(blocks));
  return Value(std::move(t));
}

FeatureSpec spec_from(const Table& t) {
  return {t.at("extractor").as_string(), t.at("version").as_string(), t.at("params").as_table()};
}

/// Grid and blocks of a description. Throws on anything unexpected.
void read_description(const Table& t, TimeGrid& grid, std::vector<FeatureBlock>& blocks) {
  grid.hop = t.at("hop").as_int();
  grid.rate = t.at("rate").as_int();
  grid.rows = t.at("rows").as_int();
  for (const Value& v : t.at("beats").as_array()) {
    const Array& b = v.as_array();
    grid.beats.push_back({b.at(0).as_double(), static_cast<float>(b.at(1).as_double()),
                          static_cast<float>(b.at(2).as_double())});
  }
  std::int64_t offset = 0;
  for (const Value& v : t.at("blocks").as_array()) {
    const Table& b = v.as_table();
    blocks.push_back({b.at("name").as_string(), offset, b.at("width").as_int(),
                      b.at("unit").as_string(), b.at("normalised").as_bool()});
    offset += blocks.back().width;
  }
}

std::uint64_t sum_of(const void* description, std::size_t size, const float* values,
                     std::size_t count) {
  const std::uint64_t first = XXH3_64bits(description, size);
  return XXH3_64bits_withSeed(values, count * sizeof(float), first);
}

/// A file that is there but is not used: why.
struct Unusable {
  std::string why;
};

FeatureTable load(const std::shared_ptr<const MappedFile>& mapped, const std::string& audio_hash,
                  const FeatureSpec& key) {
  Prefix prefix{};
  if (mapped->size() < sizeof prefix) throw Unusable{"it is cut short"};
  std::memcpy(&prefix, mapped->data(), sizeof prefix);
  if (prefix.magic != kMagic) throw Unusable{"it is no stored feature table"};
  if (prefix.version != kVersion) {
    throw Unusable{"it was written by another version of Retake (format " +
                   std::to_string(prefix.version) + ", this one writes " +
                   std::to_string(kVersion) + ")"};
  }
  const std::size_t start = sizeof prefix + prefix.description;
  if (start % kPage != 0 || start > mapped->size()) throw Unusable{"it is damaged"};
  const auto* values = reinterpret_cast<const float*>(mapped->data() + start);
  const std::size_t bytes = mapped->size() - start;
  const std::byte* description = mapped->data() + sizeof prefix;
  if (bytes % sizeof(float) != 0 ||
      prefix.sum != sum_of(description, prefix.description, values, bytes / sizeof(float))) {
    throw Unusable{"its contents do not match their sum"};
  }
  const Value value =
      parse_json(mapped->text().substr(sizeof prefix, prefix.description), "stored feature table");
  const Table& t = value.as_table();
  if (t.at("audio").as_string() != audio_hash || !(spec_from(t.at("key").as_table()) == key)) {
    throw Unusable{"it holds another table than its name says"};
  }
  TimeGrid grid;
  std::vector<FeatureBlock> blocks;
  read_description(t, grid, blocks);
  std::size_t columns = 0;
  for (const FeatureBlock& b : blocks) columns += static_cast<std::size_t>(b.width);
  if (static_cast<std::size_t>(grid.rows) * columns * sizeof(float) != bytes) {
    throw Unusable{"its size is not that of its rows"};
  }
  return FeatureTable(std::move(grid), std::move(blocks), values, mapped,
                      spec_from(t.at("spec").as_table()));
}

void require_written(std::ofstream& out, const fs::path& file) {
  if (out) return;
  const std::string cause = errno != 0 ? std::string(": ") + std::strerror(errno) : "";
  throw DataError(file_diagnostic("E432", file.string(),
                                  "the feature table cannot be stored" + cause,
                                  "free some space, or name another folder: RETAKE_STORE=DIR"));
}

}  // namespace

fs::path FeatureStore::default_folder(const fs::path& root) {
  const auto variable = [](const char* name) -> fs::path {
    const char* value = std::getenv(name);
    return value == nullptr ? "" : value;
  };
  if (const fs::path store = variable("RETAKE_STORE"); !store.empty()) return store;
  if (!root.empty()) return root / ".retake" / "store";
  if (const fs::path cache = variable("XDG_CACHE_HOME"); !cache.empty()) {
    return cache / "retake" / "store";
  }
  if (const fs::path home = variable("HOME"); !home.empty()) {
    return home / ".cache" / "retake" / "store";
  }
  return fs::temp_directory_path() / "retake" / "store";
}

FeatureStore::FeatureStore(fs::path folder) : folder_(std::move(folder)) {}

std::string FeatureStore::audio_hash(const std::string& audio) const {
  const fs::path absolute = plain_path(fs::absolute(audio));
  struct stat status {};
  if (::stat(absolute.c_str(), &status) != 0) return sha256_pcm(audio);  // says what is wrong
  Table facts;
  facts["path"] = Value(absolute.string());
  facts["size"] = Value(static_cast<std::int64_t>(status.st_size));
  facts["mtime_s"] = Value(static_cast<std::int64_t>(status.st_mtim.tv_sec));
  facts["mtime_ns"] = Value(static_cast<std::int64_t>(status.st_mtim.tv_nsec));
  facts["ctime_s"] = Value(static_cast<std::int64_t>(status.st_ctim.tv_sec));
  facts["ctime_ns"] = Value(static_cast<std::int64_t>(status.st_ctim.tv_nsec));
  facts["inode"] = Value(std::to_string(status.st_ino));
  const fs::path file = folder_ / "audio" / (sha256_hex(absolute.string()).substr(0, 32) + ".json");
  std::error_code error;
  if (fs::exists(file, error)) {
    try {
      const Value known = parse_json(read_file(file), file.string());
      if (known.as_table().at("file") == Value(facts)) {
        return known.as_table().at("sha256_pcm").as_string();
      }
    } catch (const std::exception& problem) {
      log_warning("the remembered hash " + file.string() + " cannot be read (" + problem.what() +
                  "): computing it again");
    }
  }
  Table record;
  record["sha256_pcm"] = Value(sha256_pcm(audio));
  record["file"] = Value(std::move(facts));
  try {
    write_file_atomic(file, to_json(Value(record)));
  } catch (const DataError& problem) {
    log_warning(std::string("the hash of a recording cannot be remembered: ") + problem.what());
  }
  return record.at("sha256_pcm").as_string();
}

fs::path FeatureStore::path_of(const std::string& audio_hash, const FeatureSpec& spec) const {
  Table key;
  key["audio"] = Value(audio_hash);
  key["spec"] = to_value(spec);
  const std::string name = sha256_hex(to_canonical_json(Value(std::move(key))));
  return folder_ / "features" / name.substr(0, 2) / (name + ".features");
}

std::optional<FeatureTable> FeatureStore::open(const fs::path& file, const std::string& audio_hash,
                                               const FeatureSpec& spec) const {
  std::error_code error;
  if (!fs::exists(file, error)) return std::nullopt;
  std::string why;
  try {
    return load(std::make_shared<const MappedFile>(file), audio_hash, spec);
  } catch (const Unusable& unusable) {
    why = unusable.why;
  } catch (const std::exception& problem) {
    why = problem.what();
  }
  log_warning("the stored features " + file.string() + " are not used: " + why);
  return std::nullopt;
}

void FeatureStore::write(const fs::path& file, const std::string& audio_hash,
                         const FeatureSpec& spec, const FeatureTable& table) const {
  std::string description = to_json(describe(audio_hash, spec, table));
  // The values start on a page: spaces behind the JSON.
  const std::size_t start = (sizeof(Prefix) + description.size() + kPage - 1) / kPage * kPage;
  description.resize(start - sizeof(Prefix), ' ');
  const auto count = static_cast<std::size_t>(table.rows() * table.columns());
  const Prefix prefix{kMagic, kVersion, static_cast<std::uint32_t>(description.size()),
                      sum_of(description.data(), description.size(), table.data(), count)};
  AtomicFile target(file);
  {
    errno = 0;  // the stream keeps no reason of its own
    std::ofstream out(target.path(), std::ios::binary);
    out.write(reinterpret_cast<const char*>(&prefix), sizeof prefix);
    out.write(description.data(), static_cast<std::streamsize>(description.size()));
    out.write(reinterpret_cast<const char*>(table.data()),
              static_cast<std::streamsize>(count * sizeof(float)));
    out.flush();
    require_written(out, file);
  }
  target.commit(Sync::no);  // the sum tells a damaged file, which is then computed again
}

std::optional<FeatureTable> FeatureStore::find(const std::string& audio,
                                               const FeatureSpec& spec) const {
  const std::string hash = audio_hash(audio);
  return open(path_of(hash, spec), hash, spec);
}

void FeatureStore::put(const std::string& audio, const FeatureSpec& spec,
                       const FeatureTable& table) const {
  const std::string hash = audio_hash(audio);
  write(path_of(hash, spec), hash, spec, table);
}

namespace {

/// On the standard grid a model reads the tables of several extractors row by row.
void require_covering(const FeatureTable& table, const AudioSource& source,
                      const FeatureExtractor& extractor, const std::string& audio) {
  const TimeGrid standard;
  const TimeGrid& grid = table.grid();
  if (grid.hop != standard.hop || grid.rate != standard.rate) return;
  const std::int64_t rows = frame_grid(source.info().samples, source.info().sample_rate).rows;
  if (table.rows() == rows) return;
  const std::string library = plugin::library_of(extractor);
  throw DataError(
      file_diagnostic("E542", audio,
                      "its features" + (library.empty() ? "" : " by " + library) + " have " +
                          std::to_string(table.rows()) + " rows, where the recording has " +
                          std::to_string(rows) + " frames of hop 256 at 22,050 Hz",
                      "check the plugin with  retake plugins check FILE;  nothing was stored"));
}

}  // namespace

FeatureTable FeatureStore::get(const std::string& audio, const FeatureExtractor& extractor,
                               const FeatureSpec& spec, const Context& context) const {
  const std::string hash = audio_hash(audio);
  const fs::path file = path_of(hash, spec);
  if (std::optional<FeatureTable> stored = open(file, hash, spec)) return *std::move(stored);
  const std::unique_ptr<AudioSource> source = open_audio(audio);
  FeatureTable table = extractor.extract(*source, context);
  if (context.stop_requested()) return table;  // it may be unfinished
  require_covering(table, *source, extractor, audio);
  require_finite(table, extractor, audio);
  try {
    write(file, hash, spec, table);
  } catch (const DataError& problem) {
    log_warning(std::string("features of ") + audio + " are not kept: " + problem.what());
    return table;
  }
  // The mapped file instead of the computed values: memory goes back to the system.
  if (std::optional<FeatureTable> stored = open(file, hash, spec)) return *std::move(stored);
  return table;
}

void require_finite(const FeatureTable& table, const FeatureExtractor& extractor,
                    const std::string& audio) {
  const float* const end = table.data() + table.rows() * table.columns();
  const float* const bad =
      std::find_if(table.data(), end, [](float value) { return !std::isfinite(value); });
  if (bad == end) return;
  const std::int64_t row = (bad - table.data()) / table.columns();
  const std::int64_t column = (bad - table.data()) % table.columns();
  std::string block;
  for (const FeatureBlock& b : table.blocks()) {
    if (column >= b.offset && column < b.offset + b.width) block = b.name;
  }
  const std::string library = plugin::library_of(extractor);
  throw DataError(file_diagnostic(
      "E542", audio,
      "its features" + (library.empty() ? "" : " by " + library) + " are not finite: block `" +
          block + "` is " + format_double(static_cast<double>(*bad)) + " in row " +
          std::to_string(row),
      "check the plugin with  retake plugins check FILE;  nothing was stored"));
}

FeatureSpec spec_of(const ComponentInfo& info, const FeatureExtractor& extractor,
                    const Table& params) {
  FeatureSpec spec{info.name, extractor.algorithm_version(), {}};
  for (const FieldInfo& field : info.schema.fields) {
    if (!field.affects_results || field.deprecated) continue;
    const Value* given = params.find(field.name);
    spec.params[field.name] = given != nullptr ? *given : field.default_value;
  }
  return spec;
}

}  // namespace retake::data

#include <zip.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <memory>
#include <stdexcept>

#include "data/npy.hpp"
#include "retake/error.hpp"

namespace retake::data {
namespace {

constexpr std::size_t kMaxEntries = 10000;
constexpr zip_uint64_t kMaxRatio = 1100;  // deflate reaches 1032 at most

struct ZipClose {
  void operator()(zip_t* z) const { zip_discard(z); }
};
struct EntryClose {
  void operator()(zip_file_t* f) const { zip_fclose(f); }
};
using Archive = std::unique_ptr<zip_t, ZipClose>;

[[noreturn]] void malformed(const std::filesystem::path& path, const std::string& what) {
  throw DataError(file_diagnostic("E440", path.string(), "this is no sound .npz file: " + what,
                                  "write it again with numpy.savez"));
}

Archive open_archive(const std::filesystem::path& path) {
  if (!std::filesystem::exists(path)) {
    throw DataError(
        file_diagnostic("E400", path.string(), "there is no such file", "check the path"));
  }
  int code = 0;
  Archive archive(zip_open(path.c_str(), ZIP_RDONLY, &code));
  if (archive == nullptr) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    const std::string why = zip_error_strerror(&error);
    zip_error_fini(&error);
    malformed(path, why);
  }
  if (zip_get_num_entries(archive.get(), 0) > static_cast<zip_int64_t>(kMaxEntries)) {
    malformed(path, "it has more than " + std::to_string(kMaxEntries) + " entries");
  }
  return archive;
}

std::string entry_name(zip_t* archive, zip_uint64_t index, const std::filesystem::path& path) {
  const char* name = zip_get_name(archive, index, 0);
  if (name == nullptr) malformed(path, "an entry has no name");
  std::string s = name;
  if (s.size() > 4 && s.compare(s.size() - 4, 4, ".npy") == 0) s.resize(s.size() - 4);
  return s;
}

NpyArray read_entry(zip_t* archive, zip_uint64_t index, const std::filesystem::path& path) {
  zip_stat_t status;
  zip_stat_init(&status);
  constexpr zip_uint64_t kNeeded = ZIP_STAT_SIZE | ZIP_STAT_COMP_SIZE;
  if (zip_stat_index(archive, index, 0, &status) != 0 || (status.valid & kNeeded) != kNeeded) {
    malformed(path, "an entry cannot be read");
  }
  const std::string origin = path.string() + ":" + entry_name(archive, index, path);
  // The stated size is not trusted with memory before the packed size makes it possible.
  const zip_uint64_t packed = std::min<zip_uint64_t>(
      status.comp_size, static_cast<zip_uint64_t>(std::filesystem::file_size(path)));
  if (status.size > packed * kMaxRatio + 1024) malformed(path, "an entry states a false size");
  const std::unique_ptr<zip_file_t, EntryClose> file(zip_fopen_index(archive, index, 0));
  if (file == nullptr) malformed(path, zip_strerror(archive));
  std::string bytes(static_cast<std::size_t>(status.size), '\0');
  std::size_t done = 0;
  while (done < bytes.size()) {
    const zip_int64_t n = zip_fread(file.get(), bytes.data() + done, bytes.size() - done);
    if (n < 0) malformed(path, zip_file_strerror(file.get()));
    if (n == 0) malformed(path, "an entry is cut short");
    done += static_cast<std::size_t>(n);
  }
  char beyond = 0;  // reaching the end checks the sum
  if (zip_fread(file.get(), &beyond, 1) != 0) malformed(path, zip_file_strerror(file.get()));
  return parse_npy(bytes, origin);
}

[[noreturn]] void cannot_write(const std::filesystem::path& path, const std::string& why) {
  throw DataError(file_diagnostic("E443", path.string(), "the arrays cannot be written: " + why,
                                  "check the folder's permissions and the free space"));
}

}  // namespace

std::vector<std::string> npz_names(const std::filesystem::path& path) {
  const Archive archive = open_archive(path);
  std::vector<std::string> names;
  const auto count = static_cast<zip_uint64_t>(zip_get_num_entries(archive.get(), 0));
  for (zip_uint64_t i = 0; i < count; ++i) names.push_back(entry_name(archive.get(), i, path));
  return names;
}

std::map<std::string, NpyArray> read_npz(const std::filesystem::path& path) {
  const Archive archive = open_archive(path);
  std::map<std::string, NpyArray> arrays;
  const auto count = static_cast<zip_uint64_t>(zip_get_num_entries(archive.get(), 0));
  for (zip_uint64_t i = 0; i < count; ++i) {
    arrays[entry_name(archive.get(), i, path)] = read_entry(archive.get(), i, path);
  }
  return arrays;
}

NpyArray read_npz(const std::filesystem::path& path, const std::string& name) {
  const Archive archive = open_archive(path);
  std::string there;
  const auto count = static_cast<zip_uint64_t>(zip_get_num_entries(archive.get(), 0));
  for (zip_uint64_t i = 0; i < count; ++i) {
    const std::string entry = entry_name(archive.get(), i, path);
    if (entry == name) return read_entry(archive.get(), i, path);
    there += (i == 0 ? "" : ", ") + entry;
  }
  Diagnostic diagnostic =
      file_diagnostic("E442", path.string(), "there is no array named `" + name + "`",
                      "check how the file was written");
  diagnostic.facts.push_back("it holds: " + there);
  throw DataError(std::move(diagnostic));
}

NpzWriter::NpzWriter(const std::filesystem::path& path) : path_(path), target_(path) {
  int code = 0;
  archive_ = zip_open(target_.path().c_str(), ZIP_CREATE | ZIP_TRUNCATE, &code);
  if (archive_ == nullptr) {
    zip_error_t error;
    zip_error_init_with_code(&error, code);
    const std::string why = zip_error_strerror(&error);
    zip_error_fini(&error);
    cannot_write(path_, why);
  }
}

NpzWriter::~NpzWriter() {
  if (archive_ != nullptr) zip_discard(archive_);
}

template <class T>
void NpzWriter::add(const std::string& name, std::vector<T> values,
                    const std::vector<std::int64_t>& shape) {
  std::int64_t count = 1;
  for (const std::int64_t dim : shape) count *= dim;
  if (count != static_cast<std::int64_t>(values.size())) {
    throw std::invalid_argument("NpzWriter: the shape does not hold the values");
  }
  const auto kept = std::make_shared<std::vector<T>>(std::move(values));
  add_bytes(name, npy_header(npy_dtype<T>(), shape), {kept, kept->data()},
            kept->size() * sizeof(T));
}

template void NpzWriter::add(const std::string&, std::vector<float>,
                             const std::vector<std::int64_t>&);
template void NpzWriter::add(const std::string&, std::vector<double>,
                             const std::vector<std::int64_t>&);
template void NpzWriter::add(const std::string&, std::vector<std::int64_t>,
                             const std::vector<std::int64_t>&);
template void NpzWriter::add(const std::string&, std::vector<std::int8_t>,
                             const std::vector<std::int64_t>&);

void NpzWriter::add_bytes(const std::string& name, std::string header,
                          std::shared_ptr<const void> data, std::size_t size) {
  // libzip reads the bytes only when the archive is closed.
  Entry& kept = entries_.emplace_back(std::move(header), std::move(data));
  std::array<zip_buffer_fragment_t, 2> parts{};
  parts[0].data = reinterpret_cast<zip_uint8_t*>(kept.header.data());
  parts[0].length = kept.header.size();
  // The interface is not const, but the bytes are only read.
  parts[1].data = static_cast<zip_uint8_t*>(const_cast<void*>(kept.data.get()));
  parts[1].length = size;
  zip_source_t* source = zip_source_buffer_fragment(archive_, parts.data(), size > 0 ? 2U : 1U, 0);
  if (source == nullptr) cannot_write(path_, zip_strerror(archive_));
  const zip_int64_t index =
      zip_file_add(archive_, (name + ".npy").c_str(), source, ZIP_FL_ENC_UTF_8);
  if (index < 0) {
    zip_source_free(source);
    cannot_write(path_, zip_strerror(archive_));
  }
  const auto entry = static_cast<zip_uint64_t>(index);
  if (zip_set_file_compression(archive_, entry, ZIP_CM_STORE, 0) != 0 ||
      // 1980-01-01 in the local time of zip files, as numpy.savez stamps them.
      zip_file_set_dostime(archive_, entry, 0, 0x21, 0) != 0) {
    cannot_write(path_, zip_strerror(archive_));
  }
}

void NpzWriter::finish() {
  if (zip_close(archive_) != 0) cannot_write(path_, zip_strerror(archive_));
  archive_ = nullptr;
  target_.commit(Sync::no);  // every entry has its sum
}

}  // namespace retake::data

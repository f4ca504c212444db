#include "plugin/elf_file.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "plugin/errors.hpp"

namespace retake::plugin {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMaxSections = 100'000;

const fs::path& readable(const fs::path& path) {
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    fail("E210", path, "is not a regular file", "name a plugin's shared library");
  }
  return path;
}

}  // namespace

ElfFile::ElfFile(const fs::path& path) try : path_(path), file_(readable(path)) {
  check_header();
  find_sections();
  check_segments();
} catch (const DataError& e) {
  const Diagnostic& d = e.diagnostics().front();
  throw PluginError(file_diagnostic("E210", path.string(), d.message, d.help));
}

template <class T>
T ElfFile::read_at(std::uint64_t offset) const {
  static_assert(std::is_trivially_copyable_v<T>);
  T value;
  std::memcpy(&value, range(offset, sizeof(T), "its headers").data(), sizeof(T));
  return value;
}

std::string_view ElfFile::range(std::uint64_t offset, std::uint64_t size, const char* what) const {
  if (offset > file_.size() || size > file_.size() - offset) {
    fail("E212", path_,
         std::string("is truncated or damaged: ") + what + " would end at byte " +
             std::to_string(offset) + " + " + std::to_string(size) + ", the file has " +
             std::to_string(file_.size()),
         "build or copy it again");
  }
  return file_.text().substr(offset, size);
}

void ElfFile::check_header() const {
  const std::string_view text = file_.text();
  const std::string_view magic(ELFMAG, SELFMAG);
  if (text.substr(0, SELFMAG) != magic) {
    fail("E211", path_, "is not an ELF shared library",
         text.empty() ? "the file is empty: build it again" : "remove it from the plugin folder");
  }
  const auto header = read_at<Elf64_Ehdr>(0);
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB ||
      header.e_machine != EM_X86_64) {
    fail("E213", path_,
         "is built for another architecture (ELF machine " + std::to_string(header.e_machine) +
             ", this host is x86-64)",
         "build it on this kind of machine");
  }
  if (header.e_type != ET_DYN) {
    fail("E211", path_, "is ELF, but no shared library", "build it with retake_add_plugin (CMake)");
  }
}

void ElfFile::find_sections() {
  header_ = read_at<Elf64_Ehdr>(0);
  if (header_.e_shoff == 0) return;  // stripped of its section headers: no stamp either
  if (header_.e_shentsize != sizeof(Elf64_Shdr)) {
    fail("E212", path_, "is damaged: its section headers have an unknown size",
         "build or copy it again");
  }
  // Large counts and indices overflow into the first section header (ELF specification).
  const auto first = read_at<Elf64_Shdr>(header_.e_shoff);
  section_count_ = header_.e_shnum != 0 ? header_.e_shnum : first.sh_size;
  const std::uint64_t names = header_.e_shstrndx != SHN_XINDEX ? header_.e_shstrndx : first.sh_link;
  if (section_count_ > kMaxSections || names >= section_count_) {
    fail("E212", path_, "is damaged: its section headers make no sense", "build or copy it again");
  }
  range(header_.e_shoff, section_count_ * sizeof(Elf64_Shdr), "its section headers");
  const auto table = read_at<Elf64_Shdr>(header_.e_shoff + names * sizeof(Elf64_Shdr));
  names_ = range(table.sh_offset, table.sh_size, "its section names");
}

// dlopen maps segments past the end of a short file and dies with SIGBUS: refused here instead.
void ElfFile::check_segments() const {
  if (header_.e_phnum == 0 || header_.e_phentsize != sizeof(Elf64_Phdr)) {
    fail("E212", path_, "is damaged: it has no program headers", "build or copy it again");
  }
  for (std::uint64_t i = 0; i < header_.e_phnum; ++i) {
    const auto segment = read_at<Elf64_Phdr>(header_.e_phoff + i * sizeof(Elf64_Phdr));
    if (segment.p_type == PT_LOAD) range(segment.p_offset, segment.p_filesz, "a segment");
  }
}

std::optional<std::string_view> ElfFile::section(std::string_view name) const {
  for (std::uint64_t i = 1; i < section_count_; ++i) {
    const auto section = read_at<Elf64_Shdr>(header_.e_shoff + i * sizeof(Elf64_Shdr));
    if (section.sh_type == SHT_NOBITS || section.sh_name >= names_.size()) continue;
    const std::string_view rest = names_.substr(section.sh_name);
    if (rest.substr(0, rest.find('\0')) != name) continue;
    return range(section.sh_offset, section.sh_size, "a section");
  }
  return std::nullopt;
}

ElfFile::Dependencies ElfFile::dependencies() const {
  Dependencies out;
  const std::string_view entries = section(".dynamic").value_or(std::string_view{});
  const std::string_view strings = section(".dynstr").value_or(std::string_view{});
  for (std::size_t at = 0; at + sizeof(Elf64_Dyn) <= entries.size(); at += sizeof(Elf64_Dyn)) {
    Elf64_Dyn entry;
    std::memcpy(&entry, entries.data() + at, sizeof entry);
    const bool is_path = entry.d_tag == DT_RUNPATH || entry.d_tag == DT_RPATH;
    if ((entry.d_tag != DT_NEEDED && !is_path) || entry.d_un.d_val >= strings.size()) continue;
    std::string_view text = strings.substr(entry.d_un.d_val);
    text = text.substr(0, text.find('\0'));
    if (!is_path) {
      out.needed.emplace_back(text);
      continue;
    }
    while (!text.empty()) {
      const std::size_t end = std::min(text.find(':'), text.size());
      if (end > 0) out.run_path.emplace_back(text.substr(0, end));
      text.remove_prefix(std::min(end + 1, text.size()));
    }
  }
  return out;
}

}  // namespace retake::plugin

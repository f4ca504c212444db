#include "run/environment.hpp"

#include <elf.h>
#include <sys/utsname.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <set>
#include <sstream>
#include <system_error>

#include "core/build_commit.hpp"
#include "core/build_info.hpp"
#include "core/files.hpp"
#include "retake/error.hpp"

namespace retake::run {

namespace fs = std::filesystem;

namespace {

/// A struct at an offset of the file; false when it does not lie inside.
template <class T>
bool read_at(const MappedFile& file, std::uint64_t offset, T& out) {
  if (offset > file.size() || file.size() - offset < sizeof(T)) return false;
  std::memcpy(&out, file.data() + offset, sizeof(T));
  return true;
}

/// Looks for NT_GNU_BUILD_ID in the notes at [begin, begin + size).
std::string build_id_in_notes(const MappedFile& file, std::uint64_t begin, std::uint64_t size) {
  const auto padded = [](std::uint64_t n) { return (n + 3) / 4 * 4; };
  std::uint64_t at = begin;
  Elf64_Nhdr note;
  while (at - begin < size && read_at(file, at, note)) {
    const std::uint64_t name = at + sizeof note;
    const std::uint64_t description = name + padded(note.n_namesz);
    const bool inside = description <= file.size() && note.n_descsz <= file.size() - description;
    if (!inside) return {};
    if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
        std::memcmp(file.data() + name, "GNU", 4) == 0) {
      std::string hex;
      for (std::uint32_t i = 0; i < note.n_descsz && i < 64; ++i) {
        const auto byte = std::to_integer<unsigned>(file.data()[description + i]);
        hex += "0123456789abcdef"[byte >> 4];
        hex += "0123456789abcdef"[byte & 15];
      }
      return hex;
    }
    at = description + padded(note.n_descsz);
  }
  return {};
}

std::string os_name() {
  std::error_code error;
  if (!fs::exists("/etc/os-release", error)) return "Linux";
  std::istringstream lines(read_file("/etc/os-release"));
  for (std::string line; std::getline(lines, line);) {
    if (!line.starts_with("PRETTY_NAME=")) continue;
    line.erase(0, 12);
    std::erase(line, '"');
    return line;
  }
  return "Linux";
}

/// The value of the first "key : value" line of /proc/cpuinfo.
std::string cpu_fact(const std::string& cpuinfo, const std::string& key) {
  std::istringstream lines(cpuinfo);
  for (std::string line; std::getline(lines, line);) {
    const std::size_t colon = line.find(':');
    if (!line.starts_with(key) || colon == std::string::npos) continue;
    if (line.find_first_not_of(" \t", key.size()) != colon) continue;
    return line.substr(std::min(line.size(), colon + 2));
  }
  return {};
}

/// Flags that numerical libraries choose their code by, in a fixed order.
Array cpu_flags(const std::string& cpuinfo) {
  std::istringstream words(cpu_fact(cpuinfo, "flags"));
  std::set<std::string> has;
  for (std::string word; words >> word;) has.insert(word);
  Array out;
  for (const char* flag :
       {"sse4_2", "avx", "f16c", "fma", "avx2", "avx512f", "avx512dq", "avx512bw", "avx512vl",
        "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile", "amx_bf16", "amx_int8"}) {
    if (has.contains(flag)) out.push_back(flag);
  }
  return out;
}

/// Variables that change bits or what is loaded; null where unset.
Table variables() {
  Table out;
  for (const char* name : {"OMP_NUM_THREADS",
                           "OMP_DYNAMIC",
                           "OMP_PROC_BIND",
                           "KMP_AFFINITY",
                           "GOMP_CPU_AFFINITY",
                           "MKL_NUM_THREADS",
                           "MKL_DYNAMIC",
                           "MKL_CBWR",
                           "MKL_ENABLE_INSTRUCTIONS",
                           "ATEN_CPU_CAPABILITY",
                           "DNNL_MAX_CPU_ISA",
                           "OPENBLAS_CORETYPE",
                           "OPENBLAS_NUM_THREADS",
                           "CUBLAS_WORKSPACE_CONFIG",
                           "CUDA_VISIBLE_DEVICES",
                           "NVIDIA_TF32_OVERRIDE",
                           "LD_PRELOAD",
                           "LD_LIBRARY_PATH",
                           "RETAKE_PLUGIN_PATH",
                           "RETAKE_STORE",
                           "RETAKE_DATA"}) {
    const char* value = std::getenv(name);
    out[name] = value != nullptr ? Value(value) : Value();
  }
  return out;
}

Value text_or_null(const std::string& text) {
  return text.empty() ? Value() : Value(text);
}

Array library_hashes(HashCache& hashes) {
  Array out;
  for (const auto& path : mapped_libraries()) {
    const std::string name = path.filename().string();
    std::error_code error;
    const bool there = fs::exists(path, error);  // else replaced while running: no hash to give
    out.push_back(Array{name, there ? Value("sha256:" + hashes.sha256(path)) : Value()});
  }
  return out;
}

/// How LibTorch's BLAS is linked: a shared one is mapped, one inside LibTorch shows in no map.
Value blas_linkage(const Value& blas) {
  if (!blas.is_table()) return blas;
  Table out = blas.as_table();
  out["linked"] = "static";
  for (const fs::path& library : mapped_libraries()) {
    const std::string name = library.filename().string();
    for (const char* known : {"libmkl", "libopenblas", "libblas", "libblis", "libcblas"}) {
      if (name.starts_with(known)) out["linked"] = name;
    }
  }
  return out;
}

}  // namespace

std::string elf_build_id(const fs::path& path) {
  const MappedFile file(path);
  Elf64_Ehdr header;
  if (!read_at(file, 0, header) || std::memcmp(header.e_ident, ELFMAG, SELFMAG) != 0 ||
      header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB) {
    throw DataError(file_diagnostic("E405", path.string(), "this is not a 64-bit ELF file",
                                    "rebuild or reinstall it"));
  }
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr part;
    const std::uint64_t at = header.e_phoff + std::uint64_t{i} * header.e_phentsize;
    if (!read_at(file, at, part)) break;
    if (part.p_type != PT_NOTE) continue;
    const std::string id = build_id_in_notes(file, part.p_offset, part.p_filesz);
    if (!id.empty()) return id;
  }
  return {};
}

std::vector<fs::path> mapped_libraries() {
  std::istringstream lines(read_file("/proc/self/maps"));
  std::set<fs::path> found;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t slash = line.find('/');
    if (slash == std::string::npos) continue;
    const std::string permissions = line.substr(line.find(' ') + 1, 4);
    const std::string path = line.substr(slash);
    if (permissions.find('x') == std::string::npos) continue;
    if (path.find(".so") != std::string::npos) found.insert(path);
  }
  return {found.begin(), found.end()};
}

Table describe_environment(const Table& given, HashCache& hashes) {
  utsname names{};
  ::uname(&names);
  const std::string cpuinfo = read_file("/proc/cpuinfo");
  Table env;
  env["os"] = os_name();
  env["kernel"] = std::string(names.release);
  env["host"] = std::string(names.nodename);
  env["cpu"] = text_or_null(cpu_fact(cpuinfo, "model name"));
  env["cpu_capability"] = Value();
  env["cpu_flags_used"] = cpu_flags(cpuinfo);
  env["threads"] = Value();
  env["libtorch"] = Value();
  env["blas"] = Value();
  env["gpu"] = Array{};
  env["cuda"] = Value();
  for (const auto& [key, value] : given) env[key] = value;
  env["blas"] = blas_linkage(env.at("blas"));
  env["vars"] = variables();
  env["libs"] = library_hashes(hashes);
  return env;
}

Table describe_host_program(const Table& abi, HashCache& hashes) {
  Table out;
  out["version"] = build_info::version;
  const BuildCommit commit = build_commit();
  out["git"] = text_or_null(commit.hash);
  out["dirty"] = *commit.hash != '\0' ? Value(commit.dirty) : Value();
  const fs::path self = executable_path();
  out["build_id"] = text_or_null(elf_build_id(self));
  out["sha256"] = hashes.sha256(self);
  out["compiler"] = build_info::compiler;
  out["flags"] = build_info::flags;
  out["abi"] = abi;
  return out;
}

}  // namespace retake::run

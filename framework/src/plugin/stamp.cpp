#include "plugin/stamp.hpp"

#include <algorithm>

#include "core/build_info.hpp"
#include "core/hash.hpp"
#include "plugin/errors.hpp"
#include "plugin/kind_hashes.hpp"
#include "retake/plugin.hpp"

namespace retake::plugin {
namespace {

constexpr std::size_t kMaxStamp = 64 * 1024;
constexpr std::string_view kHeaders = "headers.";

bool is_key(std::string_view key) {
  return !key.empty() &&
         key.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_.") == std::string_view::npos;
}

bool is_printable(std::string_view value) {
  return !value.empty() && value.size() <= 200 &&
         std::all_of(value.begin(), value.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

/// Lines end with a newline; the linker joins the parts of the section with zero bytes.
template <class F>
void for_each_line(std::string_view text, F&& body) {
  while (!text.empty()) {
    const std::size_t end = std::min(text.find_first_of(std::string_view("\n\0", 2)), text.size());
    if (end > 0) body(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
}

void put_lines(std::string_view text, Stamp& stamp) {
  for_each_line(text, [&](std::string_view line) {
    const std::size_t equals = line.find('=');
    stamp.lines[std::string(line.substr(0, equals))] = line.substr(equals + 1);
  });
}

std::string host_libtorch() {
  const std::string version = build_info::libtorch_version;
  return version.empty() ? "none" : version + " " + build_info::libtorch_flavour;
}

std::string words(const StampDifference& d) {
  const std::string plugin = d.plugin.empty() ? "(not stamped)" : d.plugin;
  const bool no_kind = d.host.empty() && d.key.starts_with(kHeaders);
  const std::string host = no_kind ? "has no such kind" : d.host.empty() ? "(unknown)" : d.host;
  return d.key + ": plugin " + plugin + ", host " + host;
}

/// The flag that makes the difference, for those who would build again with the same flags; empty
/// for differences that building again mends.
std::string flag_to_change(const StampDifference& d) {
  const auto unset = [](const std::string& value) { return value == "0" || value == "none"; };
  std::string flag;
  if (d.key == "glibcxx_debug") flag = "-D_GLIBCXX_DEBUG";
  if (d.key == "sanitizer") flag = "-fsanitize=" + (unset(d.plugin) ? d.host : d.plugin);
  if (d.key == "cxx11_abi") flag = "-D_GLIBCXX_USE_CXX11_ABI=" + d.plugin;
  if (flag.empty() || d.plugin.empty() || d.host.empty()) return {};
  if (d.key != "cxx11_abi" && unset(d.plugin)) return "add " + flag + " to its compiler flags";
  return "take " + flag + " out of its compiler flags";
}

}  // namespace

std::vector<std::string> Stamp::kinds() const {
  std::vector<std::string> out;
  for (const auto& [key, value] : lines) {
    if (key.starts_with(kHeaders)) out.push_back(key.substr(kHeaders.size()));
  }
  return out;
}

Stamp parse_stamp(std::string_view section, const std::filesystem::path& file) {
  const auto damaged = [&](const std::string& why) {
    fail("E214", file, "its stamp is damaged: " + why, "build it again with retake_add_plugin");
  };
  if (section.size() > kMaxStamp) damaged("it is larger than any stamp can be");
  Stamp stamp;
  for_each_line(section, [&](std::string_view line) {
    const std::size_t equals = line.find('=');
    if (equals == std::string_view::npos) damaged("a line without `=`");
    const std::string key(line.substr(0, equals));
    const std::string value(line.substr(equals + 1));
    if (!is_key(key) || !is_printable(value)) damaged("a line that is not `key=value`");
    const auto [at, added] = stamp.lines.emplace(key, value);
    if (!added && at->second != value) damaged("`" + key + "` stands twice");
  });
  stamp.name = stamp.lines["name"];
  stamp.version = stamp.lines["version"];
  stamp.lines.erase("name");
  stamp.lines.erase("version");
  if (stamp.name.empty() || stamp.version.empty()) {
    fail("E214", file, "it has no RETAKE_PLUGIN, which names it and registers its components",
         "add  RETAKE_PLUGIN(\"name\", \"0.1.0\", registrar) { ... }  to one of its sources");
  }
  if (stamp.kinds().empty()) damaged("it names no kind");
  return stamp;
}

std::string abi(const Stamp& stamp, const std::string& kind) {
  const bool without_torch =
      std::any_of(std::begin(kind_hashes), std::end(kind_hashes),
                  [&](const KindHash& entry) { return kind == entry.kind && !entry.torch; });
  std::string text;
  for (const auto& [key, value] : stamp.lines) {
    if (key.starts_with(kHeaders) && key.substr(kHeaders.size()) != kind) continue;
    if (key == "libtorch" && without_torch) continue;  // it uses LibTorch, its kind does not
    text += key + "=" + value + "\n";
  }
  return sha256_hex(text).substr(0, 12);
}

Stamp host_stamp(const std::vector<std::string>& kinds, bool torch) {
  Stamp stamp;
  put_lines(RETAKE_STAMP_TOOLCHAIN, stamp);
  for (const KindHash& entry : kind_hashes) {
    if (std::find(kinds.begin(), kinds.end(), entry.kind) == kinds.end()) continue;
    stamp.lines[std::string(kHeaders) + entry.kind] = entry.hash;
  }
  if (torch) stamp.lines["libtorch"] = host_libtorch();
  return stamp;
}

std::vector<std::string> host_kinds() {
  std::vector<std::string> out;
  for (const KindHash& entry : kind_hashes) out.emplace_back(entry.kind);
  std::sort(out.begin(), out.end());
  return out;
}

std::string host_abi(const std::string& kind) {
  for (const KindHash& entry : kind_hashes) {
    if (kind == entry.kind) return abi(host_stamp({kind}, entry.torch), kind);
  }
  return {};
}

std::vector<StampDifference> differences(const Stamp& stamp) {
  const Stamp host = host_stamp(stamp.kinds(), stamp.torch());
  std::vector<StampDifference> out;
  for (const auto& [key, value] : stamp.lines) {
    const auto at = host.lines.find(key);
    const std::string other = at == host.lines.end() ? std::string() : at->second;
    if (other != value) out.push_back({key, value, other});
  }
  for (const auto& [key, value] : host.lines) {
    if (!stamp.lines.contains(key)) out.push_back({key, {}, value});
  }
  return out;
}

void require_host_abi(const Stamp& stamp, const std::filesystem::path& file) {
  const std::vector<StampDifference> all = differences(stamp);
  if (all.empty()) return;
  // The ABI that is shown is that of a kind that differs, else of the first.
  std::string kind = stamp.kinds().front();
  std::string short_list;
  std::string flags;
  std::vector<std::string> facts;
  for (const StampDifference& d : all) {
    const std::string flag = flag_to_change(d);
    if (!flag.empty()) flags += flag + " (CMakeLists.txt, CMAKE_CXX_FLAGS, CXXFLAGS), then ";
    const bool headers = d.key.starts_with(kHeaders);
    if (headers) kind = d.key.substr(kHeaders.size());
    if (!short_list.empty()) short_list += ", ";
    short_list += headers ? "headers of " + d.key.substr(kHeaders.size())
                          : d.key + " " + (d.plugin.empty() ? "-" : d.plugin) + " / " +
                                (d.host.empty() ? "-" : d.host);
    facts.push_back(words(d));
  }
  const Stamp host = host_stamp({kind}, stamp.torch());
  fail("E215", file,
       "built for ABI " + abi(stamp, kind) + ", host has " + abi(host, kind) + " (" + short_list +
           ")",
       flags + "rebuild it with  cmake --build build --target " + stamp.name, std::move(facts));
}

}  // namespace retake::plugin

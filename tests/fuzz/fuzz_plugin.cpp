// A plugin's file as read before anything of it runs: stamp text, table text, and whole ELF files.

#include "config/path.hpp"
#include "plugin/plugin_file.hpp"
#include "plugin/stamp.hpp"
#include "plugin/table.hpp"
#include "scratch.hpp"

using namespace retake;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = fuzz::text(data, size);
  if (bytes.starts_with("\x7f"
                        "ELF")) {
    const auto path = fuzz::put("libx.so", bytes);
    fuzz::tolerant([&] { plugin::read_stamp(path); });
    fuzz::tolerant([&] {
      const plugin::BuildFacts facts = plugin::read_build_facts(path);
      fuzz::require(config::is_utf8(facts.commit) && config::is_utf8(facts.flags),
                    "what a manifest holds is text");
    });
    fuzz::tolerant([&] { plugin::read_plugin_file(path); });
    return 0;
  }
  plugin::Stamp stamp;
  const bool stamped = fuzz::tolerant([&] { stamp = plugin::parse_stamp(bytes, "libx.so"); });
  if (stamped) {
    fuzz::tolerant([&] { plugin::require_host_abi(stamp, "libx.so"); });
    return 0;
  }
  fuzz::tolerant([&] {
    const auto components = plugin::parse_table(bytes, "libx.so");
    const auto again = plugin::parse_table(plugin::table_text(components), "libx.so");
    fuzz::require(again.size() == components.size(), "written and read again it is the same");
    stamp = plugin::parse_stamp("name=x\nversion=1\nheaders.model=12\n", "libx.so");
    plugin::check_components(components, stamp, "libx.so");
  });
  return 0;
}

#include "zoo.hpp"

#include "catch.hpp"
#include "plugin/embed.hpp"
#include "plugin/table.hpp"

namespace zoo {

namespace fs = std::filesystem;
using namespace retake;

fs::path animal(const std::string& defect) {
  return fs::path(ZOO_DIR) / ("lib" + defect + ".so");
}

std::string table_of_one(const std::string& name, const std::string& plugin) {
  ComponentInfo info;
  info.kind = "lr_schedule";
  info.name = name;
  info.doc = "Never used.";
  info.plugin = plugin;
  info.version = "1.0.0";
  return plugin::table_text({info});
}

fs::path with_table(const test::Folder& folder, const std::string& defect,
                    const std::string& table) {
  fs::path copy = folder / ("lib" + defect + ".so");
  fs::copy_file(animal(defect), copy);
  plugin::embed_table(copy, table, RETAKE_OBJCOPY);
  return copy;
}

fs::path complete(const test::Folder& folder, const std::string& defect) {
  return with_table(folder, defect, table_of_one(defect, defect));
}

fs::path sound(const test::Folder& folder) {
  return complete(folder, "no_table");
}

void replace_bytes(const fs::path& file, const std::string& from, const std::string& to) {
  REQUIRE(from.size() == to.size());
  std::string bytes = test::read(file);
  std::size_t replaced = 0;
  for (std::size_t at = 0; (at = bytes.find(from, at)) != std::string::npos; at += to.size()) {
    bytes.replace(at, from.size(), to);
    ++replaced;
  }
  INFO(from);
  REQUIRE(replaced > 0);
  test::write(file, bytes);
}

test::Output retake(const std::string& words) {
  return test::run("NO_COLOR=1 " + std::string(RETAKE_BINARY_DIR) + "/bin/retake " + words +
                   " 2>&1");
}

}  // namespace zoo

// Every way a plugin can be broken: the host says which, names the file and the remedy, and lives.

#include <elf.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>

#include "catch.hpp"
#include "plugin/embed.hpp"
#include "plugin/loader.hpp"
#include "plugin/plugin_file.hpp"
#include "plugin/registry.hpp"
#include "plugin/table.hpp"
#include "retake/rng.hpp"
#include "support.hpp"
#include "zoo.hpp"

using namespace retake;
using namespace retake::plugin;
using test::Folder;
using zoo::animal;
using zoo::sound;
using zoo::table_of_one;
using zoo::with_table;
namespace fs = std::filesystem;

namespace {

const fs::path kTool = fs::path(RETAKE_BINARY_DIR) / "bin" / "retake-plugin-table";

Diagnostic reading(const fs::path& file) {
  return test::diagnostic_of([&] { read_plugin_file(file); });
}

Diagnostic loading(const fs::path& file) {
  return test::diagnostic_of([&] { load_plugin(read_plugin_file(file)); });
}

void check(const Diagnostic& d, const std::string& id, const fs::path& file,
           const std::string& words) {
  INFO(d.message);
  CHECK(d.id == id);
  CHECK(d.message.find(words) != std::string::npos);
  REQUIRE(d.place.has_value());
  CHECK(d.place->file == file.string());
  CHECK_FALSE(d.help.empty());
}

template <class T>
void patch(const fs::path& file, std::size_t offset, T value) {
  std::string bytes = test::read(file);
  REQUIRE(offset + sizeof value <= bytes.size());
  std::memcpy(bytes.data() + offset, &value, sizeof value);
  test::write(file, bytes);
}

}  // namespace

TEST_CASE("the sound one is sound") {
  const Folder folder;
  const fs::path file = sound(folder);
  CHECK(reading(file).id == "");
  CHECK(loading(file).id == "");
}

TEST_CASE("not there, a folder, a pipe") {
  const Folder folder;
  check(reading(folder / "absent.so"), "E210", folder / "absent.so", "");
  fs::create_directory(folder / "folder.so");
  check(reading(folder / "folder.so"), "E210", folder / "folder.so", "not a regular file");
  REQUIRE(::mkfifo((folder / "pipe.so").c_str(), 0600) == 0);
  check(reading(folder / "pipe.so"), "E210", folder / "pipe.so", "not a regular file");
}

TEST_CASE("not ELF") {
  const Folder folder;
  for (const std::string& text :
       {std::string(), std::string("x"), std::string("#!/bin/sh\n"), std::string(100000, '\0')}) {
    test::write(folder / "text.so", text);
    check(reading(folder / "text.so"), "E211", folder / "text.so", "not an ELF shared library");
  }
  // ELF, but an executable's relative: an object file.
  const fs::path object = sound(folder);
  patch<Elf64_Half>(object, offsetof(Elf64_Ehdr, e_type), ET_REL);
  check(reading(object), "E211", object, "no shared library");
}

TEST_CASE("truncated anywhere") {
  const Folder folder;
  const std::string whole = test::read(sound(folder));
  const fs::path cut = folder / "cut.so";
  for (std::size_t size = 4; size < whole.size(); size += 1 + size / 40) {
    test::write(cut, whole.substr(0, size));
    INFO(size);
    CHECK(reading(cut).id == "E212");
  }
}

TEST_CASE("other architecture") {
  const Folder folder;
  const fs::path file = sound(folder);
  patch<Elf64_Half>(file, offsetof(Elf64_Ehdr, e_machine), EM_AARCH64);
  check(reading(file), "E213", file, "another architecture");
  patch<Elf64_Half>(file, offsetof(Elf64_Ehdr, e_machine), EM_X86_64);
  CHECK(reading(file).id == "");
  patch<unsigned char>(file, EI_CLASS, ELFCLASS32);
  check(reading(file), "E213", file, "another architecture");
}

TEST_CASE("hostile headers: no access outside of the file") {
  const Folder folder;
  const fs::path file = sound(folder);
  const std::string whole = test::read(file);
  Elf64_Ehdr header;
  std::memcpy(&header, whole.data(), sizeof header);
  Rng rng(20260101);
  const auto try_bytes = [&](const std::string& bytes) {
    test::write(file, bytes);
    reading(file);  // any verdict will do, as long as it is one
  };
  for (int i = 0; i < 2000; ++i) {
    std::string bytes = whole;
    for (std::uint64_t flips = 1 + rng.below(4); flips > 0; --flips) {
      const bool in_sections = rng.chance(0.6);
      const std::size_t at =
          in_sections ? header.e_shoff + rng.below(header.e_shnum * sizeof(Elf64_Shdr))
                      : rng.below(sizeof(Elf64_Ehdr) + header.e_phnum * sizeof(Elf64_Phdr));
      bytes[at] = static_cast<char>(rng.chance(0.3) ? 0xff : rng.below(256));
    }
    try_bytes(bytes);
  }
}

TEST_CASE("no stamp") {
  check(reading(animal("no_stamp")), "E214", animal("no_stamp"), "has no stamp");
}

TEST_CASE("a damaged stamp") {
  const fs::path file = "x.so";
  const auto damage = [&](const std::string& text) {
    return test::diagnostic_of([&] { parse_stamp(text, file); }).id;
  };
  const std::string good = "name=a\nversion=1\nheaders.model=12\n";
  CHECK(damage(good) == "");
  CHECK(damage(std::string("name=a\n\0\0\0version=1\n\0headers.model=12\n", 37)) == "");
  CHECK(damage("") == "E214");
  CHECK(damage("name=a\nheaders.model=12\n") == "E214");
  CHECK(damage("name=a\nversion=1\n") == "E214");
  CHECK(damage(good + "no equals\n") == "E214");
  CHECK(damage(good + "name=b\n") == "E214");
  CHECK(damage(good + "x=\x01\n") == "E214");
  CHECK(damage(good + "K=v\n") == "E214");
  CHECK(damage(good + "x=" + std::string(300, 'y') + "\n") == "E214");
  CHECK(damage(good + std::string(1 << 20, '\n')) == "E214");
}

TEST_CASE("a foreign stamp: every difference is told, and nothing is run") {
  const Diagnostic d = reading(animal("foreign_stamp"));
  check(d, "E215", animal("foreign_stamp"), "built for ABI ");
  CHECK(d.help.find("--target foreign_stamp") != std::string::npos);
  std::string facts;
  for (const std::string& fact : d.facts) facts += fact + "\n";
  for (const char* difference :
       {"cplusplus: plugin 201703, host ", "compiler: plugin gcc 7, host ", "gxx_abi: plugin 1011",
        "cxx11_abi: plugin 0, host 1", "headers.lr_schedule: plugin 0123456789abcdef, host ",
        "headers.spectral_wish: plugin 0123456789abcdef, host has no such kind",
        "libtorch: plugin 1.13.1 cpu, host ", "moon: plugin full, host (unknown)"}) {
    INFO(facts);
    CHECK(facts.find(difference) != std::string::npos);
  }
  CHECK(facts.find("glibcxx_debug") == std::string::npos);  // this line agrees
}

TEST_CASE("a stamp that differs in one line is told by that line, whichever it is") {
  const Stamp host = host_stamp({"lr_schedule"}, true);
  const std::string headers = "headers.lr_schedule=" + host.lines.at("headers.lr_schedule");
  const auto changed = [](std::string line) {
    line.back() = line.back() == '1' ? '2' : '1';
    return line;
  };
  std::vector<std::string> lines = {headers,
                                    "compiler=" + host.lines.at("compiler"),
                                    "glibcxx_debug=" + host.lines.at("glibcxx_debug"),
                                    "cxx11_abi=" + host.lines.at("cxx11_abi"),
                                    "gxx_abi=" + host.lines.at("gxx_abi"),
                                    "sanitizer=" + host.lines.at("sanitizer"),
                                    "cplusplus=" + host.lines.at("cplusplus")};
  for (const std::string& line : lines) {
    INFO(line);
    const Folder folder;
    const fs::path file = sound(folder);
    zoo::replace_bytes(file, line, changed(line));
    const std::string key = line.substr(0, line.find('='));
    const Diagnostic d = reading(file);
    check(d, "E215", file,
          key.starts_with("headers.") ? "headers of lr_schedule"
                                      : key + " " + changed(line).substr(key.size() + 1) + " / " +
                                            line.substr(key.size() + 1));
    REQUIRE(d.facts.size() == 1);
    CHECK(d.facts[0].starts_with(key + ": plugin "));
  }
  const Diagnostic d = reading(animal("other_libtorch"));
  check(d, "E215", animal("other_libtorch"), "libtorch 1.13.1 cpu / " + host.lines.at("libtorch"));
  CHECK(d.facts.size() == 1);
}

TEST_CASE("really built another way") {
  const Diagnostic d = reading(animal("debug_library"));
  check(d, "E215", animal("debug_library"), "glibcxx_debug 1 / 0");
  CHECK(d.help.starts_with("take -D_GLIBCXX_DEBUG out of its compiler flags"));
  REQUIRE(d.facts.size() == 1);
  CHECK(d.facts[0] == "glibcxx_debug: plugin 1, host 0");
}

TEST_CASE("no table") {
  check(reading(animal("no_table")), "E216", animal("no_table"), "no component table");
}

TEST_CASE("a damaged table") {
  const std::string good = table_of_one("no_table", "no_table");
  const std::string deep = std::string(100000, '[');
  std::vector<std::string> bad = {"",
                                  "{",
                                  "[]",
                                  "null",
                                  "{\"schema\":\"retake.plugin/2\"}",
                                  "{\"schema\":\"retake.plugin/1\",\"components\":7}",
                                  "{\"schema\":\"retake.plugin/1\",\"components\":[7]}",
                                  "{\"schema\":\"retake.plugin/1\",\"components\":[{}]}",
                                  good.substr(0, good.size() / 2),
                                  good + "x",
                                  deep,
                                  "\xff\xfe"};
  for (const std::string& text : bad) {
    INFO(text.substr(0, 80));
    CHECK(test::diagnostic_of([&] { parse_table(text, "x.so"); }).id == "E217");
  }
  const Folder folder;
  const fs::path file = with_table(folder, "no_table", good.substr(0, 50));
  check(reading(file), "E217", file, "table is damaged");
}

TEST_CASE("the system's loader refuses it: a symbol that no library has") {
  const Folder folder;
  const fs::path file =
      with_table(folder, "missing_symbol", table_of_one("missing_symbol", "missing_symbol"));
  const Diagnostic d = loading(file);
  check(d, "E218", file, "nowhere_to_be_found");
  CHECK(d.message.find("Bad file descriptor") == std::string::npos);
}

TEST_CASE("the system's loader refuses it: a library that it needs is missing") {
  const Folder folder;
  const fs::path file = zoo::complete(folder, "missing_dependency");
  zoo::replace_bytes(file, "libhostile_dependency.so", "libhostile_dependencx.so");
  check(loading(file), "E218", file, "libhostile_dependencx.so");
}

TEST_CASE("a factory that returns a null pointer") {
  const Folder folder;
  const fs::path file = zoo::complete(folder, "null_factory");
  Registry registry(std::vector<SearchFolder>{{folder.path(), "folder"}});
  test::TestContext context;
  check(test::diagnostic_of([&] { registry.create("lr_schedule", "null_factory", {}, context); }),
        "E229", file, "factory returned a null pointer");
}

TEST_CASE("the entry is missing") {
  const Folder folder;
  const fs::path file =
      with_table(folder, "entry_missing", table_of_one("entry_missing", "entry_missing"));
  check(loading(file), "E219", file, "has no function `retake_register_plugin`");
}

TEST_CASE("the entry is that of a dependency") {
  const Folder folder;
  const fs::path file = with_table(folder, "entry_via_dependency",
                                   table_of_one("entry_via_dependency", "entry_via_dependency"));
  check(loading(file), "E220", file, "libhostile_dependency.so");
}

TEST_CASE("registration throws, and leaves nothing behind") {
  const Folder folder;
  const fs::path std_one =
      with_table(folder, "throws_std", table_of_one("throws_std", "throws_std"));
  check(loading(std_one), "E221", std_one, "the licence server is down");
  const fs::path int_one =
      with_table(folder, "throws_int", table_of_one("throws_int", "throws_int"));
  check(loading(int_one), "E221", int_one, "no std::exception");

  Registry registry(std::vector<SearchFolder>{{folder.path(), "folder"}});
  test::TestContext context;
  for (int i = 0; i < 2; ++i) {
    CHECK(test::diagnostic_of([&] {
            registry.create("lr_schedule", "throws_std", {}, context);
          }).id == "E221");
  }
}

TEST_CASE("what is registered is wrong in itself") {
  check(test::diagnostic_of([] { dump_table(animal("name_clash")); }), "E222", animal("name_clash"),
        "registers `lr_schedule/twice` twice");
  check(test::diagnostic_of([] { dump_table(animal("other_kind")); }), "E226", animal("other_kind"),
        "not built for the kind `reward`");
  check(test::diagnostic_of([] { dump_table(animal("default_outside_range")); }), "E228",
        animal("default_outside_range"), "the default 2.0 of parameter `rate`");
  check(test::diagnostic_of([] { dump_table(animal("reserved_parameter")); }), "E227",
        animal("reserved_parameter"), "parameter `weight`");
}

TEST_CASE("a table that is wrong in itself is refused without loading") {
  const Folder folder;
  ComponentInfo info = parse_table(table_of_one("no_table", "no_table"), "x.so").front();
  FieldInfo field;
  field.name = "model";
  field.type = FieldType::integer;
  field.default_value = Value(1);
  info.schema.fields.push_back(field);
  const fs::path file = with_table(folder, "no_table", table_text({info}));
  check(reading(file), "E227", file, "parameter `model`");

  const Stamp stamp = parse_stamp("name=a\nversion=1\nheaders.lr_schedule=12\n", "x.so");
  const auto verdict = [&] {
    return test::diagnostic_of([&] { check_components({info}, stamp, "x.so"); }).id;
  };
  info.schema.fields[0].name = "steps";
  CHECK(verdict() == "");
  info.schema.fields[0].default_value = Value(1.5);
  CHECK(verdict() == "E228");
  info.schema.fields[0].default_value = Value();
  CHECK(verdict() == "E228");
  info.schema.fields[0].required = true;
  CHECK(verdict() == "");
  // Its own rules hold for its defaults, and name parameters that there are.
  info.schema.fields[0].required = false;
  info.schema.fields[0].default_value = Value(4);
  info.schema.rules = {{RuleInfo::Kind::odd, "steps", "", {}}};
  CHECK(verdict() == "E228");
  info.schema.fields[0].default_value = Value(5);
  CHECK(verdict() == "");
  info.schema.rules = {{RuleInfo::Kind::multiple_of, "steps", "beats", {}}};
  CHECK(verdict() == "E228");
  info.schema.fields.push_back(info.schema.fields[0]);
  info.schema.fields[1].name = "beats";
  CHECK(verdict() == "");
  info.schema.fields[1].default_value = Value(3);
  CHECK(verdict() == "E228");
  info.schema.rules[0].kind = RuleInfo::Kind::less_than;
  CHECK(verdict() == "E228");
  info.schema.rules[0].kind = RuleInfo::Kind::at_most;
  info.schema.fields[1].default_value = Value(5);
  CHECK(verdict() == "");
  info.schema.rules.clear();
  info.schema.fields[0].name = "Steps per bar";
  CHECK(verdict() == "E223");
  info.schema.fields.clear();
  info.name = "../evil";
  CHECK(verdict() == "E223");
  info.kind = "model";
  CHECK(verdict() == "E223");
  CHECK(test::diagnostic_of([&] { check_components({}, stamp, "x.so"); }).id == "E226");
}

TEST_CASE("a schema unlike the table") {
  const Folder folder;
  const fs::path file =
      with_table(folder, "changing_schema", dump_table(animal("changing_schema")));
  REQUIRE(setenv("HOSTILE_THREADS", "1", 1) == 0);
  const Diagnostic d = loading(file);
  unsetenv("HOSTILE_THREADS");
  check(d, "E224", file, "something else than its embedded table");
  REQUIRE(d.facts.size() == 1);
  CHECK(d.facts[0].find("components[0].schema.fields[0].default: 1 / 8") != std::string::npos);
  // More, fewer and other components are seen too.
  const fs::path more = folder / "libmore.so";
  fs::copy_file(animal("no_table"), more);
  embed_table(more, table_of_one("another", "no_table"), RETAKE_OBJCOPY);
  check(loading(more), "E224", more, "embedded table");
}

TEST_CASE("the build fails on a plugin whose registration fails, and leaves no library") {
  for (const auto& [defect, id] :
       std::vector<std::pair<std::string, std::string>>{{"throws_std", "E221"},
                                                        {"static_throw", "E231"},
                                                        {"static_abort", "E231"},
                                                        {"name_clash", "E222"}}) {
    INFO(defect);
    const Folder folder;
    const fs::path copy = folder / ("lib" + defect + ".so");
    fs::copy_file(animal(defect), copy);
    const test::Output out = test::run(kTool.string() + " --name " + defect + " --objcopy " +
                                       RETAKE_OBJCOPY + " " + copy.string() + " 2>&1");
    CHECK(out.code == 4);
    CHECK(out.text.find("error[" + id + "]") != std::string::npos);
    CHECK_FALSE(fs::exists(copy));
  }
  const Folder folder;
  const fs::path copy = folder / "libno_table.so";
  fs::copy_file(animal("no_table"), copy);
  const std::string tail = std::string(" --objcopy ") + RETAKE_OBJCOPY + " " + copy.string();
  CHECK(test::run(kTool.string() + " --name other_name" + tail + " 2>&1").text.find("E233") !=
        std::string::npos);
  fs::copy_file(animal("no_table"), copy);
  CHECK(test::run(kTool.string() + " --name no_table" + tail).code == 0);
  CHECK(reading(copy).id == "");
}

TEST_CASE("a registration that never ends is ended") {
  const auto start = std::chrono::steady_clock::now();
  const Diagnostic d =
      test::diagnostic_of([] { dump_in_child(kTool, animal("hangs"), std::chrono::seconds(1)); });
  check(d, "E231", animal("hangs"), "did not end within 1 s");
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
}

TEST_CASE("a registration that ends its process is told as that") {
  check(
      test::diagnostic_of([] { dump_in_child(kTool, animal("exits"), std::chrono::seconds(20)); }),
      "E231", animal("exits"), "its own code ended the process");
}

TEST_CASE("one broken plugin does not stop the others from listing") {
  Registry registry(std::vector<SearchFolder>{{fs::path(ZOO_DIR), "zoo"}});
  CHECK(registry.problems().size() >= 16);  // all of them: none has a table
  const Folder folder;
  sound(folder);
  Registry both(std::vector<SearchFolder>{{folder.path(), "sound"}, {fs::path(ZOO_DIR), "zoo"}});
  CHECK(both.find("lr_schedule", "no_table") != nullptr);
  for (const std::string& problem : both.load_problems()) {
    CHECK(problem.find("lib") == 0);
  }
}

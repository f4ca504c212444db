// `retake plugins check`, `doctor` and `list` among the animals of the zoo.

#include <algorithm>
#include <chrono>
#include <map>

#include "catch.hpp"
#include "plugin/embed.hpp"
#include "retake/value.hpp"
#include "zoo.hpp"

using namespace retake;
using test::Folder;
namespace fs = std::filesystem;

namespace {

/// The probes of the only component, by name: verdict and cause.
std::map<std::string, std::pair<std::string, std::string>> probes_of(
    const fs::path& file, const std::string& words = "") {
  const test::Output out = test::run(std::string(RETAKE_BINARY_DIR) + "/bin/retake plugins check " +
                                     file.string() + " " + words + " --json 2>/dev/null");
  const Value value = parse_json(out.text, "plugins check");
  const Array& components = value.as_table().at("components").as_array();
  REQUIRE(components.size() == 1);
  std::map<std::string, std::pair<std::string, std::string>> probes;
  for (const Value& probe : components[0].as_table().at("probes").as_array()) {
    const Table& t = probe.as_table();
    probes[t.at("probe").as_string()] = {t.at("verdict").as_string(), t.at("why").as_string()};
  }
  const bool failed = std::any_of(probes.begin(), probes.end(),
                                  [](const auto& p) { return p.second.first == "failed"; });
  CHECK(out.code == (failed ? 4 : 0));
  return probes;
}

const std::string kFactor = "the factor is finite and above 0";
const std::string kPure = "the same step gives the same factor, in several threads";
const std::string kLoads = "loads, and registers what its table says";

/// Each step of `plugins doctor FILE`: verdict and what was found.
std::map<std::string, std::pair<std::string, std::string>> steps_of(const fs::path& file) {
  const test::Output out =
      test::run(std::string(RETAKE_BINARY_DIR) + "/bin/retake plugins doctor " + file.string() +
                " --json 2>/dev/null");
  const Value value = parse_json(out.text, "plugins doctor");
  std::map<std::string, std::pair<std::string, std::string>> steps;
  for (const Value& step : value.as_table().at("steps").as_array()) {
    const Table& t = step.as_table();
    steps[t.at("step").as_string()] = {t.at("verdict").as_string(), t.at("found").as_string()};
  }
  CHECK(value.as_table().at("usable") == Value(out.code == 0));
  CHECK((out.code == 0 || out.code == 4));
  return steps;
}

bool holds(const std::string& text, const std::string& part) {
  INFO(text);
  return text.find(part) != std::string::npos;
}

/// An ELF file of another machine: e_machine of the header is at byte 18.
void become_foreign(const fs::path& file) {
  std::string bytes = test::read(file);
  bytes[18] = static_cast<char>(0xb7);
  test::write(file, bytes);
}

}  // namespace

TEST_CASE("check: a sound plugin passes every probe") {
  const Folder folder;
  const auto probes = probes_of(zoo::sound(folder));
  CHECK(probes.size() == 6);
  for (const auto& [name, verdict] : probes) {
    INFO(name << ": " << verdict.second);
    CHECK(verdict.first == "ok");
  }
}

TEST_CASE("check: a component that throws") {
  const Folder folder;
  const auto probes = probes_of(zoo::complete(folder, "component_throws"));
  CHECK(probes.at(kLoads).first == "ok");
  CHECK(probes.at(kFactor).first == "failed");
  CHECK(holds(probes.at(kFactor).second, "no factor today"));
}

TEST_CASE("check: a component that crashes is named, and the probes after it are asked") {
  const Folder folder;
  const fs::path file = zoo::complete(folder, "component_crashes");
  const auto probes = probes_of(file);
  CHECK(probes.at(kLoads).first == "ok");
  for (const std::string& probe : {kFactor, kPure}) {
    CHECK(probes.at(probe).first == "failed");
    CHECK(holds(probes.at(probe).second, "crashed with SIGSEGV"));
  }
  const test::Output out = zoo::retake("plugins check " + file.string());
  CHECK(out.code == 4);
  CHECK(holds(out.text, "error[E235]: lr_schedule/component_crashes: crashed with SIGSEGV"));
  CHECK(holds(out.text, "in the probe `" + kFactor + "`"));
}

TEST_CASE("check: a component that hangs is ended") {
  const Folder folder;
  const auto start = std::chrono::steady_clock::now();
  const auto probes = probes_of(zoo::complete(folder, "component_hangs"), "--timeout 0.5");
  CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
  CHECK(probes.at(kFactor).first == "failed");
  CHECK(probes.at(kPure).first == "failed");
  CHECK(holds(probes.at(kFactor).second, "did not end within 0.5 s"));
}

TEST_CASE("check: a component that gives NaN") {
  const Folder folder;
  const auto probes = probes_of(zoo::complete(folder, "component_nan"));
  CHECK(probes.at(kFactor).first == "failed");
  CHECK(holds(probes.at(kFactor).second, "is nan"));
}

TEST_CASE("check: a factory that returns a null pointer, and libraries that end their process") {
  const Folder folder;
  CHECK(
      holds(probes_of(zoo::complete(folder, "null_factory")).at("is made").second, "null pointer"));
  for (const std::string defect : {"static_throw", "static_abort"}) {
    const auto probes = probes_of(zoo::complete(folder, defect));
    CHECK(probes.size() == 1);
    CHECK(holds(probes.at(kLoads).second, "crashed with SIGABRT"));
  }
  const auto probes = probes_of(zoo::complete(folder, "hangs"), "--timeout 0.5");
  CHECK(holds(probes.at(kLoads).second, "did not end"));
}

TEST_CASE("check: a registration that ends its process") {
  const Folder folder;
  const fs::path file = zoo::complete(folder, "exits");
  CHECK(holds(probes_of(file).at(kLoads).second, "ended with status 0"));
  CHECK(holds(zoo::retake("plugins check " + file.string()).text, "take exit() out of it"));
}

TEST_CASE("check: usage") {
  const Folder folder;
  const fs::path file = zoo::sound(folder);
  CHECK(zoo::retake("plugins check").code == 2);
  CHECK(zoo::retake("plugins check " + file.string() + " rate=1").code == 2);
  CHECK(zoo::retake("plugins check " + file.string() + " --timeout 0").code == 2);
  CHECK(zoo::retake("plugins check " + zoo::animal("no_stamp").string()).code == 4);
  CHECK(zoo::retake("plugins check " + zoo::animal("no_table").string()).code == 4);
}

TEST_CASE("doctor: says at which step a file fails") {
  const Folder folder;
  const auto sound = steps_of(zoo::sound(folder));
  for (const auto& [name, verdict] : sound) {
    INFO(name << ": " << verdict.second);
    CHECK(verdict.first == "ok");
  }
  test::write(folder / "text.so", "no library");
  CHECK(steps_of(folder / "text.so").at("ELF").first == "failed");
  CHECK(steps_of(zoo::animal("no_stamp")).at("stamp").first == "failed");
  const auto foreign = steps_of(zoo::animal("foreign_stamp"));
  CHECK(foreign.at("ABI").first == "failed");
  CHECK(foreign.at("loading").first == "skipped");
  const auto no_table = steps_of(zoo::animal("no_table"));
  CHECK(no_table.at("table").first == "failed");
  CHECK(no_table.at("loading").first == "ok");

  const fs::path lonely = zoo::complete(folder, "missing_dependency");
  CHECK(steps_of(lonely).at("dependencies").first == "ok");
  zoo::replace_bytes(lonely, "libhostile_dependency.so", "libhostile_dependencx.so");
  const auto missing = steps_of(lonely);
  CHECK(missing.at("dependencies").first == "failed");
  CHECK(holds(missing.at("dependencies").second, "libhostile_dependencx.so"));
  CHECK(missing.at("loading").first == "failed");

  CHECK(steps_of(zoo::complete(folder, "entry_missing")).at("entry").first == "failed");
  CHECK(steps_of(zoo::complete(folder, "entry_via_dependency")).at("entry").first == "failed");
  CHECK(steps_of(zoo::complete(folder, "throws_std")).at("registration").first == "failed");
  for (const std::string defect : {"static_throw", "static_abort"}) {
    const auto steps = steps_of(zoo::complete(folder, defect));
    CHECK(steps.at("dependencies").first == "ok");
    CHECK(steps.at("loading").first == "failed");
    CHECK(holds(steps.at("loading").second, "crashed with SIGABRT"));
  }
}

TEST_CASE("doctor: a name that nobody has gets a hint and every place that was looked in") {
  const Folder folder;
  zoo::sound(folder);
  const std::string path = " --path " + folder.path().string();
  CHECK(zoo::retake("plugins doctor lr_schedule/no_table" + path).code == 0);
  CHECK(zoo::retake("plugins doctor no_table" + path).code == 0);
  const test::Output out = zoo::retake("plugins doctor lr_schedule/no_tabel" + path);
  CHECK(out.code == 4);
  CHECK(holds(out.text, "error[E237]"));
  CHECK(holds(out.text, "did you mean `lr_schedule/no_table`?"));
  CHECK(holds(out.text, "looked in " + folder.path().string()));
  const test::Output bare = zoo::retake("plugins doctor no_tabel" + path);
  CHECK(bare.code == 4);
  CHECK(holds(bare.text, "did you mean `no_table`?"));
}

TEST_CASE("doctor: a folder that is called as the plugin is does not hide it") {
  const Folder work, plugins;
  const fs::path file = zoo::sound(plugins);
  fs::create_directories(work / "no_table");
  const auto doctor = [&](const std::string& words) {
    return test::run("cd " + work.path().string() +
                     " && NO_COLOR=1 " RETAKE_BINARY_DIR "/bin/retake plugins doctor " + words +
                     " 2>&1");
  };
  const std::string path = " --path " + plugins.path().string();
  CHECK(holds(doctor("no_table" + path).text, "it can be used"));
  const test::Output absent = doctor("no_table");
  CHECK(absent.code == 4);
  CHECK(holds(absent.text, "error[E237]"));
  const test::Output no_folder = doctor("--path " + file.string());
  CHECK(no_folder.code == 4);
  CHECK(holds(no_folder.text, "error[E209]: this is a file"));
  CHECK(holds(no_folder.text, "retake plugins doctor " + file.string()));
}

TEST_CASE("doctor: neither of two libraries that hold one component can be used") {
  const Folder folder;
  const fs::path file = zoo::sound(folder);
  fs::copy_file(file, folder / "libtwin.so");
  for (const std::string& words : {file.string(), (folder / "libtwin.so").string(),
                                   "lr_schedule/no_table --path " + folder.path().string()}) {
    const test::Output out = zoo::retake("plugins doctor " + words);
    INFO(words);
    CHECK(out.code == 4);
    CHECK(holds(out.text, "is in two libraries of one folder, libno_table.so and libtwin.so"));
    CHECK(holds(out.text, "help: remove one of them"));
    CHECK_FALSE(holds(out.text, "it can be used"));
  }
}

TEST_CASE("doctor: every file of every folder, duplicates and shadowed ones") {
  const Folder first, second;
  fs::copy_file(zoo::sound(first), first / "libtwin.so");
  zoo::sound(second);
  zoo::complete(second, "component_nan");
  test::write(second / "libtext.so", "no library");
  const test::Output out = zoo::retake("plugins doctor --path " + first.path().string() +
                                       " --path " + second.path().string());
  CHECK(out.code == 4);
  CHECK(holds(out.text, "E208"));
  CHECK(holds(out.text, "shadowed  libno_table.so"));
  CHECK(holds(out.text, "usable    libcomponent_nan.so  lr_schedule/component_nan"));
  CHECK(holds(out.text, "broken    libtext.so"));
}

TEST_CASE("list survives the whole zoo in one folder") {
  const Folder folder, later;
  zoo::sound(folder);
  std::vector<std::string> broken;
  for (const std::string defect :
       {"no_stamp", "foreign_stamp", "debug_library", "other_libtorch", "default_outside_range",
        "reserved_parameter", "name_clash", "other_kind"}) {
    fs::copy_file(zoo::animal(defect), folder / ("lib" + defect + ".so"));
    broken.push_back(defect);
  }
  const auto derived = [&](const std::string& name) {
    fs::copy_file(folder / "libno_table.so", folder / ("lib" + name + ".so"));
    broken.push_back(name);
    return folder / ("lib" + name + ".so");
  };
  test::write(folder / "libtext.so", "no library");
  broken.push_back("text");
  const fs::path cut = derived("truncated");
  fs::resize_file(cut, fs::file_size(cut) / 2);
  become_foreign(derived("other_architecture"));
  zoo::replace_bytes(derived("other_sanitizer"), "sanitizer=", "sanitizes=");
  fs::copy_file(zoo::animal("static_throw"), folder / "libwithout_table.so");
  broken.push_back("without_table");
  // What only loading would show is listed, and breaks nothing.
  const std::vector<std::string> listed = {
      "missing_dependency", "entry_missing",    "entry_via_dependency",
      "missing_symbol",     "throws_std",       "throws_int",
      "static_throw",       "static_abort",     "hangs",
      "null_factory",       "component_throws", "component_crashes",
      "component_hangs",    "component_nan",    "changing_schema"};
  for (const std::string& defect : listed) zoo::complete(folder, defect);
  // A name in two libraries; one that a later folder has too.
  fs::copy_file(folder / "libhangs.so", folder / "libtwin.so");
  zoo::sound(later);

  const test::Output out = zoo::retake("plugins list --kind lr_schedule --path " +
                                       folder.path().string() + " --path " + later.path().string());
  CHECK(out.code == 0);
  CHECK(holds(out.text, "lr_schedule  no_table "));
  for (const std::string& name : listed) {
    if (name != "hangs") CHECK(holds(out.text, "lr_schedule  " + name + " "));
  }
  const test::Output json = test::run(std::string(RETAKE_BINARY_DIR) +
                                      "/bin/retake plugins list --json 2>/dev/null --path " +
                                      folder.path().string() + " --path " + later.path().string());
  const Value value = parse_json(json.text, "plugins list");
  const std::string problems = to_json(value.as_table().at("problems"));
  for (const std::string& name : broken) CHECK(holds(problems, "lib" + name + ".so: "));
  CHECK(holds(problems, "is in two libraries of one folder, libhangs.so and libtwin.so"));
  std::size_t here = 0;
  for (const Value& problem : value.as_table().at("problems").as_array()) {
    here += to_json(problem).find(folder.path().string()) != std::string::npos ? 1 : 0;
  }
  CHECK(here == broken.size() + 1);
  CHECK(holds(to_json(value.as_table().at("notes")), "is shadowed by"));
  // Nothing of it can keep the doctor from ending.
  CHECK(zoo::retake("plugins doctor component_nan --path " + folder.path().string()).code == 0);
}

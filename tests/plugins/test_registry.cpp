// The registry over real plugin files: listing without loading, loading on demand, precedence.

#include "catch.hpp"
#include "plugin/embed.hpp"
#include "plugin/registry.hpp"
#include "plugin/table.hpp"
#include "retake/kinds/lr_schedule.hpp"
#include "retake/kinds/reward.hpp"
#include "support.hpp"

using namespace retake;
using namespace retake::plugin;
using test::Folder;
namespace fs = std::filesystem;

namespace {

const fs::path kSample = fs::path(SAMPLE_DIR) / "libsample.so";
const fs::path kPair = fs::path(SAMPLE_DIR) / "libsample_pair.so";

std::vector<SearchFolder> folders(std::initializer_list<fs::path> paths) {
  std::vector<SearchFolder> out;
  for (const fs::path& path : paths) out.push_back({path, path.string()});
  return out;
}

Table sample_params() {
  Table t;
  t["label"] = "x";
  t["rate"] = 0.5;
  t["width"] = 16;
  return t;
}

}  // namespace

TEST_CASE("the registry lists and describes without loading") {
  Registry registry(folders({SAMPLE_DIR}));
  CHECK(registry.problems().empty());
  CHECK(registry.names("lr_schedule") == std::vector<std::string>{"impostor", "sample", "steady"});
  CHECK(registry.names("reward") == std::vector<std::string>{"nothing"});
  CHECK(registry.names("model").empty());
  CHECK(registry.find("model", "sample") == nullptr);
  const ComponentInfo* info = registry.find("lr_schedule", "sample");
  REQUIRE(info != nullptr);
  CHECK(info->plugin == "sample");
  CHECK(info->version == "1.2.3");
  CHECK(info->file == kSample.string());
  CHECK(info->schema.version == 2);
  REQUIRE(info->schema.find("rate") != nullptr);
  CHECK(info->schema.find("rate")->default_value == Value(0.25));
  CHECK(info->schema.find("rate")->min_open);
  CHECK(info->schema.find("ramp")->fields.size() == 2);
  CHECK(info->traits.metrics.at(0).name == "val/edit_f1");
  // Every kind of this host may name a table, installed plugins or not.
  const std::vector<std::string> kinds = registry.kinds();
  for (const char* kind :
       {"model", "loss", "trainer", "feature_extractor", "aligner", "reward", "action_space"}) {
    CHECK(std::find(kinds.begin(), kinds.end(), kind) != kinds.end());
  }
}

TEST_CASE("a component is made on demand, with its parameters, and its plugin then stays") {
  test::TestContext context;
  const Folder folder;
  const fs::path copy = folder / "libsample.so";
  fs::copy_file(kSample, copy);
  {
    Registry registry(folders({folder.path()}));
    REQUIRE(registry.find("lr_schedule", "sample") != nullptr);
    CHECK(test::maps().find(copy.string()) == std::string::npos);
    Arena arena;
    LrSchedule& made = registry.create<LrSchedule>(arena, "sample", sample_params(), context);
    CHECK(made.factor(0, 0) == Approx(8.0));
    CHECK(test::maps().find(copy.string()) != std::string::npos);
    // Again: the same library, another object.
    CHECK(&registry.create<LrSchedule>(arena, "sample", sample_params(), context) != &made);
  }
  CHECK(test::maps().find(copy.string()) != std::string::npos);
}

TEST_CASE("several kinds in one file") {
  test::TestContext context;
  Registry registry(folders({SAMPLE_DIR}));
  CHECK(registry.create<Reward>("nothing", {}, context)->range().second == 0.0);
  CHECK(registry.create<LrSchedule>("steady", {}, context)->factor(3, 10) == 1.0);
}

TEST_CASE("a component's own check runs on demand, and before it is made") {
  Registry registry(folders({SAMPLE_DIR}));
  Table params = sample_params();
  params["heads"] = 8;
  const Problems problems = registry.check("lr_schedule", "sample", params);
  REQUIRE(problems.items().size() == 1);
  CHECK(problems.items()[0].key == "heads");
  CHECK(registry.check("lr_schedule", "steady", {}).items().empty());
  test::TestContext context;
  const Diagnostic d =
      test::diagnostic_of([&] { registry.create("lr_schedule", "sample", params, context); });
  CHECK(d.id == "E110");
  CHECK(d.message == "`sample.heads`: leaves less than 4 columns per head");
}

TEST_CASE("what goes wrong while a component is made is told") {
  test::TestContext context;
  Registry registry(folders({SAMPLE_DIR}));
  Table params = sample_params();
  params["label"] = "throw";
  Diagnostic d =
      test::diagnostic_of([&] { registry.create("lr_schedule", "sample", params, context); });
  CHECK(d.id == "E229");
  CHECK(d.message.find("asked to throw") != std::string::npos);
  params["label"] = "throw 7";
  d = test::diagnostic_of([&] { registry.create("lr_schedule", "sample", params, context); });
  CHECK(d.id == "E229");
  CHECK(d.message.find("no std::exception") != std::string::npos);
  d = test::diagnostic_of([&] { registry.create<LrSchedule>("impostor", {}, context); });
  CHECK(d.id == "E230");
}

TEST_CASE("an unknown component says what there is and where was looked") {
  const Folder folder;
  test::write(folder / "libbroken.so", "no library");
  Registry registry(folders({SAMPLE_DIR, folder.path(), folder / "absent"}));
  const Diagnostic d = test::diagnostic_of([&] { registry.info("lr_schedule", "sampel"); });
  CHECK(d.id == "E201");
  std::string facts;
  for (const std::string& fact : d.facts) facts += fact + "\n";
  CHECK(facts.find("did you mean `sample`?") != std::string::npos);
  CHECK(facts.find("impostor, sample, steady") != std::string::npos);
  CHECK(facts.find("(2 libraries)") != std::string::npos);
  CHECK(facts.find("(1 library)") != std::string::npos);
  CHECK(facts.find("no such folder") != std::string::npos);
  CHECK(facts.find("libbroken.so: is not an ELF shared library") != std::string::npos);
  REQUIRE(registry.load_problems().size() == 1);
}

TEST_CASE("an earlier folder shadows a later one, with a note") {
  const Folder first;
  fs::copy_file(kSample, first / "libsample.so");
  Registry registry(folders({first.path(), SAMPLE_DIR}));
  CHECK(registry.problems().empty());
  CHECK(registry.find("lr_schedule", "sample")->file == (first / "libsample.so").string());
  CHECK(registry.notes().size() == 2);  // sample and impostor
  CHECK(registry.notes()[0].message.find("is shadowed by") != std::string::npos);
}

TEST_CASE("one component in two files of a folder is an error that names both") {
  const Folder folder;
  fs::copy_file(kPair, folder / "libsample_pair.so");
  fs::copy_file(kPair, folder / "libcopy.so");
  Registry registry(folders({folder.path(), SAMPLE_DIR}));
  REQUIRE(registry.problems().size() == 2);
  const Diagnostic& d = registry.problems()[0];
  CHECK(d.id == "E208");
  CHECK(d.message.find("libcopy.so") != std::string::npos);
  CHECK(d.message.find("libsample_pair.so") != std::string::npos);
  // Neither is used, and no later folder steps in.
  CHECK(registry.find("lr_schedule", "steady") == nullptr);
  CHECK(registry.names("reward").empty());
  const Diagnostic asked = test::diagnostic_of([&] { registry.info("reward", "nothing"); });
  CHECK(asked.id == "E208");
  CHECK(asked.help == "remove one of them");
  for (const std::string& problem : registry.load_problems()) {
    CHECK(problem.ends_with("neither is used: remove one of them"));
  }
}

TEST_CASE("a folder that may not be read is told as that") {
  if (::geteuid() == 0) return;  // root may read everything
  const Folder folder;
  fs::permissions(folder.path(), fs::perms::owner_exec);
  const Registry registry(folders({folder.path()}));
  CHECK(registry.looked_in().front().find("(cannot be read: Permission denied)") !=
        std::string::npos);
  fs::permissions(folder.path(), fs::perms::owner_all);
}

TEST_CASE("a broken library is not replaced by one of a later folder") {
  const Folder first;
  test::write(first / "libsample.so", "half a fi");
  Registry registry(folders({first.path(), SAMPLE_DIR}));
  CHECK(registry.find("lr_schedule", "sample") == nullptr);
  CHECK(registry.find("lr_schedule", "steady") != nullptr);
  REQUIRE(registry.problems().size() == 2);
  CHECK(registry.problems()[0].id == "E211");
  CHECK(registry.problems()[1].id == "E207");
}

TEST_CASE("the search path: option, variable, build, home, each once") {
  const Folder a;
  const Folder b;
  REQUIRE(setenv("RETAKE_PLUGIN_PATH", (a.path().string() + ":" + b.path().string()).c_str(), 1) ==
          0);
  const std::vector<SearchFolder> found = search_path({b.path().string()});
  unsetenv("RETAKE_PLUGIN_PATH");
  REQUIRE(found.size() >= 3);
  CHECK(fs::equivalent(found[0].path, b.path()));
  CHECK(fs::equivalent(found[1].path, a.path()));
  CHECK(found[1].label.find("$RETAKE_PLUGIN_PATH") != std::string::npos);
  CHECK(found[2].path.filename() == "plugins");
  CHECK(test::diagnostic_of([] { search_path({"/no/such/folder"}); }).id == "E209");
  const Diagnostic file = test::diagnostic_of([] { search_path({kSample.string()}); });
  CHECK(file.id == "E209");
  CHECK(file.message == "this is a file, and plugins are looked for in folders");
  const std::vector<SearchFolder> unset = search_path({});
  CHECK(unset.back().path.empty());
  CHECK(unset.back().label == "$RETAKE_PLUGIN_PATH");
}

TEST_CASE("a library tells how it was built, and nothing that could spoil a record") {
  const Folder folder;
  const fs::path file = folder / "libsample.so";
  fs::copy_file(kSample, file);
  const plugin::BuildFacts built = plugin::read_build_facts(file);
  CHECK(built.flags.find("-ffp-contract=off") != std::string::npos);
  CHECK(built.flags.find("-W") == std::string::npos);
  CHECK(built.flags.find('/') == std::string::npos);

  const std::string table = plugin::table_text(plugin::read_plugin_file(file).components);
  plugin::embed_table(file, table, RETAKE_OBJCOPY, {"c0ffee1+", "-O1"});
  CHECK(plugin::read_build_facts(file).commit == "c0ffee1+");
  CHECK(plugin::read_build_facts(file).flags == "-O1");
  plugin::embed_table(file, table, RETAKE_OBJCOPY, {"\xff\xfe", "-O1\n"});
  CHECK(plugin::read_build_facts(file).commit.empty());
  CHECK(plugin::read_build_facts(file).flags.empty());
}

TEST_CASE("an arena's components die in reverse order") {
  static std::string order;
  struct Named final : Component {
    explicit Named(char n) : name(n) {}
    ~Named() override { order += name; }
    char name;
  };
  order.clear();
  {
    Arena arena;
    Named& a = arena.keep(std::make_unique<Named>('a'));
    arena.keep(std::make_unique<Named>('b'));
    arena.keep(std::make_unique<Named>('c'));
    CHECK(a.name == 'a');
  }
  CHECK(order == "cba");
}

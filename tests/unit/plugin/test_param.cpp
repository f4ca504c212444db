// Parameters that know whether they were read.

#include "catch.hpp"
#include "retake/plugin.hpp"

using namespace retake;

namespace {

struct Params {
  Param<double> rate = 0.5;
  Param<std::int64_t> steps = 8;
  Param<std::string> mode = "fast";
  Param<std::vector<double>> edges = std::vector<double>{1.0, 2.0};
  Param<bool> loud = false;
  int plain = 3;

  static void describe(Schema<Params>& s) {
    s.field(&Params::rate, "rate", "a rate").range(0, 1);
    s.field(&Params::steps, "steps", "steps").multiple_of(&Params::plain);
    s.field(&Params::mode, "mode", "how").one_of({"fast", "slow"});
    s.field(&Params::edges, "edges", "edges");
    s.field(&Params::loud, "loud", "loud");
    s.field(&Params::plain, "plain", "not counted");
  }
};

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("type, default and rules of a counted parameter are those of its value") {
  const SchemaInfo info = Schema<Params>::make().info();
  REQUIRE(info.fields.size() == 6);
  CHECK(info.fields[0].type == FieldType::floating);
  CHECK(info.fields[0].default_value == Value(0.5));
  CHECK(info.fields[1].type == FieldType::integer);
  CHECK(info.fields[2].default_value == Value("fast"));
  CHECK(info.fields[3].is_list);
  CHECK(info.fields[3].default_value == Value(Array{1.0, 2.0}));
  CHECK(info.fields[4].type == FieldType::boolean);
  REQUIRE(info.rules.size() == 1);
  CHECK(info.rules[0].other == "plain");
}

TEST_CASE("only what was read counts as read, through copies too") {
  Table table;
  table["rate"] = 0.25;
  table["steps"] = 16;
  ParamReads reads;
  const Params made = Schema<Params>::make().read(table, &reads);
  CHECK(reads.unread() == Names{"rate", "steps", "mode", "edges", "loud"});
  const Params copy = made;  // as a component keeps them
  CHECK(reads.unread().size() == 5);
  CHECK(copy.rate * 2.0 == 0.5);
  CHECK(reads.unread() == Names{"steps", "mode", "edges", "loud"});
  CHECK(copy.mode == "fast");
  CHECK(copy.edges->size() == 2);
  CHECK(reads.unread() == Names{"steps", "loud"});
  const std::int64_t steps = made.steps;
  CHECK(steps == 16);
  if (made.loud) FAIL();
  CHECK(reads.unread().empty());
}

namespace {

class Kind : public Component {
 public:
  static constexpr const char* kind = "lr_schedule";
};

class ReadsOne final : public Kind {
 public:
  using Params = ::Params;
  explicit ReadsOne(const Params& p) : rate_(p.rate) {}

 private:
  double rate_;
};

class TestContext final : public Context {
 public:
  std::uint64_t seed(std::string_view, std::uint64_t) const override { return 0; }
  int threads() const override { return 1; }
  std::string device() const override { return "cpu"; }
  std::filesystem::path run_dir() const override { return {}; }
  bool stop_requested() const override { return false; }
  void progress(std::string_view, double, double) const override {}
};

}  // namespace

TEST_CASE("a component tells what it read of what it was given") {
  Registrar registrar;
  registrar.add<ReadsOne>("reads_one", "reads one of its parameters");
  TestContext context;
  const auto made = registrar.staged().front().create({}, context);
  CHECK(made->param_reads().unread() == Names{"steps", "mode", "edges", "loud"});
}

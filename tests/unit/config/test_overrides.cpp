// What the command line does to an experiment, and what is said where it cannot.

#include "catch.hpp"
#include "fixture.hpp"

#include "config/explain.hpp"

using namespace config_test;

namespace {

Diagnostic only_error(const std::string& toml, const std::vector<std::string>& overrides) {
  const auto all = errors_of(toml, overrides);
  INFO(shown(all));
  REQUIRE(all.size() == 1);
  return all[0];
}

bool mentions(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("merge.keep on the command line carries parameters to another plugin") {
  const std::string change = "model.plugin=keep_cut";
  CHECK(errors_of(kGood, {change}).empty());
  const auto e = errors_of(kGood, {change, "merge.keep=[\"model.d_model\"]"});
  // Kept, and so checked: keep_cut has no such parameter.
  REQUIRE(ids(e) == std::vector<std::string>{"E104"});
  CHECK(mentions(e[0].message, "d_model"));
  const auto missing = only_error(kGood, {change, "merge.keep=[\"model.d_modell\"]"});
  CHECK(missing.id == "E133");
  CHECK(missing.caret == "did you mean `model.d_model`?");
  CHECK(only_error(kGood, {change, "merge.keep=model.d_model"}).id == "E133");
}

TEST_CASE("merge.keep of the file and of set files counts for the command line too") {
  const Folder folder;
  folder.write("base.toml", kGood);
  const auto file =
      folder.write("e.toml", "extends = \"base.toml\"\n[merge]\nkeep = [\"model.d_model\"]\n");
  CHECK(ids(errors_of_file(file, with_overrides({"model.plugin=keep_cut"}))) ==
        std::vector<std::string>{"E104"});
  LoadOptions options;
  options.set_files = {folder.write("set.toml",
                                    "[merge]\nkeep = [\"model.d_model\"]\nappend = "
                                    "[\"dataset.roots\"]\ndelete = [\"loss.stop\"]\n"
                                    "[model]\nplugin = \"keep_cut\"\n"
                                    "[dataset]\nroots = [\"more\"]\n")};
  CHECK(ids(errors_of_file(folder.path() / "base.toml", options)) ==
        std::vector<std::string>{"E104"});
  options.overrides = with_overrides({"model.plugin=pointer_network"}).overrides;
  const auto e = resolve_experiment(folder.path() / "base.toml", catalog(), options);
  CHECK(e.find("model")->params.at("d_model") == Value(128));
  CHECK(e.find("dataset")->params.at("roots") == Value(Array{"pairs", "more"}));
  CHECK(e.all("loss").size() == 1);
}

TEST_CASE("tables that belong to files are refused on the command line") {
  const auto append = only_error(kGood, {"merge.append=[\"dataset.roots\"]"});
  CHECK(append.id == "E112");
  CHECK(mentions(append.help, "PATH+=[...]"));
  CHECK(only_error(kGood, {"merge.delete=[\"loss.stop\"]"}).id == "E112");
  CHECK(only_error(kGood, {"sweep.trials=3"}).id == "E112");
  const auto extends = only_error(kGood, {"extends=[\"x.toml\"]"});
  CHECK(extends.id == "E112");
  CHECK(mentions(extends.help, "--set-file"));
}

TEST_CASE("the origin of a list names the override that changed it") {
  const auto origin = [](const ResolvedExperiment& e, const std::string& path) {
    const Origin* found = origin_of(e.origins, path);
    REQUIRE(found != nullptr);
    return *found;
  };
  auto e = resolve(kGood, {"dataset.roots[0]=z"});
  CHECK(origin(e, "dataset.roots").argument == "dataset.roots[0]=z");
  CHECK(origin(e, "dataset.roots").written == Value(Array{"z"}));
  e = resolve(kGood, {"dataset.roots+=[\"b\", \"c\"]", "--unset dataset.roots[0]"});
  CHECK(e.find("dataset")->params.at("roots") == Value(Array{"b", "c"}));
  CHECK(origin(e, "dataset.roots").argument == "dataset.roots[0]");
  CHECK(origin(e, "dataset.roots[1]").written == Value("c"));
  CHECK(origin_of(e.origins, "dataset.roots[2]") == nullptr);
  e = resolve(kGood, {"editor.marks+=[\"b\"]"});
  CHECK(origin(e, "editor.marks").written == Value(Array{"b"}));
}

TEST_CASE("explain lists what --unset took away, the file's writing too") {
  const auto e = resolve(kGood, {"model.d_model=256", "--unset model.d_model"});
  const Explanation told = explain(e, "model.d_model");
  REQUIRE(told.dropped.size() == 2);
  CHECK(told.dropped[0].written.written == Value(256));
  CHECK(told.dropped[1].written.written == Value(128));
}

TEST_CASE("an override of what nothing wrote says what to do instead") {
  CHECK(only_error(kGood, {"--unset model.dropout"}).help ==
        "what no file sets has its default already");
  CHECK(mentions(only_error(kGood, {"editor.marks[0]=x"}).help, "editor.marks=[...]"));
  CHECK(mentions(only_error(kGood, {"dataset.roots[1]=x"}).help, "dataset.roots+=[...]"));
  CHECK(only_error(kGood, {"dataset.roots[1]+=x"}).id == "E112");
  CHECK(only_error(kGood, {"--unset model.d_modell"}).help == "did you mean `model.d_model`?");
  CHECK(mentions(only_error(kGood, {"optimizer.lr+=3"}).help, "optimizer.lr=..."));
  CHECK_FALSE(mentions(only_error(kGood, {"--unset x.y"}).help, "did you mean"));
}

TEST_CASE("habits of other tools get the way it is done here") {
  CHECK(mentions(only_error(kGood, {"+model.d_model=3"}).help, "leave the + away"));
  CHECK(only_error(kGood, {"~model.d_model"}).help == "write  --unset model.d_model");
}

TEST_CASE("several values, and what only looks like them") {
  const auto list = only_error(kGood, {"optimizer.lr=[1e-4, 3e-4]"});
  CHECK(list.id == "E109");
  CHECK(mentions(list.help, "-s 'optimizer.lr=[1e-04, 3e-04]'"));
  CHECK(only_error(kGood, {"run.device=cpu,cuda"}).id == "E109");
  CHECK(only_error(kGood, {"optimizer.lr=log(1e-5,1e-2)"}).id == "E107");
  CHECK(only_error(kGood, {"optimizer.lr=0,001"}).id == "E107");
  CHECK(only_error(kGood, {"train.keep={last=2, best=x}"}).id == "E107");
  CHECK(
      mentions(only_error(kGood, {"dataset.roots=[a, b]"}).help, "dataset.roots='[\"a\", \"b\"]'"));
}

TEST_CASE("numbers that no number can be") {
  CHECK(only_error(kGood, {"loss.stop.weight=inf"}).id == "E107");
  const auto large = only_error(kGood, {"experiment.seed=99999999999999999999"});
  REQUIRE_FALSE(large.facts.empty());
  CHECK(mentions(large.facts.back(), "9223372036854775807"));
  const std::string text = std::string(kGood) + "[train]\nmax_steps = \"${env:STEPS:-9}\"\n";
  const auto environment = only_error(text, {});
  REQUIRE_FALSE(environment.facts.empty());
  CHECK(mentions(environment.facts.back(), "${env:...}"));
  CHECK(mentions(environment.help, "train.max_steps=9"));
}

TEST_CASE("a key in the wrong table is shown its place") {
  const auto hint = [](const std::string& more) {
    return only_error(std::string(kGood) + more, {}).caret;
  };
  CHECK(hint("[train]\nseed = 3\n") == "did you mean `experiment.seed`?");
  CHECK(hint("[train]\nlr = 3\n") == "did you mean `optimizer.lr`?");
  CHECK(hint("[run]\nmax_steps = 3\n") == "did you mean `train.max_steps`?");
  CHECK(only_error("seed = 1\n" + std::string(kGood), {}).caret ==
        "did you mean `experiment.seed`?");
  // A word for one of the table's own keys stays there.
  CHECK(mentions(hint("[train]\nbatch_size = 3\n"), "`batch`"));
  const auto nested = only_error(std::string(kGood) + "[train]\nkeep = { bset = 1 }\n", {});
  CHECK(mentions(nested.message, "[train.keep]"));
  CHECK(nested.help == "keys are last, best");
  const auto extends = only_error(std::string(kGood) + "[train]\nextends = \"a.toml\"\n", {});
  REQUIRE_FALSE(extends.facts.empty());
  CHECK(mentions(extends.facts.back(), "above the first table"));
}

TEST_CASE("a text that is not closed is called so") {
  const auto one = only_error("[experiment]\nname = \"smoke\nseed = 1\n", {});
  CHECK(one.id == "E101");
  CHECK(one.place->line == 2);
  CHECK(mentions(one.caret, "quote is missing"));
}

TEST_CASE("a metric of training steps cannot judge validations") {
  const auto step = only_error(kGood, {"train.metric=grad_norm"});
  CHECK(step.id == "E142");
  CHECK(mentions(step.message, "training steps only"));
  CHECK(mentions(only_error(kGood, {"train.metric=val/f1"}).help, "did you mean `val/edit_f1`"));
}

TEST_CASE("bases that two ways lead to cost nothing") {
  const Folder folder;
  folder.write("e25.toml", kGood);
  for (int i = 24; i >= 0; --i) {
    const std::string base = "\"e" + std::to_string(i + 1) + ".toml\"";
    folder.write("e" + std::to_string(i) + ".toml", "extends = [" + base + ", " + base + "]\n");
  }
  const auto e = resolve_experiment(folder.path() / "e0.toml", catalog());
  CHECK(e.origins.at("model.d_model").size() <= 2);
}

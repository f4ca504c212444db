#include <algorithm>

#include "catch.hpp"
#include "fixture.hpp"

using namespace config_test;

TEST_CASE("a good experiment resolves with every default") {
  const ResolvedExperiment e = resolve(kGood);
  CHECK(e.experiment.name == "small");
  CHECK(e.experiment.seed == 7);
  CHECK(e.train.max_steps == 20000);
  CHECK(e.train.keep.best == 1);
  CHECK(e.run.threads == 2);
  REQUIRE(e.find("model") != nullptr);
  CHECK(e.find("model")->plugin == "pointer_network");
  CHECK(e.find("model")->params.at("d_model") == Value(128));
  CHECK(e.find("model")->params.at("encoder_layers") == Value(3));
  CHECK(e.find("loss", "stop")->weight == 0.5);
  CHECK(e.find("loss", "stop")->table == "loss.stop");
  CHECK(e.all("loss").size() == 2);
  CHECK(e.find("reward") == nullptr);
  CHECK(e.notes.empty());
  CHECK(find_path(e.tree, "editor.window.length")->as_int() == 512);
  CHECK(describe(*origin_of(e.origins, "model.d_model")).ends_with("small.toml:14"));
}

TEST_CASE("a name is the file's stem unless given") {
  CHECK(resolve("[model]\nplugin = \"mel_unet\"\n").experiment.name == "small");
}

TEST_CASE("integers widen to floats and nothing else converts") {
  CHECK(resolve(kGood, {"optimizer.lr=1"}).find("optimizer")->params.at("lr") == Value(1.0));
  for (const char* wrong :
       {"model.d_model=64.0", "model.d_model=\"64\"", "model.use_jump=1", "dataset.roots=\"pairs\"",
        "optimizer.lr=true", "train.metric=3", "dataset.roots=[1]", "optimizer.betas=[\"x\"]",
        "optimizer.lr=nan", "editor.window=3", "editor.stages={length=4}"}) {
    INFO(wrong);
    CHECK(ids(errors_of(kGood, {wrong})) == std::vector<std::string>{"E107"});
  }
}

TEST_CASE("a bare word that TOML takes for a number or a flag: how to quote it") {
  for (const std::string word : {"nan", "true", "2024"}) {
    const auto all = errors_of(kGood, {"experiment.name=" + word});
    REQUIRE(ids(all) == std::vector<std::string>{"E107"});
    CHECK(all[0].help ==
          "if you mean the text, quote it for TOML and for the shell:  "
          "experiment.name='\"" +
              word + "\"'");
  }
}

TEST_CASE("ranges with open and closed ends") {
  CHECK(errors_of(kGood, {"optimizer.lr=1.0"}).empty());
  CHECK(ids(errors_of(kGood, {"optimizer.lr=0.0"})) == std::vector<std::string>{"E107"});
  CHECK(errors_of(kGood, {"model.dropout=0"}).empty());
  CHECK(ids(errors_of(kGood, {"model.dropout=1"})) == std::vector<std::string>{"E107"});
  CHECK(ids(errors_of(kGood, {"train.batch=0"})) == std::vector<std::string>{"E107"});
  CHECK(ids(errors_of(kGood, {"optimizer.betas=[0.9, 1.0]"})) == std::vector<std::string>{"E107"});
  CHECK(ids(errors_of(kGood, {"editor.stages=[{length=1}]"})) == std::vector<std::string>{"E107"});
  const auto e = errors_of(kGood, {"optimizer.lr=3e-4x"});
  REQUIRE(e.size() == 1);
  CHECK(e[0].message == "`optimizer.lr` must be a float in (0, 1], got the string \"3e-4x\"");
  CHECK(e[0].place->file == "argv[3]: optimizer.lr=3e-4x");
  REQUIRE(e[0].facts.size() == 1);
  CHECK(e[0].facts[0].starts_with("note: the file value was 3e-04 ("));
}

TEST_CASE("rules across parameters are applied from data") {
  const auto only = [](const std::vector<std::string>& overrides) {
    const auto all = errors_of(kGood, overrides);
    INFO(shown(all));
    REQUIRE(all.size() == 1);
    CHECK(all[0].id == "E110");
    return all[0].message;
  };
  CHECK(only({"model.n_heads=3"}) ==
        "`model.d_model` (128) must be a multiple of `model.n_heads` (3)");
  CHECK(only({"model.decoder_layers=4"}) ==
        "`model.decoder_layers` (4) must be at most `model.encoder_layers` (3)");
  CHECK(only({"dataset.min_seconds=7200"}).find("must be less than") != std::string::npos);
  CHECK(only({"model.plugin=keep_cut", "model.kernel=4"}) == "`model.kernel` (4) must be odd");
  CHECK(only({"model.plugin=keep_cut", "model.smooth=true"}).find("needs `model.hidden` = 64") !=
        std::string::npos);
  CHECK(
      errors_of(kGood, {"model.plugin=keep_cut", "model.smooth=true", "model.hidden=64"}).empty());
}

TEST_CASE("five planted errors come in one call, each with its place") {
  const auto all = errors_of(R"([model]
plugin = "pointer_network"
layrs = 4
[trainer]
plugin = "pointer"
[optimizer]
plugin = "adamw"
lr = 2.0
[editor]
plugin = "pointr_decode"
[train]
metric = "val/f1"
precison = "bf16"
[modle]
plugin = "keep_cut"
)");
  INFO(shown(all));
  CHECK(ids(all) == std::vector<std::string>{"E104", "E107", "E201", "E103", "E102"});
  for (const Diagnostic& d : all) {
    REQUIRE(d.place);
    CHECK(d.place->line > 0);
    CHECK(d.place->column > 0);
    CHECK_FALSE(d.place->source_line.empty());
  }
  CHECK(all[0].place->line == 3);
  CHECK(all[0].caret == "did you mean `encoder_layers` (int, default 3, 1..24)?");
  CHECK(all[0].help == "see all parameters with  retake plugins params model/pointer_network");
  CHECK(all[2].caret == "did you mean `pointer_decode` (libpointer_decode.so 1.2.0)?");
}

TEST_CASE("a metric must be declared by the experiment") {
  const auto all = errors_of(kGood, {"train.metric=val/f1"});
  REQUIRE(ids(all) == std::vector<std::string>{"E142"});
  CHECK(all[0].message == "metric `val/f1` is declared by no plugin of this experiment");
  CHECK(all[0].help ==
        "did you mean `val/edit_f1` (trainer pointer)? declared: val/edit_f1 val/loss "
        "val/keep_ratio actions/type_*");
  CHECK(errors_of(kGood, {"train.metric=actions/type_cut"}).empty());
}

TEST_CASE("a missing plugin alone is a plugin error, with others a config error") {
  const Folder folder;
  const auto file = folder.write("a.toml", kGood);
  CHECK_THROWS_AS(resolve_experiment(file, catalog(), with_overrides({"model.plugin=pointernet"})),
                  PluginError);
  CHECK_THROWS_AS(resolve_experiment(file, catalog(),
                                     with_overrides({"model.plugin=pointernet", "train.batch=0"})),
                  ConfigError);
  const auto all = errors_of(kGood, {"model.plugin=pointernet"});
  REQUIRE(all.size() == 1);
  CHECK(all[0].message == "no model plugin named `pointernet`");
  CHECK(all[0].facts[0] == "found 3 model plugins: keep_cut, mel_unet, pointer_network");
  CHECK(all[0].facts[1] ==
        "looked in: ./build/plugins (6 libraries), $RETAKE_PLUGIN_PATH (not set)");
  CHECK(all[0].facts[2].starts_with("1 library could not be loaded: libmy_model.so"));
}

TEST_CASE("tables: named, single, and what cannot be") {
  const auto id = [](const std::string& text) {
    const auto all = errors_of(text);
    INFO(text << "\n" << shown(all));
    REQUIRE_FALSE(all.empty());
    return all[0].id;
  };
  CHECK(id("") == "E106");
  CHECK(id("model = 3") == "E105");
  CHECK(id("[[loss]]\nplugin = \"stop_bce\"") == "E105");
  CHECK(id("[loss]\nplugin = \"stop_bce\"\n[loss.stop]\nplugin = \"stop_bce\"") == "E105");
  CHECK(id("[model]\nd_model = 3") == "E106");
  CHECK(id("[loss.stop]\nweight = 3") == "E106");
  CHECK(id("[dataset]\nplugin = \"paired_audio\"") == "E106");
  CHECK(id("[model]\nplugin = 3") == "E107");
  CHECK(id("[model]\nplugin = \"mel_unet\"\nweight = 1.0") == "E104");
  CHECK(id("[adamw]\nlr = 1.0") == "E102");
  CHECK(id("lr = 1.0") == "E102");
  CHECK(id("[watch]\nx = 3\n[model]\nplugin = \"mel_unet\"") == "E105");
}

TEST_CASE("the version of a plugin can be asked for") {
  CHECK(errors_of(kGood, {"model.version=\">=1.2, <2\""}).empty());
  CHECK(errors_of(kGood, {"model.version=\"1.2\""}).empty());
  CHECK(ids(errors_of(kGood, {"model.version=\">=1.3\""})) == std::vector<std::string>{"E113"});
  CHECK(ids(errors_of(kGood, {"model.version=\"<1.2.0\""})) == std::vector<std::string>{"E113"});
  CHECK(ids(errors_of(kGood, {"model.version=\"new\""})) == std::vector<std::string>{"E113"});
}

TEST_CASE("old names go on working, with a note") {
  const auto e = resolve(kGood, {"feature_extractor.mel.hop=512"});
  CHECK(e.find("feature_extractor")->params.at("hop_length") == Value(512));
  REQUIRE(e.notes.size() == 1);
  CHECK(e.notes[0].id == "W14");
  const auto d = resolve(kGood, {"loss.stop.smoothing=0.1"});
  CHECK(d.find("loss", "stop")->params.at("label_smoothing") == Value(0.1));
  REQUIRE(d.notes.size() == 1);
  CHECK(d.notes[0].id == "W13");
  CHECK(ids(errors_of(kGood, {"loss.stop.smoothing=0.1", "loss.stop.label_smoothing=0.2"})) ==
        std::vector<std::string>{"E115"});
}

TEST_CASE("texts of the host tables have forms") {
  CHECK(resolve(kGood, {"train.max_time=2h30m"}).train.max_time_seconds() == 9000.0);
  CHECK(resolve(kGood, {"train.max_time=\"90\""}).train.max_time_seconds() == 90.0);
  for (const char* wrong : {"train.max_time=2x", "train.max_time=\"\"", "train.max_time=1h30",
                            "train.max_time=-1h", "experiment.name=\"a/b\"", "run.dir=\"\""}) {
    INFO(wrong);
    CHECK(ids(errors_of(kGood, {wrong})) == std::vector<std::string>{"E107"});
  }
  CHECK(errors_of(kGood, {"run.device=cuda:1"}).empty());
  CHECK(ids(errors_of(kGood, {"run.device=gpu"})) == std::vector<std::string>{"E108"});
  CHECK(ids(errors_of(kGood, {"train.batch=99999999999"})) == std::vector<std::string>{"E107"});
}

TEST_CASE("watch rules are read and unknown metrics warned of") {
  const auto e = resolve(std::string(kGood) +
                         "[watch]\n\"grad_norm\" = { max = 100, message = \"exploding\" }\n"
                         "\"val/edit_f2\" = { min = 0.1 }\n");
  REQUIRE(e.watch.size() == 2);
  CHECK(e.watch[0].max == 100.0);
  CHECK(e.watch[0].message == "exploding");
  CHECK_FALSE(e.watch[0].min);
  REQUIRE(e.notes.size() == 1);
  CHECK(e.notes[0].id == "W15");
}

TEST_CASE("at most twenty errors are reported, the rest counted") {
  std::string text = "[model]\nplugin = \"mel_unet\"\n";
  for (int i = 0; i < 50; ++i) text += "unknown_" + std::to_string(i) + " = 1\n";
  const auto all = errors_of(text);
  REQUIRE(all.size() == 20);
  CHECK(all.back().help.ends_with("... and 30 more errors, shown when these are mended"));
  CHECK(all[0].place->line == 3);
}

TEST_CASE("one component from the command line") {
  const auto c = resolve_component("feature_extractor", "log_mel",
                                   {{"hop_length=512", 4}, {"n_mels=80", 5}}, catalog());
  CHECK(c.params.at("hop_length") == Value(512));
  CHECK(c.params.at("sample_rate") == Value(22050));
  try {
    resolve_component("feature_extractor", "log_mel", {{"hop_lenght=512", 4}}, catalog());
    FAIL("no error");
  } catch (const ConfigError& e) {
    CHECK(e.diagnostics()[0].id == "E104");
    CHECK(e.diagnostics()[0].place->file == "argv[4]: hop_lenght=512");
  }
  CHECK_THROWS_AS(resolve_component("feature_extractor", "mell", {}, catalog()), PluginError);
}

TEST_CASE("at least eighteen of twenty misspellings are answered with the right name") {
  struct Case {
    const char* override_text;
    const char* right;
  };
  const Case cases[] = {
      {"model.layrs=4", "encoder_layers"},
      {"model.encoder_layer=4", "encoder_layers"},
      {"model.d_modle=64", "d_model"},
      {"model.dmodel=64", "d_model"},
      {"model.hidden_size=64", "d_model"},
      {"model.droput=0.1", "dropout"},
      {"model.nheads=4", "n_heads"},
      {"model.usejump=true", "use_jump"},
      {"model.activaton=relu", "activation"},
      {"model.activation=gleu", "gelu"},
      {"model.plugin=pointer_netwrok", "pointer_network"},
      {"model.plugin=keepcut", "keep_cut"},
      {"optimizer.learning_rate=1e-3", "lr"},
      {"optimizer.weigth_decay=0.1", "weight_decay"},
      {"optimiser.lr=1e-3", "optimizer"},
      {"dataset.root=[\"x\"]", "roots"},
      {"feature_extractor.mel.hoplength=3", "hop_length"},
      {"feature_extractor.mel.sr=3", "sample_rate"},
      {"featureextractor.mel.plugin=log_mel", "feature_extractor"},
      {"train.batch_size=3", "batch"},
      {"train.max_step=3", "max_steps"},
      {"train.metric=val/editf1", "val/edit_f1"},
      {"train.patience=3", "early_stop"},
      {"run.thread=3", "threads"},
      {"experiment.sed=3", "seed"},
      {"trian.batch=3", "train"},
  };
  std::size_t right = 0;
  std::string wrong;
  for (const Case& c : cases) {
    const auto all = errors_of(kGood, {c.override_text});
    REQUIRE_FALSE(all.empty());
    const std::string& said = all[0].caret.empty() ? all[0].help : all[0].caret;
    const bool good = said.starts_with("did you mean `" + std::string(c.right) + "`") ||
                      said.starts_with("did you mean \"" + std::string(c.right) + "\"");
    right += good ? 1 : 0;
    if (!good) wrong += std::string(c.override_text) + " -> " + said + "\n";
  }
  INFO(right << " of " << std::size(cases) << "; wrong:\n" << wrong);
  CHECK(10 * right >= 9 * std::size(cases));
}

// Writes a run folder with known content for check.py: run_peers_sample FOLDER

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <vector>

#include "report/canvas.hpp"
#include "run/archive.hpp"
#include "run/checkpoint.hpp"
#include "run/code_snapshot.hpp"
#include "run/environment.hpp"
#include "run/json_lines.hpp"
#include "run/manifest.hpp"
#include "run/run_context.hpp"
#include "run/tensorboard.hpp"

using namespace retake;
using namespace retake::run;
namespace fs = std::filesystem;

namespace {

ManifestStart describe(const RunFolder& run) {
  HashCache hashes;
  ManifestStart start;
  start.config_hash = std::string(64, 'a');
  start.seed = 7;
  start.host_program = describe_host_program({}, hashes);
  start.plugins.push_back({"model", "pointer_network", "1.2.0", "81c0ffee12ab",
                           std::string(64, 'c'), executable_path(), "", true});
  start.code = snapshot_code(run, ".");
  start.env = describe_environment({}, hashes);
  start.determinism["requested"] = true;
  start.determinism["level"] = "exact";
  start.determinism["nondeterministic_ops"] = Array{};
  return start;
}

void write_tensorboard(const RunFolder& run) {
  {
    TensorBoardWriter first(run.tensorboard());
    first.text(0, "config", "d_model = 128");
    first.hparams({{"optimizer.lr", 1e-4},
                   {"model.d_model", std::int64_t{128}},
                   {"run.deterministic", true},
                   {"model.plugin", "keep_cut"},
                   {"aligner.plugin", Value()}},
                  "t0001-abc");
    for (int step : {50, 100}) {
      // A 2 x 1 picture, red and blue, made by the library that reads it back.
      const std::string png = report::png_bytes(2, 1, {255, 0, 0, 0, 0, 255});
      first.image(step, "edit/p01", 2, 1, png);
      first.audio(step, "edit/p01/audio", {8000.0, {0.0F, 0.5F, -1.0F, 2.0F}}, "p01");
      first.decisions(step, "val/keep", {{0.1F, 0.4F, 0.6F, 0.9F}, {0, 1, 0, 1}});
    }
    for (int step = 1; step <= 150; ++step)
      first.scalars(step, {{"loss", 1.0 / step}, {"lr", 1e-4}});
  }
  // Killed mid-record at step 150, resumed from step 100.
  fs::path cut;
  for (const auto& e : fs::directory_iterator(run.tensorboard())) cut = e.path();
  fs::resize_file(cut, fs::file_size(cut) - 5);
  TensorBoardWriter second(run.tensorboard(), 100);
  for (int step = 101; step <= 200; ++step)
    second.scalars(step, {{"loss", 2.0 / step}, {"lr", 1e-4}});
  second.hparams_end(200, true);
}

void write_checkpoint(const RunFolder& run) {
  const std::vector<float> w{0.5f, -1.25f, 3e-30f, 4.0f, 5.0f, 6.0f};
  const std::vector<std::int64_t> step{200};
  const std::vector<std::uint8_t> mask{1, 0, 1};
  CheckpointContent content;
  content.step = 200;
  content.retake = Value(Table());
  content.rng = Value(Table());
  content.cursor = Value(Table());
  content.model = {{"mask", DType::boolean, {3}, std::as_bytes(std::span(mask))},
                   {"model.ü.w", DType::f32, {2, 3}, std::as_bytes(std::span(w))},
                   {"step", DType::i64, {}, std::as_bytes(std::span(step))}};
  content.best = BestMark{200, "val/edit_f1", 0.5};
  CheckpointStore(run.checkpoints()).publish(content, {});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return 2;
  try {
    fs::remove_all(argv[1]);
    const RunFolder run = RunFolder::create(argv[1], "peers");
    const RunLock lock = run.lock("run_peers_sample");
    Manifest manifest = Manifest::start(run, describe(run));
    write_tensorboard(run);
    JsonLines metrics(run.metrics());
    Table record;
    record["val/edit_f1"] = 0.1 + 0.2;
    metrics.append(200, record);
    write_checkpoint(run);
    const SeedBook seeds(7);
    seeds.seed("model/init");
    manifest.record_seeds(seeds.recorded());
    manifest.set_goals({{"val/edit_f1", "max"}});
    manifest.seal({.code = ExitCode::ok, .to_step = 200, .signal = 0, .message = {}});
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
  return 0;
}

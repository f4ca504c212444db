// The training loop: learning, exact resume from any point, averages, phases, divergence.

#include <unistd.h>

#include <cmath>
#include <csignal>
#include <filesystem>
#include <limits>

#include "catch.hpp"
#include "core/stop.hpp"
#include "nn/device.hpp"
#include "nn/engine.hpp"
#include "nn/tensor_io.hpp"
#include "retake/error.hpp"
#include "retake/nn/torch.hpp"
#include "run/run_context.hpp"

using namespace retake;
using namespace retake::nn;
namespace fs = std::filesystem;

namespace {

struct Net : torch::nn::Module {
  torch::nn::Linear first{nullptr}, second{nullptr};
  torch::nn::Dropout dropout{nullptr};
  Net() {
    first = register_module("first", torch::nn::Linear(4, 16));
    second = register_module("second", torch::nn::Linear(16, 1));
    dropout = register_module("dropout", torch::nn::Dropout(0.2));
  }
};

class TinyModel final : public Model {
 public:
  void build(const ModelInputs&) override { net_ = std::make_shared<Net>(); }
  torch::nn::Module& module() override { return *net_; }
  TensorMap forward(const TensorMap& inputs) override {
    TensorMap out;
    const at::Tensor hidden = net_->dropout(net_->first(inputs.at("x")).relu());
    out.set("y", net_->second(hidden));
    return out;
  }

 private:
  std::shared_ptr<Net> net_;
};

class Momentum final : public Optimizer {
 public:
  void attach(std::vector<NamedParameter> parameters) override {
    parameters_ = std::move(parameters);
    for (const auto& p : parameters_) velocity_.push_back(at::zeros_like(*p.tensor));
  }
  double learning_rate() const override { return 0.05; }
  void step(double rate) override {
    const at::NoGradGuard no_grad;
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      at::Tensor& p = *parameters_[i].tensor;
      velocity_[i].mul_(0.9).add_(p.grad());
      p.sub_(velocity_[i] * rate);
      p.mutable_grad().reset();
    }
  }
  void save(TensorMap& state) const override {
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      state.set(parameters_[i].name + "/velocity", velocity_[i]);
    }
  }
  void load(const TensorMap& state) override {
    for (std::size_t i = 0; i < parameters_.size(); ++i) {
      velocity_[i].copy_(state.at(parameters_[i].name + "/velocity"));
    }
  }

 private:
  std::vector<NamedParameter> parameters_;
  std::vector<at::Tensor> velocity_;
};

/// Learns y = sum(x). `stop_at`: asks to stop during that step; negative: never.
class TinyTrainer final : public Trainer {
 public:
  explicit TinyTrainer(Context& context) : context_(context) {}
  Model* model = nullptr;
  std::int64_t stop_at = -1;
  bool stop_in_validation = false;
  std::int64_t nan_at = -1;
  std::vector<TrainerPhase> phase_list{{"train", 0, {}}};
  double seen = 0;  // state beyond the position

  std::vector<TrainerPhase> phases() const override { return phase_list; }
  void set_up(const TrainerSetup& setup) override { model = setup.model; }
  TensorMap next_batch(const StepPosition& p) override {
    Rng rng = context_.rng("batch", static_cast<std::uint64_t>(p.step * 10 + p.micro));
    at::Tensor x = at::empty({8, 4});
    float* data = x.data_ptr<float>();
    for (int i = 0; i < 32; ++i) data[i] = static_cast<float>(rng.uniform(-1, 1));
    TensorMap batch;
    batch.set("x", x);
    batch.set("target", x.sum(1, true));
    return batch;
  }
  StepResult step(const StepPosition& p, const TensorMap& batch) override {
    seen += batch.at("x").sum().item<double>();
    if (p.step == stop_at) request_stop(SIGTERM);
    StepResult result;
    at::Tensor loss = at::mse_loss(model->forward(batch).at("y"), batch.at("target"));
    if (p.step == nan_at) loss = loss * std::numeric_limits<double>::quiet_NaN();
    result.terms.push_back({"square", 1.0, loss});
    result.metrics["train/seen"] = seen;
    return result;
  }
  Metrics validate(const StepPosition& p) override {
    if (stop_in_validation) request_stop(SIGTERM);
    StepPosition fixed = p;
    fixed.step = 1000000;
    const TensorMap batch = next_batch(fixed);
    return {{"val/loss",
             at::mse_loss(model->forward(batch).at("y"), batch.at("target")).item<double>()}};
  }
  void save(TensorMap&, Table& values) const override { values["seen"] = seen; }
  void load(const TensorMap&, const Table& values) override {
    seen = values.at("seen").as_double();
  }

 private:
  Context& context_;
};

struct TempDir {
  fs::path path;
  TempDir() {
    static int counter = 0;
    path = fs::temp_directory_path() /
           ("retake-engine-" + std::to_string(::getpid()) + "-" + std::to_string(counter++));
    fs::create_directories(path);
  }
  ~TempDir() { fs::remove_all(path); }
};

struct Log {
  std::vector<std::pair<std::int64_t, Metrics>> metrics;
  std::vector<std::pair<std::int64_t, std::string>> trace;
};

EngineSettings settings(std::int64_t steps) {
  EngineSettings s;
  s.max_steps = steps;
  s.val_every = 7;
  s.accumulate = 2;
  s.metric = "val/loss";
  s.goal = "min";
  s.trace_every = 1;
  s.ema = 0.9;
  s.keep = {2, 1};
  return s;
}

/// One attempt in `folder`, resuming from its latest checkpoint when there is one.
TrainingOutcome attempt(const fs::path& folder, EngineSettings s, Log& log,
                        const std::function<void(TinyTrainer&)>& prepare = {}) {
  request_stop(0);
  configure_torch(1, true);
  run::RunContext context(
      {.seed = 7, .threads = 1, .device = "cpu", .run_dir = {}, .progress = {}});
  TinyModel model;
  seed_torch(context.seed("model/init"));
  model.build({});
  Momentum optimizer;
  TinyTrainer trainer(context);
  TrainerSetup setup;
  setup.model = &model;
  trainer.set_up(setup);
  if (prepare) prepare(trainer);
  EngineParts parts{&model, &trainer, {{"main", &optimizer, {}}}, nullptr, &context, "cpu"};
  attach_optimizers(model.module(), parts.optimizers);
  EngineSinks sinks;
  sinks.metrics = [&](std::int64_t step, const Metrics& m) { log.metrics.emplace_back(step, m); };
  sinks.trace = [&](std::int64_t step, const Table& t) {
    log.trace.emplace_back(step, to_json(t));
  };
  run::CheckpointStore store(folder);
  Engine engine(parts, s, sinks, store, Table());
  if (const auto latest = store.latest()) {
    const run::Checkpoint checkpoint = run::Checkpoint::open(*latest);
    store.resume_from(checkpoint.step());
    // As the run's files do: what lies beyond the checkpoint is written again.
    std::erase_if(log.metrics, [&](const auto& r) { return r.first > checkpoint.step(); });
    std::erase_if(log.trace, [&](const auto& r) { return r.first > checkpoint.step(); });
    engine.restore(checkpoint);
  }
  return engine.run();
}

std::string state_of(const fs::path& folder) {
  const run::Checkpoint c = *run::CheckpointStore(folder).open_latest();
  std::string text = to_canonical_json(c.cursor());
  for (const auto& v : c.model().tensors()) text += v.name + run::tensor_hash(v);
  for (const auto& v : c.optim().tensors()) text += v.name + run::tensor_hash(v);
  return text;
}

}  // namespace

TEST_CASE("the engine learns", "[engine]") {
  const TempDir dir;
  Log log;
  EngineSettings s = settings(300);
  s.accumulate = 1;
  s.ema = 0;
  const TrainingOutcome outcome = attempt(dir.path, s, log);
  CHECK(outcome.end == TrainingEnd::finished);
  CHECK(outcome.step == 300);
  REQUIRE(outcome.best);
  CHECK(outcome.best->value < 0.05);
  CHECK(log.metrics.front().second.at("train/loss") > 5 * outcome.best->value);
}

TEST_CASE("a run stopped at any step and resumed equals the uninterrupted one",
          "[engine][resume]") {
  const TempDir whole;
  Log expected;
  attempt(whole.path, settings(30), expected);
  for (std::int64_t stop_at = 0; stop_at < 30; stop_at += 1) {
    for (const bool in_validation : {false, true}) {
      if (in_validation && stop_at % 7 != 0) continue;
      const TempDir dir;
      Log log;
      const auto first = attempt(dir.path, settings(30), log, [&](TinyTrainer& t) {
        t.stop_at = in_validation ? -1 : stop_at;
        t.stop_in_validation = in_validation;
      });
      CHECK(first.end == TrainingEnd::stopped_by_signal);
      attempt(dir.path, settings(30), log);
      INFO("stopped at " << stop_at << (in_validation ? " in the validation" : ""));
      CHECK(log.metrics == expected.metrics);
      CHECK(log.trace == expected.trace);
      CHECK(state_of(dir.path) == state_of(whole.path));
    }
  }
}

TEST_CASE("a non-finite loss ends the run and leaves the checkpoint", "[engine]") {
  const TempDir dir;
  Log log;
  CHECK_THROWS_AS(attempt(dir.path, settings(30), log, [](TinyTrainer& t) { t.nan_at = 10; }),
                  DivergedError);
  CHECK(run::CheckpointStore(dir.path).open_latest()->step() == 7);
}

TEST_CASE("early stop counts validations without improvement", "[engine]") {
  const TempDir dir;
  Log log;
  EngineSettings s = settings(100000);
  s.early_stop = 3;
  const TrainingOutcome outcome = attempt(dir.path, s, log);
  CHECK(outcome.end == TrainingEnd::early_stopped);
  REQUIRE(outcome.best);
  CHECK(outcome.step - outcome.best->step == 3 * 7);
}

TEST_CASE("a time limit ends the run with a checkpoint", "[engine]") {
  const TempDir dir;
  Log log;
  EngineSettings s = settings(0);
  s.max_seconds = 0.2;
  const TrainingOutcome outcome = attempt(dir.path, s, log);
  CHECK(outcome.end == TrainingEnd::time_limit);
  CHECK(run::CheckpointStore(dir.path).open_latest()->step() == outcome.step);
}

TEST_CASE("phases follow one another", "[engine]") {
  const TempDir dir;
  Log log;
  const TrainingOutcome outcome = attempt(dir.path, settings(20), log, [](TinyTrainer& t) {
    t.phase_list = {{"first", 5, {}}, {"second", 0, {}}};
  });
  CHECK(outcome.step == 20);
  CHECK(log.trace[4].second.find("\"first\"") != std::string::npos);
  CHECK(log.trace[5].second.find("\"second\"") != std::string::npos);
}

TEST_CASE("a checkpoint that does not fit names every tensor", "[engine][hostile]") {
  Net net;
  TensorMap state = module_state(net);
  TensorMap wrong;
  wrong.set("first.weight", at::zeros({3, 3}));
  wrong.set("extra", at::zeros({1}));
  try {
    load_module_state(net, wrong, "checkpoints/step-000001");
    FAIL("accepted");
  } catch (const DataError& e) {
    CHECK(e.diagnostics().front().facts.size() == 5);  // 1 shape, 3 missing, 1 unknown
  }
}

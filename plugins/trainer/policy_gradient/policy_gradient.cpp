// REINFORCE with a baseline on the editing environment.

#include <cmath>
#include <memory>

#include "retake/data/corpus.hpp"
#include "retake/env/environment.hpp"
#include "retake/error.hpp"
#include "retake/kinds/model.hpp"
#include "retake/kinds/trainer.hpp"
#include "retake/nn/step.hpp"
#include "retake/nn/torch.hpp"
#include "retake/plugin.hpp"

namespace {

using retake::Metrics;
using retake::StepPosition;
using retake::TensorMap;

struct Params {
  retake::Param<int> episodes = 8;
  retake::Param<int> context = 3;
  retake::Param<double> unit_s = 1.0;
  retake::Param<double> target_share = 0.5;
  retake::Param<double> entropy_weight = 0.01;
  retake::Param<double> value_weight = 0.5;

  static void describe(retake::Schema<Params>& s) {
    s.field(&Params::episodes, "episodes", "episodes per update").range(1, 4096);
    s.field(&Params::context, "context", "units seen to each side of the cursor")
        .range(0, 64)
        .unit("units");
    s.field(&Params::unit_s, "unit_s", "length of a unit").range(0.05, 60.0).unit("s");
    s.field(&Params::target_share, "target_share",
            "wanted share of a recording without a human edit")
        .range(0.01, 1.0);
    s.field(&Params::entropy_weight, "entropy_weight", "weight of the entropy bonus")
        .range(0.0, 1.0);
    s.field(&Params::value_weight, "value_weight", "weight of the value loss").range(0.0, 10.0);
  }
};

/// What an iteration collected; row i of every tensor is one decision.
struct Rollouts {
  std::vector<float> observations;
  std::vector<std::int64_t> actions;
  std::vector<float> returns;
  double reward_sum = 0;
  std::int64_t episodes = 0;
};

class PolicyGradient final : public retake::Trainer {
 public:
  using Params = ::Params;
  explicit PolicyGradient(const ::Params& params) : params_(params) {}

  static retake::Traits traits() {
    retake::Traits t;
    t.needs = {"action_space", "reward"};
    t.inputs = {{"logits", "f32", "N, choices", "of the action head"},
                {"value", "f32", "N", "expected return"}};
    const auto metric = [&](const char* name, const char* doc, const char* goal) {
      retake::MetricInfo m;
      m.name = name;
      m.doc = doc;
      m.goal = goal;
      t.metrics.push_back(m);
    };
    metric("train/episode_reward", "mean return of the episodes played", "max");
    metric("train/entropy", "mean entropy of the policy, nats", "");
    metric("train/policy_loss", "policy-gradient loss", "");
    metric("train/value_loss", "squared error of the value", "min");
    metric("train/entropy_bonus_loss", "negative entropy", "");
    metric("val/episode_reward", "mean return of greedy episodes on the validation split", "max");
    metric("counters/n_keep_ratio", "share of units kept, greedy", "");
    metric("env_steps", "decisions taken so far", "");
    return t;
  }

  void set_up(const retake::TrainerSetup& setup) override {
    if (setup.action_space->heads().size() != 1) {
      retake::Diagnostic d;
      d.id = "E159";
      d.message = "trainer policy_gradient plays action spaces of one head";
      d.help = "use action_space keep_cut";
      throw retake::ConfigError(std::move(d));
    }
    setup_ = setup;
    for (const auto& r : setup.rewards) rewards_.emplace_back(r.weight, r.reward);
    train_ = tasks("train");
    validation_ = tasks("val");
  }

  std::int64_t iteration_steps() const override { return 1; }

  void begin_iteration(const StepPosition& position) override {
    rollouts_ = {};
    retake::Rng rng = setup_.context->rng("env", static_cast<std::uint64_t>(position.step));
    for (int e = 0; e < params_.episodes; ++e) {
      play(train_[rng.below(train_.size())], &rng, rollouts_);
    }
    env_steps_ += static_cast<std::int64_t>(rollouts_.actions.size());
  }

  TensorMap next_batch(const StepPosition&) override {
    const auto n = static_cast<std::int64_t>(rollouts_.actions.size());
    TensorMap batch;
    batch.set("observation", at::tensor(rollouts_.observations).view({n, -1}));
    batch.set("action", at::tensor(rollouts_.actions));
    batch.set("return", at::tensor(rollouts_.returns));
    return batch;
  }

  retake::StepResult step(const StepPosition&, const TensorMap& batch) override {
    const TensorMap out = setup_.model->forward(batch);
    const at::Tensor log_probability_NC = out.at("logits").log_softmax(-1);
    const at::Tensor taken_N =
        log_probability_NC.gather(-1, batch.at("action").unsqueeze(-1)).squeeze(-1);
    const at::Tensor advantage_N = (batch.at("return") - out.at("value")).detach();
    const at::Tensor entropy = -(log_probability_NC.exp() * log_probability_NC).sum(-1).mean();
    retake::StepResult result;
    result.terms.push_back({"policy", 1.0, -(taken_N * advantage_N).mean()});
    result.terms.push_back(
        {"value", params_.value_weight, at::mse_loss(out.at("value"), batch.at("return"))});
    result.terms.push_back({"entropy_bonus", params_.entropy_weight, -entropy});
    result.metrics["train/entropy"] = entropy.item<double>();
    result.metrics["train/episode_reward"] =
        rollouts_.reward_sum / static_cast<double>(rollouts_.episodes);
    return result;
  }

  Metrics validate(const StepPosition&) override {
    Rollouts all;
    for (const retake::EpisodeTask& task : validation_) play(task, nullptr, all);
    double kept = 0;
    for (const std::int64_t action : all.actions) kept += action != 0 ? 1 : 0;
    return {{"val/episode_reward", all.reward_sum / static_cast<double>(all.episodes)},
            {"counters/n_keep_ratio", kept / static_cast<double>(all.actions.size())}};
  }

  Metrics progress(const StepPosition&) const override {
    return {{"env_steps", static_cast<double>(env_steps_)}};
  }
  void save(TensorMap&, retake::Table& values) const override { values["env_steps"] = env_steps_; }
  void load(const TensorMap&, const retake::Table& values) override {
    env_steps_ = values.at("env_steps").as_int();
  }

 private:
  std::vector<retake::EpisodeTask> tasks(const std::string& split) const {
    std::vector<retake::EpisodeTask> out;
    for (const retake::Song* song : setup_.corpus->split(split)) {
      retake::EdlSource source;
      source.path = song->raw.path;
      source.sample_rate = song->raw.sample_rate;
      source.channels = song->raw.channels;
      source.samples = song->raw.samples;
      std::vector<float> rows;
      std::int64_t width = 0;
      const retake::TimeGrid* grid = nullptr;
      for (const auto& [name, table] : song->features) {
        if (grid != nullptr) refuse_several_tables();
        grid = &table.grid();
        width = table.columns();
        rows.assign(table.data(), table.data() + table.rows() * table.columns());
      }
      if (grid == nullptr) refuse_several_tables();
      const double share = song->edit.samples > 0 && song->edit.sample_rate > 0
                               ? song_seconds(song->edit) / song_seconds(song->raw)
                               : *params_.target_share;
      out.push_back(retake::make_task(source, *grid, rows, width, params_.unit_s, share));
    }
    if (out.empty()) {
      retake::Diagnostic d;
      d.id = "E513";
      d.message = "the data set has no recording in its " + split + " split";
      d.help = "retake pairs ROOT --split val=0.1,test=0.2 makes one";
      throw retake::DataError(std::move(d));
    }
    return out;
  }

  static double song_seconds(const retake::AudioInfo& info) {
    return static_cast<double>(info.samples) / info.sample_rate;
  }

  [[noreturn]] static void refuse_several_tables() {
    retake::Diagnostic d;
    d.id = "E159";
    d.message = "trainer policy_gradient observes exactly one feature table";
    d.help = "keep one [feature_extractor.NAME] table";
    throw retake::ConfigError(std::move(d));
  }

  /// Plays one episode, sampling with `rng` or greedily without, and appends to `out`.
  void play(const retake::EpisodeTask& task, retake::Rng* rng, Rollouts& out) {
    const at::NoGradGuard no_grad;
    retake::EditingEnvironment environment(*setup_.action_space, rewards_);
    environment.reset(task, 0);
    const auto width = static_cast<std::size_t>(retake::observation_width(task, params_.context));
    std::vector<float> rewards;
    while (!environment.done()) {
      const std::size_t begin = out.observations.size();
      out.observations.resize(begin + width);
      const std::span<float> row(out.observations.data() + begin, width);
      retake::observe(environment.episode(), params_.context, row);
      const std::int32_t choice = choose(row, rng);
      out.actions.push_back(choice);
      rewards.push_back(static_cast<float>(environment.step({&choice, 1})));
    }
    // Undiscounted returns: an episode is one edit.
    float sum = 0;
    for (std::size_t i = rewards.size(); i-- > 0;) rewards[i] = sum += rewards[i];
    out.returns.insert(out.returns.end(), rewards.begin(), rewards.end());
    out.reward_sum += sum;
    ++out.episodes;
  }

  std::int32_t choose(std::span<float> observation, retake::Rng* rng) {
    TensorMap inputs;
    inputs.set("observation",
               at::from_blob(observation.data(), {1, static_cast<std::int64_t>(observation.size())})
                   .clone()
                   .to(at::Device(setup_.context->device())));
    const at::Tensor logits =
        setup_.model->forward(inputs).at("logits").squeeze(0).to(at::kCPU, at::kDouble);
    if (rng == nullptr) return static_cast<std::int32_t>(logits.argmax().item<std::int64_t>());
    const at::Tensor probability = logits.softmax(-1).contiguous();
    return static_cast<std::int32_t>(rng->weighted(
        {probability.const_data_ptr<double>(), static_cast<std::size_t>(probability.numel())}));
  }

  ::Params params_;
  retake::TrainerSetup setup_;
  std::vector<std::pair<double, const retake::Reward*>> rewards_;
  std::vector<retake::EpisodeTask> train_, validation_;
  Rollouts rollouts_;
  std::int64_t env_steps_ = 0;
};

}  // namespace

RETAKE_PLUGIN("policy_gradient", "1.0.0", registrar) {
  registrar.add<PolicyGradient>("policy_gradient",
                                "REINFORCE with a baseline on the editing environment.");
}

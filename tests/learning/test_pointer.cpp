#include <chrono>
#include <cmath>

#include "catch.hpp"
#include "editor/keep_cut_decode/editor.hpp"
#include "editor/pointer_decode/editor.hpp"
#include "model/keep_cut/keep_cut.hpp"
#include "model/pointer_network/pointer_network.hpp"
#include "planted.hpp"
#include "retake/edit/metrics.hpp"
#include "retake/kinds/loss.hpp"
#include "retake/nn/losses.hpp"
#include "retake/nn/masked.hpp"
#include "retake/nn/step.hpp"
#include "retake/nn/torch.hpp"
#include "test_context.hpp"
#include "trainer/pointer/pointer_trainer.hpp"

using namespace retake;

namespace {

pointer_network::Params small_pointer() {
  pointer_network::Params p;
  p.frames = {"mel.mel"};
  p.slow = {};
  p.d_model = 32;
  p.n_heads = 4;
  p.dim_feedforward = 64;
  p.encoder_layers = 1;
  p.dilated_layers = 3;
  p.decoder_layers = 2;
  p.decoder_window = 12;
  p.attn_window_size = 128;
  p.n_global_tokens = 4;
  p.pointing_width = 16;
  p.dropout = 0.0;
  return p;
}

ModelInputs widths() {
  ModelInputs inputs;
  inputs.feature_widths = {{"mel.mel", 16}};
  return inputs;
}

/// One weighted term of everything that the heads give.
class AllHeads final : public Loss {
 public:
  explicit AllHeads(bool pointer) : pointer_(pointer) {}
  at::Tensor compute(const TensorMap& o, const TensorMap& b) const override {
    const at::Tensor& known = b.at("token_label_mask");
    auto bce = [&](const char* head, const char* target, const at::Tensor& mask) {
      return masked_mean(retake::binary_cross_entropy(o.at(head), b.at(target)), mask);
    };
    at::Tensor sum = bce("keep", "keep_target", known) + bce("start", "start_target", known) +
                     bce("end", "end_target", known);
    const at::Tensor& material = b.at("kind_target");
    sum = sum + masked_mean(cross_entropy(o.at("kind"), material), material >= 0);
    if (!pointer_) return sum;
    const at::Tensor &delta = b.at("delta_target"), &op = b.at("op_target");
    const at::Tensor& jumps = b.at("jump_mask");
    return sum + masked_mean(cross_entropy(o.at("delta"), delta), delta >= 0) +
           masked_mean(cross_entropy(o.at("op"), op), op >= 0) +
           masked_mean(cross_entropy(o.at("jump_bin"), b.at("jump_bin")), jumps) +
           masked_mean(cross_entropy(o.at("jump_fine"), b.at("jump_fine")), jumps) +
           bce("use_jump", "use_jump_target", b.at("use_jump_mask")) +
           bce("stop", "stop_target", b.at("stop_mask"));
  }

 private:
  bool pointer_;
};

pointer_trainer::Params small_trainer() {
  pointer_trainer::Params p;
  p.crop = 20.0;
  p.windows = 4;
  p.window_frames = 512;
  p.jumps = 64;
  return p;
}

struct Wired {
  Corpus corpus = planted::corpus();
  TestContext context;
  AllHeads loss;
  pointer_trainer::PointerTrainer trainer{small_trainer()};
  Wired(Model& model, Editor* editor, bool pointer) : loss(pointer) {
    TrainerSetup setup;
    setup.model = &model;
    setup.editor = editor;
    setup.losses = {{"all", 1.0, &loss}};
    setup.corpus = &corpus;
    setup.batch = 2;
    setup.context = &context;
    trainer.set_up(setup);
  }
};

/// Adam without decay: a training loop small enough for a test.
class SmallAdam {
 public:
  explicit SmallAdam(torch::nn::Module& module) {
    for (auto& p : module.parameters()) {
      slots_.push_back({p, at::zeros_like(p), at::zeros_like(p)});
    }
  }
  void step(double lr) {
    const at::NoGradGuard no_grad;
    ++steps_;
    for (auto& s : slots_) {
      if (!s.p.grad().defined()) continue;
      s.m.mul_(0.9).add_(s.p.grad(), 0.1);
      s.v.mul_(0.98).addcmul_(s.p.grad(), s.p.grad(), 0.02);
      const at::Tensor m = s.m / (1 - std::pow(0.9, steps_)),
                       v = s.v / (1 - std::pow(0.98, steps_));
      s.p.sub_(lr * m / (v.sqrt() + 1e-8));
      s.p.mutable_grad().zero_();
    }
  }

 private:
  struct Slot {
    at::Tensor p, m, v;
  };
  std::vector<Slot> slots_;
  int steps_ = 0;
};

double train(Wired& wired, Model& model, int steps, double lr) {
  at::set_num_threads(1);  // small tensors: more threads would only wait for each other
  SmallAdam adam(model.module());
  model.module().train();
  double last = 0;
  for (int i = 0; i < steps; ++i) {
    const StepPosition position{"train", i, 0, i};
    const StepResult r = wired.trainer.step(position, wired.trainer.next_batch(position));
    r.terms[0].value.backward();
    last = r.terms[0].value.item<double>();
    adam.step(lr);
  }
  model.module().eval();
  return last;
}

double log_add(double a, double b) {
  return std::max(a, b);
}

/// The best path of a small lattice by trying all sequences of at most `depth` runs.
double best_by_trying(const pointer_decode::Lattice& l, const pointer_decode::SearchLimits& limits,
                      std::int64_t at, std::int64_t backward, int depth) {
  double best = -1e18;
  auto copied = [&](std::int64_t from, std::int64_t to) {
    return l.copied[static_cast<std::size_t>(to)] - l.copied[static_cast<std::size_t>(from)];
  };
  if (depth == 0) return best;
  if (l.frames - at >= (l.frames > limits.min_run ? limits.min_run : 0)) {
    best = copied(at, l.frames);
  }
  for (const auto& leave : l.leaves) {
    if (leave.frame - at < limits.min_run) continue;
    const double here = copied(at, leave.frame);
    best = log_add(best, here + leave.stop);
    for (const auto& [target, score] : leave.jumps) {
      const bool back = target < leave.frame;
      if (back && backward >= limits.max_backward) continue;
      best = log_add(best, here + score - (back ? limits.backward_cost : 0.0) +
                               best_by_trying(l, limits, target, backward + back, depth - 1));
    }
  }
  return best;
}

double value_of(const pointer_decode::Lattice& l, const pointer_decode::SearchLimits& limits,
                const pointer_decode::Runs& runs) {
  auto find = [&](std::int64_t frame, std::int64_t target) {
    double best = -1e18;
    for (const auto& leave : l.leaves) {
      if (leave.frame != frame) continue;
      if (target < 0) best = std::max(best, leave.stop);
      for (const auto& [to, score] : leave.jumps) {
        if (to == target) {
          best = std::max(best, score - (target < frame ? limits.backward_cost : 0.0));
        }
      }
    }
    return best;
  };
  double sum = runs.front().first == 0 ? std::max(0.0, find(0, 0)) : find(0, runs.front().first);
  for (std::size_t i = 0; i < runs.size(); ++i) {
    sum += l.copied[static_cast<std::size_t>(runs[i].second)] -
           l.copied[static_cast<std::size_t>(runs[i].first)];
    if (i + 1 < runs.size()) {
      sum += find(runs[i].second, runs[i + 1].first);
    } else {
      sum += std::max(runs[i].second == l.frames ? 0.0 : -1e18, find(runs[i].second, -1));
    }
  }
  return sum;
}

}  // namespace

TEST_CASE("the path search finds the best path there is") {
  Rng rng(5);
  for (int round = 0; round < 80; ++round) {
    pointer_decode::Lattice l;
    l.frames = rng.integer(4, 14);
    l.copied.push_back(0);
    for (std::int64_t f = 0; f < l.frames; ++f) l.copied.push_back(l.copied.back() - rng.uniform());
    for (std::int64_t f = 0; f < l.frames; ++f) {
      if (f > 0 && rng.chance(0.4)) continue;
      pointer_decode::Leave leave;
      leave.frame = f;
      leave.stop = f == 0 ? -1e9 : -3 * rng.uniform();
      for (int j = 0; j < 3; ++j) {
        leave.jumps.emplace_back(rng.integer(0, l.frames - 1), -2 * rng.uniform());
      }
      l.leaves.push_back(leave);
    }
    // Jumps of the first leave begin the path; jumps back from there are none.
    pointer_decode::SearchLimits limits{rng.integer(1, 3), rng.integer(0, 2), 0.3, 0.0};
    double expected = best_by_trying(l, limits, 0, 0, 6);
    for (const auto& [target, score] : l.leaves[0].jumps) {
      expected = std::max(expected, score + best_by_trying(l, limits, target, 0, 6));
    }
    const auto runs = pointer_decode::best_runs(l, limits);
    REQUIRE(!runs.empty());
    REQUIRE(value_of(l, limits, runs) == Approx(expected).margin(1e-9));
  }
}

TEST_CASE("windows say what the edit did, and the way back") {
  const Song song = planted::song("a", "train", 3000, 9);
  const pointer_trainer::Path path = pointer_trainer::make_path(song);
  const PointerCoding coding;
  pointer_trainer::WindowOptions options;
  options.windows = 40;
  options.frames = 512;
  options.recovery = GENERATE(0.0, 1.0);
  options.noise = 0.5;
  Rng rng(3);
  const TensorMap w = pointer_trainer::make_windows(path, coding, options, rng);
  const auto running = w.at("running").contiguous(), delta = w.at("delta_target").contiguous();
  const auto jump = w.at("use_jump_target"), jump_known = w.at("use_jump_mask");
  const auto stop = w.at("stop_target");
  std::int64_t steps = 0, stops = 0;
  for (std::int64_t i = 0; i < 40; ++i) {
    for (std::int64_t t = 0; t < 512; ++t) {
      const std::int64_t from = running[i][t].item<std::int64_t>();
      if (stop[i][t].item<float>() > 0) ++stops;
      const std::int64_t step = delta[i][t].item<std::int64_t>();
      if (!jump_known[i][t].item<bool>()) continue;
      CHECK((step >= 0) == (jump[i][t].item<float>() < 0.5F));
      if (step < 0) continue;
      ++steps;
      // Wherever it is, a step leads to material that the edit uses.
      REQUIRE(path.used[static_cast<std::size_t>(from + step - coding.max_delta)] == 1);
    }
  }
  CHECK(steps > 1000);
  CHECK(stops > 0);
  const at::Tensor index = w.at("jump_index"), mask = w.at("jump_mask");
  CHECK(mask.any().item<bool>());
  for (std::int64_t j = 0; j < index.size(0); ++j) {
    if (!mask[j].item<bool>()) continue;
    const std::int64_t target = w.at("jump_bin")[j].item<std::int64_t>() * coding.bin_frames +
                                w.at("jump_fine")[j].item<std::int64_t>();
    REQUIRE(std::find(path.enters.begin(), path.enters.end(), target) != path.enters.end());
    REQUIRE(jump.flatten()[index[j].item<std::int64_t>()].item<float>() == 1.0F);
  }
}

TEST_CASE("pointer_network: padding, batch mates, blocks with roll-back, gradients") {
  at::manual_seed(2);
  pointer_network::PointerNetwork model(small_pointer());
  model.build(widths());
  model.module().eval();
  const std::int64_t frames = 901, longer = 1500;
  const at::Tensor x = at::rand({1, frames, 16}), other = at::rand({1, longer, 16});
  std::vector<TensorMap> recordings(2);
  recordings[0].set("frames", x[0]);
  recordings[1].set("frames", other[0]);
  TensorMap alone = batch_inputs(std::span(recordings.data(), 1)), both = batch_inputs(recordings);
  // Pointers up to the very end of the first recording, with jumps.
  const at::Tensor running =
      at::cat({at::arange(100, 140), at::arange(600, 640), at::arange(842, 898).clamp_max(901),
               at::arange(898, 1026).clamp_max(frames)})
          .view({1, 1, 264});
  const at::Tensor index = at::tensor({3, 39, 41, 200}).to(at::kLong).view({1, 4});
  const at::Tensor bin = at::tensor({0, 5, 56, 40}).to(at::kLong).view({1, 4});
  auto window = [&](TensorMap& m, std::int64_t batch) {
    m.set("running", running.expand({batch, 1, 264}).contiguous());
    m.set("window_mask", at::ones({batch, 1, 264}, at::kBool));
    m.set("jump_index", index.expand({batch, 4}).contiguous());
    m.set("jump_bin", bin.expand({batch, 4}).contiguous());
  };
  window(alone, 1);
  window(both, 2);
  const TensorMap a = model.forward(alone), b = model.forward(both);
  for (const char* head : {"delta", "use_jump", "stop", "op", "jump_fine"}) {
    INFO(head);
    CHECK((a.at(head)[0] - b.at(head)[0]).abs().max().item<double>() < 1e-5);
  }
  const std::int64_t bins = a.at("jump_bin").size(2);
  CHECK(bins == 57);
  const at::Tensor wide = at::softmax(b.at("jump_bin")[0], -1);
  CHECK((at::softmax(a.at("jump_bin")[0], -1) - wide.slice(1, 0, bins)).abs().max().item<double>() <
        1e-5);
  CHECK(wide.slice(1, bins).max().item<double>() < 1e-12);

  // Block by block, some of each block taken back, gives what the whole gives.
  const at::NoGradGuard no_grad;
  const auto memory = model.encode(alone);
  auto state = model.start(*memory);
  const at::Tensor line = running.flatten();
  for (std::int64_t begin = 0; begin < 264;) {
    const std::int64_t size = std::min<std::int64_t>(264 - begin, 40);
    const std::int64_t taken = std::min<std::int64_t>(size, 8 + 8 * (begin % 3));
    std::shared_ptr<const PointerState> block;
    const PointerScores s = model.score(*memory, *state, line.narrow(0, begin, size), block);
    const at::Tensor whole = a.at("delta")[0][0].narrow(0, begin, taken);
    REQUIRE((s.delta.narrow(0, 0, taken) - whole).abs().max().item<double>() < 1e-4);
    REQUIRE((s.stop.narrow(0, 0, taken) - a.at("stop")[0][0].narrow(0, begin, taken))
                .abs()
                .max()
                .item<double>() < 1e-4);
    state = model.advance(*state, *block, taken);
    begin += taken;
  }
}

TEST_CASE("pointer_network: unlearnt jumps go to every octave of distance alike, in an hour too") {
  pointer_network::PointerNetwork model(small_pointer());
  at::manual_seed(3);
  model.build(widths());
  model.module().eval();
  const at::NoGradGuard no_grad;
  const std::int64_t frames = GENERATE(20000, 310000);  // 4 and 60 minutes
  TensorMap silence;
  silence.set("frames", at::zeros({frames, 16}));
  const auto memory = model.encode(batch_inputs(std::span(&silence, 1)));
  const std::int64_t bin = model.coding().bin_frames, from = 200;
  const at::Tensor query = at::zeros({1, small_pointer().pointing_width});
  const at::Tensor p = model.jump_bins(*memory, query, at::tensor({from * bin})).exp()[0];
  auto mass = [&](std::int64_t first, std::int64_t last) {
    return p.slice(0, from + first, from + last).sum().item<double>();
  };
  CHECK(mass(128, 256) == Approx(mass(64, 128)).epsilon(0.05));
  CHECK(mass(512, 1024) == Approx(mass(64, 128)).epsilon(0.05));
  CHECK(mass(0, 64) > 0.2);
}

TEST_CASE("pointer_network: one training step reaches every parameter, batches repeat") {
  at::manual_seed(3);
  pointer_network::PointerNetwork model(small_pointer());
  model.build(widths());
  Wired wired(model, nullptr, true);
  const StepPosition position{"train", 7, 0, 7};
  const TensorMap batch = wired.trainer.next_batch(position);
  const TensorMap again = wired.trainer.next_batch(position);
  for (const auto& [name, tensor] : batch) {
    INFO(name);
    CHECK(at::equal(tensor, again.at(name)));
  }
  CHECK(
      !at::equal(batch.at("running"), wired.trainer.next_batch({"train", 8, 0, 8}).at("running")));
  model.module().train();
  const StepResult r = wired.trainer.step(position, batch);
  r.terms[0].value.backward();
  for (const auto& item : model.module().named_parameters()) {
    INFO(item.key());
    REQUIRE(item.value().grad().defined());
    REQUIRE(item.value().grad().abs().max().item<double>() > 0);
  }
}

TEST_CASE("keep_cut learns a planted rule and edits recordings it has not heard") {
  at::manual_seed(4);
  keep_cut::Params p;
  p.frames = {"mel.mel"};
  p.slow = {};
  p.width = 32;
  p.hidden = 32;
  p.dilated_layers = 3;
  p.dropout = 0.0;
  keep_cut::KeepCut model(p);
  model.build(widths());
  keep_cut_decode::Params d;
  d.min_segment = 0.5;
  keep_cut_decode::KeepCutDecode editor(d);
  Wired wired(model, &editor, false);
  train(wired, model, 80, 3e-3);
  const Metrics m = wired.trainer.validate({"train", 80, 0, 80});
  CHECK(m.at("val/edit_f1") > 0.95);
  CHECK(m.at("val/kept_iou") > 0.95);
  CHECK(m.at("val/edit_f1_0.1s") > 0.8);
}

TEST_CASE("pointer_network learns a planted rule and edits recordings it has not heard") {
  at::manual_seed(5);
  pointer_network::PointerNetwork model(small_pointer());
  model.build(widths());
  pointer_decode::Params d;
  d.min_segment = 0.5;
  pointer_decode::PointerDecode editor(d);
  Wired wired(model, &editor, true);
  const double loss = train(wired, model, 160, 3e-3);
  INFO("loss " << loss);
  const Metrics m = wired.trainer.validate({"train", 160, 0, 160});
  for (const auto& [name, value] : m) UNSCOPED_INFO(name << " " << value);
  CHECK(m.at("val/edit_f1") > 0.9);
  CHECK(m.at("val/kept_iou") > 0.9);
  CHECK(m.at("val/jump_f1") > 0.8);

  const Song& song = *wired.corpus.split("val")[0];
  EditRequest request;
  request.source = song.alignment.edl.sources[0];
  request.features = song.features;
  request.mode = "greedy";
  const Edl greedy = editor.edit(&model, request, wired.context).edl;
  CHECK(!greedy.segments.empty());
  CHECK(problems(greedy) == std::vector<std::string>());
  // How many frames are scored at once changes nothing: what follows a deviation is rolled back.
  d.block = 8;
  pointer_decode::PointerDecode careful(d);
  const Edl again = careful.edit(&model, request, wired.context).edl;
  REQUIRE(again.segments.size() == greedy.segments.size());
  for (std::size_t i = 0; i < greedy.segments.size(); ++i) {
    CHECK(again.segments[i].begin == greedy.segments[i].begin);
    CHECK(again.segments[i].end == greedy.segments[i].end);
  }
  request.mode = "sample";
  request.seed = 4;
  const Edl sampled = editor.edit(&model, request, wired.context).edl;
  CHECK(sampled.segments.size() >= 1);
  request.mode = "best";
  request.target_seconds = 10.0;
  const Edl shorter = editor.edit(&model, request, wired.context).edl;
  CHECK(static_cast<double>(shorter.output_samples()) / 22050 == Approx(10.0).margin(4.0));
}

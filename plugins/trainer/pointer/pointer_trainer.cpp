#include "pointer_trainer.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "retake/edit/metrics.hpp"
#include "retake/error.hpp"
#include "retake/kinds/loss.hpp"
#include "retake/log.hpp"
#include "retake/nn/masked.hpp"
#include "retake/nn/raw_encoder.hpp"

namespace pointer_trainer {

using retake::TensorMap;

void Params::describe(retake::Schema<Params>& s) {
  s.field(&Params::crop, "crop",
          "length of the stretches of raw that a batch holds; 0: whole recordings. Models that "
          "point always see whole recordings")
      .range(0.0, 36000.0)
      .unit("s");
  s.field(&Params::windows, "windows", "output windows per recording and step").range(1, 1024);
  s.field(&Params::window_frames, "window_frames", "output frames per window")
      .range(8, 1048576)
      .unit("frames")
      .synonyms({"chunk_size"});
  s.field(&Params::jumps, "jumps", "most jump targets per recording and step").range(1, 65536);
  s.field(&Params::recovery, "recovery",
          "share of windows that run over the raw, teaching the way back to the edit")
      .range(0.0, 1.0);
  s.field(&Params::noise, "noise", "probability that a jump lands some frames off").range(0.0, 1.0);
  s.field(&Params::noise_frames, "noise_frames", "how far off at most").range(0, 64).unit("frames");
  s.field(&Params::min_confidence, "min_confidence",
          "stretches aligned with less confidence are left out of the losses")
      .range(0.0, 1.0);
  s.field(&Params::val_songs, "val_songs", "validation recordings edited each time; 0: all")
      .range(0, 100000);
}

void Params::check(const Params& p, retake::Problems& problems) {
  if (p.window_frames % retake::kTokenFrames != 0) {
    problems.add("window_frames", "must be a multiple of 8", "window_frames = 1024");
  }
}

retake::Traits PointerTrainer::traits() {
  retake::Traits t;
  t.needs = {"loss"};
  t.inputs = {{"token_mask", "bool", "B, N", "true where there is a recording"}};
  t.outputs = {
      {"keep_target", "f32", "B, N", "share of the token that is kept"},
      {"start_target", "f32", "B, N", "1 where the edit enters the raw"},
      {"end_target", "f32", "B, N", "1 where the edit leaves the raw"},
      {"kind_target", "i64", "B, N", "index into the kinds of material; -1: unknown"},
      {"token_label_mask", "bool", "B, N", "true where the label is known"},
      {"delta_target", "i64", "B, W, T", "step + D of pointer models; negative: no step here"},
      {"op_target", "i64", "B, W, T", "operation code; negative: unknown"},
      {"use_jump_target", "f32", "B, W, T", "1 where the edit jumps"},
      {"use_jump_mask", "bool", "B, W, T", "true where that is known"},
      {"stop_target", "f32", "B, W, T", "1 behind the edit's last frame"},
      {"stop_mask", "bool", "B, W, T", "true where that is known"},
      {"jump_bin", "i64", "B, J", "true bins of jumps"},
      {"jump_fine", "i64", "B, J", "true frames inside them"},
      {"jump_mask", "bool", "B, J", "true where there is a jump"}};
  // The table of metrics to watch of the guide: what each should do, and what it means if not.
  const auto falls = [&](const char* name, const char* doc, const char* target,
                         const char* problem) {
    t.metrics.push_back({name, doc, "min", target, problem, {}, {}, "falling"});
  };
  falls("train/delta_loss", "cross-entropy of the step classes", "falls below 0.1",
        "the steps are not learnt");
  falls("train/jump_loss", "cross-entropy of jump targets, coarse and fine", "falls",
        "large jumps cannot be predicted");
  falls("train/use_jump_loss", "cross-entropy of jump or go on", "falls",
        "when to jump is not learnt");
  falls("train/stop_loss", "cross-entropy of the end", "falls", "the end is not found");
  t.metrics.push_back({"val_delta_accuracy",
                       "share of steps whose class is right, teacher-forced",
                       "max",
                       "above 0.9",
                       "the patterns of steps are not learnt",
                       0.9,
                       {},
                       ""});
  t.metrics.push_back({"val/keep_ratio", "share of the raw that is kept", "", "as the true edits",
                       "collapsed: everything or nothing is kept", 0.01, 0.99, ""});
  const std::vector<std::array<const char*, 5>> metrics = {
      {{"audio_seconds", "raw audio seen so far, seconds", "", "", ""}},
      {{"epochs", "passes over the training recordings so far", "", "", ""}},
      {{"val/loss", "weighted loss on the validation recordings, teacher-forced", "min", "",
        "rises while train/loss falls: over-fitting"}},
      {{"val/step_f1", "F1 of steps that are not 0, teacher-forced", "max", "above 0.9", ""}},
      {{"val/jump_accuracy", "share of jump targets within one bin, teacher-forced", "max", "",
        ""}},
      {{"val/edit_f1", "edit points within 0.5 s, free-running, mean over recordings", "max",
        "above 0.8", "stays at the energy gate's"}},
      {{"val/edit_precision", "share of the edit's points that are true", "max", "", ""}},
      {{"val/edit_recall", "share of the true points that were found", "max", "", ""}},
      {{"val/edit_f1_*", "the same within 0.05 s, 0.1 s and 3 s", "max", "", ""}},
      {{"val/kept_iou", "kept raw time, intersection over union", "max", "above 0.8", ""}},
      {{"val/jump_f1", "jumps with both ends within 0.5 s", "max", "", ""}},
      {{"val/jump_f1_*", "the same by class: adjacent, forward, backward", "max", "", ""}},
      {{"val/length_error", "length of the edit, relative", "min", "", ""}},
      {{"val/keep_ratio_error", "difference to the true share", "min", "", ""}},
      {{"val/contiguity", "share of steps that are plain copies", "", "", ""}},
      {{"val/segments_per_minute*", "copied runs per minute, and the true number", "", "", ""}},
      {{"val/order_tau", "order of the material, Kendall's tau", "max", "", ""}},
      {{"val/accuracy/*", "share of raw time decided rightly, by kind of material", "max", "",
        ""}}};
  for (const auto& [name, doc, goal, target, problem] : metrics) {
    t.metrics.push_back({name, doc, goal, target, problem, {}, {}, ""});
  }
  return t;
}

std::vector<PointerTrainer::Prepared> PointerTrainer::prepare(
    const std::vector<const retake::Song*>& songs) const {
  std::vector<Prepared> all;
  for (const retake::Song* song : songs) {
    Prepared p;
    p.song = song;
    p.frames = retake::raw_frames(song->features, reader_->layout());
    p.timeline = make_timeline(*song, p.frames, params_.min_confidence);
    if (pointer_model_ != nullptr) p.path = make_path(*song);
    all.push_back(std::move(p));
  }
  return all;
}

void PointerTrainer::set_up(const retake::TrainerSetup& setup) {
  setup_ = setup;
  auto fail = [](const std::string& message, const std::string& help) {
    throw retake::ConfigError(
        retake::Diagnostic{retake::Severity::error, "E159", message, {}, {}, {}, help});
  };
  reader_ = dynamic_cast<const retake::ReadsRecording*>(setup.model);
  pointer_model_ = dynamic_cast<retake::PointerModel*>(setup.model);
  if (reader_ == nullptr) {
    fail("the trainer `pointer` needs a model that reads a raw recording",
         "model.plugin = \"keep_cut\" or \"pointer_network\"");
  }
  train_ = prepare(setup.corpus->split("train"));
  if (train_.empty()) {
    throw retake::DataError(
        retake::Diagnostic{retake::Severity::error,
                           "E513",
                           "no pair is in the split `train`",
                           {},
                           {},
                           {},
                           "give more pairs, or smaller shares for val and test"});
  }
  std::vector<const retake::Song*> val = setup.corpus->split("val");
  if (params_.val_songs > 0 && static_cast<std::int64_t>(val.size()) > params_.val_songs) {
    val.resize(static_cast<std::size_t>(params_.val_songs));
  }
  val_ = prepare(val);
  if (val_.empty()) retake::log_warning("no pair is in the split `val`: nothing is validated");
  for (const Prepared& p : train_) lengths_.push_back(static_cast<double>(p.frames));
}

WindowOptions PointerTrainer::window_options() const {
  return {params_.windows,  params_.window_frames, params_.jumps,
          params_.recovery, params_.noise,         params_.noise_frames};
}

PointerTrainer::Crop PointerTrainer::draw_crop(retake::Rng& rng) const {
  Crop c;
  c.song = &train_[rng.weighted(lengths_)];
  c.count = c.song->frames;
  const auto wanted = static_cast<std::int64_t>(std::llround(params_.crop * 22050.0 / 256.0));
  if (pointer_model_ == nullptr && wanted > 0 && wanted < c.count) {
    c.count = wanted;
    c.begin = rng.integer(0, (c.song->frames - wanted) / retake::kSlowFrames) * retake::kSlowFrames;
  }
  return c;
}

TensorMap PointerTrainer::make_batch(const std::vector<Crop>& crops, retake::Rng& rng) const {
  std::vector<TensorMap> inputs;
  std::vector<TensorMap> windows;
  std::int64_t tokens = 0;
  for (const Crop& c : crops) {
    inputs.push_back(
        retake::recording_inputs(c.song->song->features, reader_->layout(), c.begin, c.count));
    tokens = std::max(tokens, (c.count + retake::kTokenFrames - 1) / retake::kTokenFrames);
    if (pointer_model_ != nullptr) {
      windows.push_back(
          make_windows(c.song->path, pointer_model_->coding(), window_options(), rng));
    }
  }
  TensorMap batch = retake::batch_inputs(inputs);
  auto stack = [&](const char* name, at::Tensor Timeline::*field) {
    std::vector<at::Tensor> rows;
    for (const Crop& c : crops) {
      const std::int64_t n = (c.count + retake::kTokenFrames - 1) / retake::kTokenFrames;
      const at::Tensor row = (c.song->timeline.*field).narrow(0, c.begin / retake::kTokenFrames, n);
      const at::Scalar fill = field == &Timeline::kind ? -1 : 0;  // unknown, zero, false
      rows.push_back(at::constant_pad_nd(row, {0, tokens - n}, fill));
    }
    batch.set(name, at::stack(rows));
  };
  stack("keep_target", &Timeline::keep);
  stack("start_target", &Timeline::start);
  stack("end_target", &Timeline::end);
  stack("kind_target", &Timeline::kind);
  stack("token_label_mask", &Timeline::known);
  if (!windows.empty()) {
    for (const auto& [name, first] : windows.front()) {
      std::vector<at::Tensor> rows;
      for (const TensorMap& w : windows) rows.push_back(w.at(name));
      batch.set(name, at::stack(rows));
    }
  }
  return batch;
}

TensorMap PointerTrainer::next_batch(const retake::StepPosition& position) {
  const auto index = static_cast<std::uint64_t>(position.step) * 65536 +
                     static_cast<std::uint64_t>(position.micro);
  retake::Rng rng = setup_.context->rng("trainer/batch", index);
  std::vector<Crop> crops;
  for (int i = 0; i < setup_.batch; ++i) crops.push_back(draw_crop(rng));
  return make_batch(crops, rng);
}

std::vector<retake::LossTerm> PointerTrainer::losses(const TensorMap& outputs,
                                                     const TensorMap& batch) const {
  std::vector<retake::LossTerm> terms;
  for (const retake::WeightedLoss& l : setup_.losses) {
    terms.push_back({l.name, l.weight, l.loss->compute(outputs, batch)});
  }
  return terms;
}

retake::StepResult PointerTrainer::step(const retake::StepPosition&, const TensorMap& batch) {
  const TensorMap here = batch.to(setup_.context->device());
  retake::StepResult result;
  result.terms = losses(setup_.model->forward(here), here);
  return result;
}

namespace {

/// Probability and truth of keeping each token whose label is known.
void add_decisions(const TensorMap& outputs, const TensorMap& batch, retake::Decisions& keep) {
  const at::Tensor* logits = outputs.find("keep");
  if (logits == nullptr) return;
  const at::Tensor known = batch.at("token_label_mask");
  const at::Tensor score = logits->to(at::kFloat).sigmoid().masked_select(known).to(at::kCPU);
  const at::Tensor truth = (batch.at("keep_target").masked_select(known) > 0.5).to(at::kCPU);
  const float* s = score.const_data_ptr<float>();
  const bool* t = truth.const_data_ptr<bool>();
  keep.scores.insert(keep.scores.end(), s, s + score.numel());
  keep.truth.insert(keep.truth.end(), t, t + truth.numel());
}

}  // namespace

void PointerTrainer::teacher_forced(retake::Metrics& metrics) {
  double loss = 0;
  std::int64_t right = 0, steps = 0, hits = 0, claimed = 0, changes = 0, jumps = 0, near = 0;
  retake::Decisions keep;
  retake::Rng rng = setup_.context->rng("trainer/validation");
  for (const Prepared& p : val_) {
    const TensorMap batch = make_batch({Crop{&p, 0, p.frames}}, rng).to(setup_.context->device());
    const TensorMap out = setup_.model->forward(batch);
    for (const retake::LossTerm& term : losses(out, batch)) {
      loss += term.weight * term.value.item<double>() / static_cast<double>(val_.size());
    }
    add_decisions(out, batch, keep);
    if (pointer_model_ == nullptr) continue;
    const std::int64_t zero = pointer_model_->coding().max_delta;
    const at::Tensor &wanted = batch.at("delta_target"), known = batch.at("use_jump_mask");
    const at::Tensor jump = batch.at("use_jump_target") > 0.5, guess_jump = out.at("use_jump") > 0;
    const at::Tensor guess = out.at("delta").argmax(-1);
    const at::Tensor same =
        (guess_jump == jump).logical_and(jump.logical_or(guess == wanted)).logical_and(known);
    const at::Tensor changed = jump.logical_or(wanted != zero).logical_and(known);
    const at::Tensor claims = guess_jump.logical_or(guess != zero).logical_and(known);
    auto count = [](const at::Tensor& x) { return x.sum().item<std::int64_t>(); };
    right += count(same);
    steps += count(known);
    hits += count(same.logical_and(changed));
    claimed += count(claims);
    changes += count(changed);
    const at::Tensor mask = batch.at("jump_mask");
    jumps += count(mask);
    near += count(
        ((out.at("jump_bin").argmax(-1) - batch.at("jump_bin")).abs() <= 1).logical_and(mask));
  }
  metrics["val/loss"] = loss;
  if (!keep.scores.empty()) setup_.context->show({"val/keep", std::move(keep)});
  if (steps > 0) {
    metrics["val_delta_accuracy"] = static_cast<double>(right) / static_cast<double>(steps);
  }
  if (claimed + changes > 0) {
    metrics["val/step_f1"] =
        2.0 * static_cast<double>(hits) / static_cast<double>(claimed + changes);
  }
  if (jumps > 0) {
    metrics["val/jump_accuracy"] = static_cast<double>(near) / static_cast<double>(jumps);
  }
}

void PointerTrainer::free_running(retake::Metrics& metrics) {
  std::map<std::string, double> songs;  // that have the metric
  for (const Prepared& p : val_) {
    if (setup_.context->stop_requested()) break;
    const retake::Song& song = *p.song;
    retake::EditRequest request;
    request.source = {song.raw.path, song.raw.sample_rate, song.raw.channels, song.raw.samples, {}};
    request.features = song.features;
    const retake::Edl found = setup_.editor->edit(setup_.model, request, *setup_.context).edl;
    std::vector<retake::edit::MaterialRange> material;
    for (const retake::MaterialSpan& m : song.pair.material) {
      material.push_back({m.begin, m.end, m.kind});
    }
    for (const auto& [name, value] :
         retake::edit::edit_metrics(song.alignment.edl, found, song.raw.samples, material)) {
      metrics["val/" + name] += value;
      songs["val/" + name] += 1;
    }
  }
  for (auto& [name, value] : metrics) value /= songs.at(name);
}

retake::Metrics PointerTrainer::validate(const retake::StepPosition&) {
  const at::NoGradGuard no_grad;
  retake::Metrics metrics;
  if (val_.empty()) return metrics;
  if (setup_.editor != nullptr) free_running(metrics);
  teacher_forced(metrics);
  return metrics;
}

retake::Metrics PointerTrainer::progress(const retake::StepPosition& position) const {
  double mean = 0;
  for (double frames : lengths_) mean += frames / static_cast<double>(lengths_.size());
  if (pointer_model_ == nullptr && params_.crop > 0) {
    mean = std::min(mean, params_.crop * 22050.0 / 256.0);
  }
  const double items = static_cast<double>(position.step) * setup_.batch;
  return {{"audio_seconds", items * mean * 256.0 / 22050.0},
          {"epochs", items / static_cast<double>(train_.size())}};
}

}  // namespace pointer_trainer

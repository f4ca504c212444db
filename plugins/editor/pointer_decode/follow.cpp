#include <algorithm>
#include <cmath>

#include "decode.hpp"
#include "retake/nn/raw_encoder.hpp"
#include "retake/nn/torch.hpp"

namespace pointer_decode {

using retake::kTokenFrames;

namespace {

/// A choice among logits: the largest, or drawn at a temperature.
class Chooser {
 public:
  Chooser(retake::Rng* rng, double temperature) : rng_(rng), temperature_(temperature) {}

  bool yes(float logit) const {
    if (rng_ == nullptr) return logit > 0;
    return rng_->chance(1.0 / (1.0 + std::exp(-static_cast<double>(logit) / temperature_)));
  }
  std::int64_t among(const at::Tensor& logits) const {
    if (rng_ == nullptr) return logits.argmax().item<std::int64_t>();
    const at::Tensor p =
        at::softmax(logits.to(at::kCPU, at::kDouble) / temperature_, -1).contiguous();
    return static_cast<std::int64_t>(
        rng_->weighted({p.data_ptr<double>(), static_cast<std::size_t>(p.numel())}));
  }

 private:
  retake::Rng* rng_;
  double temperature_;
};

class Follower {
 public:
  Follower(retake::PointerModel& model, const retake::PointerMemory& memory, const Params& params,
           retake::Rng* rng, const retake::Context& context)
      : model_(model),
        memory_(memory),
        params_(params),
        choose_(rng, params.temperature),
        context_(context),
        state_(model.start(memory)),
        most_(
            static_cast<std::int64_t>(params.max_stretch * static_cast<double>(memory.frames()))) {}

  Runs run() {
    const std::int64_t size =
        std::max<std::int64_t>(1, params_.block / kTokenFrames) * kTokenFrames;
    while (!done_ && !context_.stop_requested()) block(size);
    if (run_begin_ >= 0 && next_ > run_begin_) runs_.emplace_back(run_begin_, next_);
    return std::move(runs_);
  }

 private:
  /// Scores a block as if it were all copies behind what its first token already has, and takes it
  /// up to the first frame that does something else.
  void block(std::int64_t size) {
    const std::int64_t fixed = static_cast<std::int64_t>(token_.size());
    std::vector<std::int64_t> running = token_;
    for (std::int64_t t = fixed; t < size; ++t) {
      running.push_back(std::min(next_ + (t - fixed), memory_.frames()));
    }
    std::shared_ptr<const retake::PointerState> scored;
    const retake::PointerScores s =
        model_.score(memory_, *state_, at::tensor(running).to(context_.device()), scored);
    const at::Tensor use_jump = s.use_jump.to(at::kCPU, at::kFloat).contiguous();
    const at::Tensor stop = s.stop.to(at::kCPU, at::kFloat).contiguous();
    const at::Tensor delta = s.delta.to(at::kCPU, at::kFloat);
    const std::int64_t zero = model_.coding().max_delta;
    std::int64_t t = fixed;
    bool changed = false;
    for (; t < size && !done_ && !changed; ++t) {
      const std::int64_t from = running[static_cast<std::size_t>(t)];
      if (from >= memory_.frames() || written_ >= most_ || may_stop(stop.data_ptr<float>()[t])) {
        done_ = true;
        break;
      }
      std::int64_t pointer = from;
      if (may_leave() && choose_.yes(use_jump.data_ptr<float>()[t])) {
        pointer = jump(s.query.narrow(0, t, 1), from);
      } else if (may_leave()) {
        pointer = std::clamp<std::int64_t>(from + choose_.among(delta[t]) - zero, 0,
                                           memory_.frames() - 1);
      }
      changed = take(pointer, from);
    }
    const std::int64_t whole = t / kTokenFrames * kTokenFrames;
    state_ = model_.advance(*state_, *scored, whole);
    token_.assign(running.begin() + whole, running.begin() + t);
  }

  bool may_leave() const { return run_begin_ < 0 || next_ - run_begin_ >= min_run(); }
  bool may_stop(float logit) const { return run_begin_ >= 0 && may_leave() && choose_.yes(logit); }
  std::int64_t min_run() const { return std::llround(params_.min_segment * 22050.0 / 256.0); }

  std::int64_t jump(const at::Tensor& query, std::int64_t from) {
    const at::Tensor at_frame = at::tensor({from}).to(context_.device());
    const std::int64_t bin = choose_.among(model_.jump_bins(memory_, query, at_frame)[0]);
    const at::Tensor at_bin = at::tensor({bin}).to(context_.device());
    const std::int64_t fine = choose_.among(model_.jump_fine(memory_, query, at_bin)[0]);
    return std::min(bin * model_.coding().bin_frames + fine, memory_.frames() - 1);
  }

  /// Copies frame `pointer` next; true when it is not the plain copy.
  bool take(std::int64_t pointer, std::int64_t from) {
    const bool changed = pointer != from;
    if (run_begin_ < 0) {
      run_begin_ = pointer;
    } else if (changed) {
      runs_.emplace_back(run_begin_, next_);
      run_begin_ = pointer;
    }
    next_ = pointer + 1;
    ++written_;
    return changed;
  }

  retake::PointerModel& model_;
  const retake::PointerMemory& memory_;
  const Params& params_;
  Chooser choose_;
  const retake::Context& context_;
  std::shared_ptr<const retake::PointerState> state_;
  std::int64_t most_;                ///< output frames
  std::vector<std::int64_t> token_;  ///< running pointers of the token under way
  std::int64_t next_ = 0;            ///< raw frame that a plain copy takes next
  std::int64_t run_begin_ = -1;
  std::int64_t written_ = 0;
  bool done_ = false;
  Runs runs_;
};

}  // namespace

Runs follow(retake::PointerModel& model, const retake::PointerMemory& memory, const Params& params,
            retake::Rng* rng, const retake::Context& context) {
  return Follower(model, memory, params, rng, context).run();
}

}  // namespace pointer_decode

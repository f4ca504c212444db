#include <algorithm>
#include <cmath>

#include "decode.hpp"
#include "retake/nn/raw_encoder.hpp"
#include "retake/nn/torch.hpp"

namespace pointer_decode {

using retake::kTokenFrames;

namespace {

constexpr std::size_t kNearby = 2;      // tokens to each side among which one leave is followed
constexpr std::int64_t kQueries = 256;  // jump targets scored at once
constexpr std::size_t kStartReach = 8;  // tokens to each side in which a start is looked for
constexpr double kMostOdds = 8.0;       // log odds beyond that say no more

/// Per raw frame, what a decoder that arrives there by copying would do.
struct Decisions {
  std::vector<float> copy;          ///< log odds of copying on against anything else
  std::vector<float> leave, stop;   ///< log probabilities
  std::vector<std::int64_t> delta;  ///< likeliest step that is not 0
  std::vector<float> small;         ///< log P(that step, no jump, no stop)
  std::vector<float> jump;          ///< log P(jump, no stop)
  at::Tensor query;                 ///< [S + 1, E]
};

void append(std::vector<float>& to, const at::Tensor& x) {
  const at::Tensor flat = x.to(at::kCPU, at::kFloat).contiguous();
  to.insert(to.end(), flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel());
}

Decisions decide(retake::PointerModel& model, const retake::PointerMemory& memory,
                 std::int64_t block, const retake::Context& context) {
  const std::int64_t frames = memory.frames(), zero = model.coding().max_delta;
  const std::int64_t size = std::max(block, 4096L) / kTokenFrames * kTokenFrames;
  Decisions d;
  std::vector<at::Tensor> queries;
  std::shared_ptr<const retake::PointerState> state = model.start(memory), scored;
  for (std::int64_t begin = 0; begin <= frames; begin += size) {
    const std::int64_t wanted = std::min(size, frames + 1 - begin);
    const std::int64_t count = (wanted + kTokenFrames - 1) / kTokenFrames * kTokenFrames;
    const at::Tensor running =
        at::arange(begin, begin + count, at::kLong).clamp_max(frames).to(context.device());
    const retake::PointerScores s = model.score(memory, *state, running, scored);
    const at::Tensor step = at::log_softmax(s.delta.to(at::kFloat), -1).narrow(0, 0, wanted);
    const at::Tensor jump = s.use_jump.to(at::kFloat).narrow(0, 0, wanted);
    const at::Tensor stop = s.stop.to(at::kFloat).narrow(0, 0, wanted);
    const at::Tensor stay = at::log_sigmoid(-stop), no_jump = stay + at::log_sigmoid(-jump);
    const at::Tensor still = step.select(1, zero);
    at::Tensor others = step.clone();
    others.select(1, zero).fill_(-1e9);
    const auto [moved, where] = others.max(1);
    const at::Tensor copying = (no_jump + still).clamp_max(-1e-6);
    append(d.copy, (copying - at::log1p(-copying.exp())).clamp(-kMostOdds, kMostOdds));
    append(d.jump, stay + at::log_sigmoid(jump));
    append(d.small, no_jump + moved);
    append(d.stop, at::log_sigmoid(stop));
    // Everything that is neither a stop nor a copy.
    append(d.leave, stay + at::log((1 - at::sigmoid(-jump) * still.exp()).clamp_min(1e-9)));
    const at::Tensor offset = (where - zero).to(at::kCPU, at::kLong).contiguous();
    d.delta.insert(d.delta.end(), offset.data_ptr<std::int64_t>(),
                   offset.data_ptr<std::int64_t>() + offset.numel());
    queries.push_back(s.query.narrow(0, 0, wanted));
    state = model.advance(*state, *scored, count);
  }
  d.query = at::cat(queries, 0);
  return d;
}

/// Where leaving or stopping is likelier than nearby, the end head's opinion included: one frame
/// per token that is the best within kNearby tokens to each side. Not a threshold: how likely
/// leaving is as a whole depends on how long the model has learnt.
std::vector<std::size_t> candidates(const Decisions& d, const std::vector<float>& end,
                                    double boundary_weight) {
  const std::size_t frames = d.leave.size(), tokens = (frames + kTokenFrames - 1) / kTokenFrames;
  std::vector<std::size_t> best(tokens);
  std::vector<double> score(tokens);
  for (std::size_t token = 0; token < tokens; ++token) {
    const std::size_t first = token * kTokenFrames, last = std::min(frames, first + kTokenFrames);
    best[token] = first;
    float stop = d.stop[first];
    for (std::size_t f = first; f < last; ++f) {
      if (d.leave[f] > d.leave[best[token]]) best[token] = f;
      stop = std::max(stop, d.stop[f]);
    }
    score[token] = static_cast<double>(std::max(stop, d.leave[best[token]])) +
                   boundary_weight * static_cast<double>(end[std::min(token, end.size() - 1)]);
  }
  std::vector<std::size_t> chosen{0};
  for (std::size_t token = 0; token < tokens; ++token) {
    const std::size_t from = token - std::min(token, kNearby),
                      to = std::min(tokens, token + kNearby + 1);
    const auto top = std::max_element(score.begin() + static_cast<std::ptrdiff_t>(from),
                                      score.begin() + static_cast<std::ptrdiff_t>(to));
    if (static_cast<std::size_t>(top - score.begin()) == token && best[token] > 0) {
      chosen.push_back(best[token]);
    }
  }
  return chosen;
}

double token_sum(const std::vector<float>& log_p, std::size_t frame) {
  const std::size_t first = frame / kTokenFrames * kTokenFrames;
  double sum = 0;
  for (std::size_t f = first; f < std::min(log_p.size(), first + kTokenFrames); ++f) {
    sum += std::exp(static_cast<double>(log_p[f]));
  }
  return std::log(std::clamp(sum, 1e-9, 1.0));
}

/// The likeliest targets of these leaves, several at a time.
void add_jumps(retake::PointerModel& model, const retake::PointerMemory& memory, const Decisions& d,
               const std::vector<std::size_t>& frames, const Params& params,
               const retake::Context& context, std::vector<Leave>& leaves) {
  const std::int64_t q = model.coding().bin_frames, last = memory.frames() - 1;
  for (std::size_t begin = 0; begin < frames.size(); begin += kQueries) {
    const std::size_t end = std::min(frames.size(), begin + kQueries);
    std::vector<std::int64_t> from(frames.begin() + static_cast<std::ptrdiff_t>(begin),
                                   frames.begin() + static_cast<std::ptrdiff_t>(end));
    const at::Tensor at_frames = at::tensor(from).to(context.device());
    const at::Tensor query = d.query.index_select(0, at_frames);
    const at::Tensor p = model.jump_bins(memory, query, at_frames).exp();  // [J, C]
    // A target between two bins is spread over both: neighbours count with the peak.
    const at::Tensor wide = at::constant_pad_nd(p, {1, 1});
    const at::Tensor pooled = p + wide.slice(1, 0, -2) + wide.slice(1, 2);
    const at::Tensor peak = (p >= wide.slice(1, 0, -2)).logical_and(p >= wide.slice(1, 2));
    const std::int64_t k = std::min(params.beam, p.size(1));
    const auto [value, bin] = pooled.masked_fill(peak.logical_not(), 0).topk(k, 1);
    const at::Tensor repeated = query.unsqueeze(1).expand({-1, k, -1}).reshape({-1, query.size(1)});
    const at::Tensor fine =
        model.jump_fine(memory, repeated, bin.flatten()).argmax(-1).view({-1, k}).to(at::kCPU);
    const at::Tensor values = value.to(at::kCPU, at::kFloat).contiguous();
    const at::Tensor target = (bin.to(at::kCPU) * q + fine).contiguous();
    for (std::size_t j = begin; j < end; ++j) {
      const double jump = token_sum(d.jump, frames[j]);
      for (std::int64_t i = 0; i < k; ++i) {
        const std::int64_t index = static_cast<std::int64_t>(j - begin) * k + i;
        const double probability = values.data_ptr<float>()[index];
        if (probability < 1e-4) continue;
        leaves[j].jumps.emplace_back(std::min(target.data_ptr<std::int64_t>()[index], last),
                                     jump + std::log(std::min(1.0, probability)));
      }
    }
  }
}

/// Beside each target the likeliest start near it: the start head is sharper in time than the
/// pointer, whose probability is spread over bins.
void add_nearby_starts(Leave& leave, const std::vector<float>& start, std::int64_t frames) {
  const std::size_t targets = leave.jumps.size();
  for (std::size_t i = 0; i < targets; ++i) {
    const auto [target, score] = leave.jumps[i];
    const auto token = std::min(static_cast<std::size_t>(target / kTokenFrames), start.size() - 1);
    const auto begin =
        start.begin() + static_cast<std::ptrdiff_t>(token - std::min(token, kStartReach));
    const auto end = start.begin() +
                     static_cast<std::ptrdiff_t>(std::min(start.size(), token + kStartReach + 1));
    const std::int64_t frame = (std::max_element(begin, end) - start.begin()) * kTokenFrames;
    if (frame > leave.frame && frame < frames && frame != target) {
      leave.jumps.emplace_back(frame, score);
    }
  }
}

std::vector<float> to_vector(const at::Tensor& x) {
  std::vector<float> v;
  append(v, x);
  return v;
}

}  // namespace

Lattice make_lattice(retake::PointerModel& model, const retake::PointerMemory& memory,
                     const Params& params, const retake::Context& context) {
  const Decisions d = decide(model, memory, params.block, context);
  const retake::TensorMap heads = model.timeline(memory);
  const std::vector<float> keep = to_vector(heads.at("keep")), start = to_vector(heads.at("start")),
                           end = to_vector(heads.at("end"));
  const std::int64_t frames = memory.frames();
  auto token_of = [&](std::int64_t frame) {
    return static_cast<std::size_t>(std::min((frame + kTokenFrames / 2) / kTokenFrames,
                                             static_cast<std::int64_t>(keep.size()) - 1));
  };
  Lattice lattice;
  lattice.frames = frames;
  lattice.copied.assign(static_cast<std::size_t>(frames + 1), 0.0);
  for (std::int64_t f = 0; f < frames; ++f) {
    const auto at_frame = static_cast<std::size_t>(f);
    // Frames of a token say nearly the same thing: together they count once. Odds, not
    // probabilities: what a path skips counts as much as what it copies, or the best path would be
    // the shortest.
    lattice.copied[at_frame + 1] =
        lattice.copied[at_frame] + (static_cast<double>(d.copy[at_frame]) +
                                    params.keep_weight * static_cast<double>(keep[token_of(f)])) /
                                       static_cast<double>(kTokenFrames);
  }
  const std::vector<std::size_t> chosen = candidates(d, end, params.boundary_weight);
  for (std::size_t frame : chosen) {
    Leave leave;
    leave.frame = static_cast<std::int64_t>(frame);
    leave.stop = token_sum(d.stop, frame);
    const std::int64_t small = leave.frame + d.delta[frame];
    if (small >= 0 && small < frames && d.delta[frame] > 0) {
      leave.jumps.emplace_back(small, token_sum(d.small, frame));
    }
    lattice.leaves.push_back(std::move(leave));
  }
  add_jumps(model, memory, d, chosen, params, context, lattice.leaves);
  for (Leave& leave : lattice.leaves) {
    add_nearby_starts(leave, start, frames);
    const double left =
        leave.frame == 0 ? 0.0
                         : params.boundary_weight * static_cast<double>(end[token_of(leave.frame)]);
    leave.stop += left;
    for (auto& [target, score] : leave.jumps) {
      score += left - params.segment_cost +
               params.boundary_weight * static_cast<double>(start[token_of(target)]);
    }
  }
  return lattice;
}

}  // namespace pointer_decode

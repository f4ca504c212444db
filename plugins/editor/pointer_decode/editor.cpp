#include "editor.hpp"

#include <algorithm>
#include <cmath>

#include "retake/error.hpp"
#include "retake/kinds/model.hpp"
#include "retake/nn/inputs.hpp"
#include "retake/nn/pointer_model.hpp"
#include "retake/nn/raw_encoder.hpp"
#include "retake/nn/tensor_map.hpp"
#include "retake/nn/torch.hpp"

namespace pointer_decode {

void Params::describe(retake::Schema<Params>& s) {
  s.field(&Params::min_segment, "min_segment", "shortest run that is copied")
      .range(0.0, 600.0)
      .unit("s")
      .synonyms({"min_segment_s"});
  s.field(&Params::beam, "beam", "jump targets followed from each place").range(1, 256);
  s.field(&Params::block, "block", "output frames scored at once").range(8, 65536).unit("frames");
  s.field(&Params::keep_weight, "keep_weight", "weight of the keep head against the pointer's")
      .range(0.0, 10.0);
  s.field(&Params::boundary_weight, "boundary_weight",
          "weight of the start and end heads against the pointer's")
      .range(0.0, 10.0);
  s.field(&Params::segment_cost, "segment_cost", "what each jump costs, in log odds")
      .range(-20.0, 100.0);
  s.field(&Params::max_backward, "max_backward", "most backward jumps (loops, reordering)")
      .range(0, 1000);
  s.field(&Params::backward_cost, "backward_cost", "what each backward jump costs, in log odds")
      .range(0.0, 100.0);
  s.field(&Params::temperature, "temperature", "of mode `sample`").range(0.01, 10.0);
  s.field(&Params::max_stretch, "max_stretch",
          "modes `greedy` and `sample` end at this many times the raw's length")
      .range(0.1, 100.0);
  s.field(&Params::join_ms, "join_ms", "length of the crossfade at each cut")
      .range(0.0, 1000.0)
      .unit("ms");
}

retake::EditResult PointerDecode::edit(retake::Model* model, const retake::EditRequest& request,
                                       const retake::Context& context) {
  auto* reader = dynamic_cast<retake::ReadsRecording*>(model);
  auto* pointer = dynamic_cast<retake::PointerModel*>(model);
  if (reader == nullptr || pointer == nullptr) {
    throw retake::ConfigError(
        retake::Diagnostic{retake::Severity::error,
                           "E161",
                           "the editor `pointer_decode` needs a model that points",
                           {},
                           {},
                           {},
                           "model.plugin = \"pointer_network\""});
  }
  const std::int64_t frames = retake::raw_frames(request.features, reader->layout());
  const at::NoGradGuard no_grad;
  std::vector<retake::TensorMap> one;
  one.push_back(retake::recording_inputs(request.features, reader->layout(), 0, frames));
  const auto memory = pointer->encode(retake::batch_inputs(one).to(context.device()));
  retake::EditResult result;
  result.edl = to_edl(decode(*pointer, *memory, request, context), request.source, frames);
  const retake::TensorMap heads = pointer->timeline(*memory);
  for (const char* name : {"keep", "start", "end"}) {
    result.curves[name] = curve(heads.at(name), frames);
  }
  return result;
}

Runs PointerDecode::decode(retake::PointerModel& model, const retake::PointerMemory& memory,
                           const retake::EditRequest& request,
                           const retake::Context& context) const {
  if (request.mode == "greedy") return follow(model, memory, params_, nullptr, context);
  if (request.mode == "sample") {
    retake::Rng rng(request.seed);
    return follow(model, memory, params_, &rng, context);
  }
  const Lattice lattice = make_lattice(model, memory, params_, context);
  const auto min_run =
      static_cast<std::int64_t>(std::max(1LL, std::llround(params_.min_segment * 22050.0 / 256.0)));
  const SearchLimits limits{min_run, params_.max_backward, params_.backward_cost, 0.0};
  if (request.target_seconds) {
    return runs_of_length(lattice, limits, std::llround(*request.target_seconds * 22050.0 / 256.0));
  }
  return best_runs(lattice, limits);
}

retake::Edl PointerDecode::to_edl(const Runs& runs, const retake::EdlSource& source,
                                  std::int64_t frames) const {
  const double rate = source.sample_rate > 0 ? source.sample_rate : 22050.0;
  const double hop = 256.0 / 22050.0 * rate;
  const std::int64_t total =
      source.samples >= 0 ? source.samples : std::llround(static_cast<double>(frames) * hop);
  auto sample = [&](std::int64_t frame) {
    return frame >= frames
               ? total
               : std::clamp<std::int64_t>(std::llround(static_cast<double>(frame) * hop), 0, total);
  };
  retake::Edl edl;
  edl.sources.push_back(source);
  for (const auto& [begin, end] : runs) {
    retake::Segment s;
    s.begin = sample(begin);
    s.end = sample(end);
    if (s.end <= s.begin) continue;
    if (!edl.segments.empty()) {
      const std::int64_t last = edl.segments.back().end;
      if (s.begin > last) s.op = retake::Op::skip;
      if (s.begin < last) s.op = retake::Op::loop_start;
    }
    edl.segments.push_back(std::move(s));
  }
  const auto join = static_cast<std::int64_t>(std::llround(params_.join_ms * 1e-3 * rate));
  for (std::size_t i = 0; i + 1 < edl.segments.size(); ++i) {
    if (edl.segments[i + 1].begin != edl.segments[i].end) edl.segments[i].join.samples = join;
  }
  retake::merge_contiguous(edl);
  return edl;
}

std::vector<float> PointerDecode::curve(const at::Tensor& logits, std::int64_t frames) {
  const at::Tensor p = at::sigmoid(logits.to(at::kCPU, at::kFloat)).contiguous();
  std::vector<float> values(static_cast<std::size_t>(frames));
  for (std::int64_t t = 0; t < frames; ++t) {
    const std::int64_t token =
        std::min((t + retake::kTokenFrames / 2) / retake::kTokenFrames, p.size(0) - 1);
    values[static_cast<std::size_t>(t)] = p.data_ptr<float>()[token];
  }
  return values;
}

}  // namespace pointer_decode

#include "editor.hpp"

#include <algorithm>
#include <cmath>

#include "retake/error.hpp"
#include "retake/kinds/model.hpp"
#include "retake/nn/inputs.hpp"
#include "retake/nn/raw_encoder.hpp"
#include "retake/nn/tensor_map.hpp"
#include "retake/nn/torch.hpp"

namespace keep_cut_decode {

namespace {

constexpr double kTokenSeconds =
    static_cast<double>(retake::kTokenFrames) * 256.0 / 22050.0;  // 92.9 ms

std::vector<float> to_vector(const at::Tensor& x) {
  const at::Tensor flat = x.to(at::kCPU, at::kFloat).contiguous().view({-1});
  return {flat.data_ptr<float>(), flat.data_ptr<float>() + flat.numel()};
}

double probability(float logit) {
  return 1.0 / (1.0 + std::exp(-static_cast<double>(logit)));
}

/// Where inside the neighbourhood of token t the boundary lies: the centre of its probability.
double refine(const std::vector<float>& logits, std::int64_t t) {
  double weight = 0, moment = 0;
  for (std::int64_t k = t - 1; k <= t + 1; ++k) {
    if (k < 0 || k >= static_cast<std::int64_t>(logits.size())) continue;
    const double p = probability(logits[static_cast<std::size_t>(k)]);
    weight += p;
    moment += p * static_cast<double>(k - t);
  }
  return static_cast<double>(t) + (weight > 1e-3 ? moment / weight : 0.0);
}

}  // namespace

void Params::describe(retake::Schema<Params>& s) {
  s.field(&Params::min_segment, "min_segment", "shortest stretch that is kept")
      .range(0.0, 600.0)
      .unit("s")
      .synonyms({"min_segment_s"});
  s.field(&Params::min_cut, "min_cut", "shortest stretch that is cut out")
      .range(0.0, 600.0)
      .unit("s");
  s.field(&Params::keep_weight, "keep_weight",
          "weight of the keep logits: neighbours say nearly the same thing")
      .range(1e-3, 10.0)
      .log_scale();
  s.field(&Params::boundary_weight, "boundary_weight", "weight of the start and end logits")
      .range(0.0, 10.0);
  s.field(&Params::segment_cost, "segment_cost", "what each kept stretch costs, in log odds")
      .range(-20.0, 100.0);
  s.field(&Params::keep_bias, "keep_bias", "added to the keep logits: above 0 keeps more")
      .range(-20.0, 20.0);
  s.field(&Params::join_ms, "join_ms", "length of the crossfade at each cut")
      .range(0.0, 1000.0)
      .unit("ms");
}

retake::EditResult KeepCutDecode::edit(retake::Model* model, const retake::EditRequest& request,
                                       const retake::Context& context) {
  auto* reader = dynamic_cast<retake::ReadsRecording*>(model);
  if (reader == nullptr) {
    throw retake::ConfigError(
        retake::Diagnostic{retake::Severity::error,
                           "E161",
                           "the editor `keep_cut_decode` needs a model that reads a raw recording",
                           {},
                           {},
                           {},
                           "model.plugin = \"keep_cut\""});
  }
  const std::int64_t frames = retake::raw_frames(request.features, reader->layout());
  const at::NoGradGuard no_grad;
  std::vector<retake::TensorMap> one;
  one.push_back(retake::recording_inputs(request.features, reader->layout(), 0, frames));
  const retake::TensorMap out = model->forward(retake::batch_inputs(one).to(context.device()));
  const std::vector<float> keep = to_vector(out.at("keep")), start = to_vector(out.at("start")),
                           end = to_vector(out.at("end"));
  const Ranges ranges = decode(keep, start, end, request.target_seconds);

  retake::EditResult result;
  result.edl = to_edl(ranges, start, end, request.source, frames);
  result.curves["keep"] = curve(keep, frames);
  result.curves["start"] = curve(start, frames);
  result.curves["end"] = curve(end, frames);
  return result;
}

Ranges KeepCutDecode::decode(const std::vector<float>& keep, const std::vector<float>& start,
                             const std::vector<float>& end,
                             std::optional<double> target_seconds) const {
  Scores s{keep, start, end};
  const auto kw = static_cast<float>(params_.keep_weight);
  const auto bw = static_cast<float>(params_.boundary_weight);
  const auto half_cost = static_cast<float>(params_.segment_cost / 2);
  for (float& v : s.keep) v = kw * (v + static_cast<float>(params_.keep_bias));
  for (float& v : s.start) v = bw * v - half_cost;
  for (float& v : s.end) v = bw * v - half_cost;
  auto tokens = [](double seconds) {
    return std::max<std::int64_t>(1, std::llround(seconds / kTokenSeconds));
  };
  const Limits limits{tokens(params_.min_segment), tokens(params_.min_cut)};
  if (target_seconds) {
    Ranges ranges = ranges_of_length(s, limits, tokens(*target_seconds));
    if (!ranges.empty()) return ranges;
  }
  return some_ranges(s, limits, 0.0);
}

retake::Edl KeepCutDecode::to_edl(const Ranges& ranges, const std::vector<float>& start,
                                  const std::vector<float>& end, const retake::EdlSource& source,
                                  std::int64_t frames) const {
  const double rate = source.sample_rate > 0 ? source.sample_rate : 22050.0;
  const auto tokens = static_cast<std::int64_t>(start.size());
  const std::int64_t total =
      source.samples >= 0 ? source.samples
                          : std::llround(static_cast<double>(frames) * 256.0 / 22050.0 * rate);
  auto sample = [&](double token) {
    return std::clamp<std::int64_t>(std::llround(token * kTokenSeconds * rate), 0, total);
  };
  retake::Edl edl;
  edl.sources.push_back(source);
  for (const auto& [first, last] : ranges) {
    retake::Segment s;
    s.begin = first == 0 ? 0 : sample(refine(start, first));
    s.end = last >= tokens ? total : sample(refine(end, last));
    if (!edl.segments.empty()) s.begin = std::max(s.begin, edl.segments.back().end);
    if (s.end <= s.begin) continue;
    if (!edl.segments.empty()) s.op = retake::Op::skip;
    edl.segments.push_back(std::move(s));
  }
  const auto join = static_cast<std::int64_t>(std::llround(params_.join_ms * 1e-3 * rate));
  for (std::size_t i = 0; i + 1 < edl.segments.size(); ++i) edl.segments[i].join.samples = join;
  return edl;
}

std::vector<float> KeepCutDecode::curve(const std::vector<float>& logits, std::int64_t frames) {
  std::vector<float> values(static_cast<std::size_t>(frames));
  for (std::size_t t = 0; t < values.size(); ++t) {
    const std::size_t token =
        std::min((t + retake::kTokenFrames / 2) / retake::kTokenFrames, logits.size() - 1);
    values[t] = static_cast<float>(probability(logits[token]));
  }
  return values;
}

}  // namespace keep_cut_decode

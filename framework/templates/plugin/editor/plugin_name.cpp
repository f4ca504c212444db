// Keeps what the model finds likely enough: every stretch whose tokens are kept with more than
// `threshold`, unless it is shorter than `min_segment`. The simplest reading of a keep/cut model,
// and the baseline for cleverer ones.

#include <algorithm>
#include <cmath>

#include "retake/error.hpp"
#include "retake/kinds/editor.hpp"
#include "retake/kinds/model.hpp"
#include "retake/nn/inputs.hpp"
#include "retake/nn/raw_encoder.hpp"
#include "retake/nn/tensor_map.hpp"
#include "retake/nn/torch.hpp"
#include "retake/plugin.hpp"

namespace {

constexpr double kTokenSeconds = static_cast<double>(retake::kTokenFrames) * 256.0 / 22050.0;

class PluginName final : public retake::Editor {
 public:
  // A parameter is declared once: its default here, its range, unit and text below. `Param` lets
  // the host tell who sets one that nobody reads.
  struct Params {
    retake::Param<double> threshold = 0.5;
    retake::Param<double> min_segment = 1.0;

    static void describe(retake::Schema<Params>& s) {
      s.field(&Params::threshold, "threshold", "probability above which a token is kept")
          .range(0.0, 1.0);
      s.field(&Params::min_segment, "min_segment", "shortest stretch that is kept")
          .range(0.0, 600.0)
          .unit("s");
    }
  };

  explicit PluginName(const Params& params) : params_(params) {}

  // The wanted length of the request is not met: choose the threshold for that.
  retake::EditResult edit(retake::Model* model, const retake::EditRequest& request,
                          const retake::Context& context) override {
    auto* reader = dynamic_cast<retake::ReadsRecording*>(model);
    if (reader == nullptr) {
      retake::Diagnostic d;
      d.id = "X101";  // an id of its own: E... are the host's
      d.message = "the editor `plugin_name` needs a model that reads a raw recording";
      d.help = "model.plugin = \"keep_cut\"";
      throw retake::ConfigError(std::move(d));
    }
    const at::NoGradGuard no_grad;
    const std::int64_t frames = retake::raw_frames(request.features, reader->layout());
    const std::vector<retake::TensorMap> one = {
        retake::recording_inputs(request.features, reader->layout(), 0, frames)};
    const retake::TensorMap out = model->forward(retake::batch_inputs(one).to(context.device()));
    const at::Tensor keep_N =
        out.at("keep").sigmoid().to(at::kCPU, at::kFloat).contiguous().view({-1});

    // A source may leave these to the features.
    retake::EdlSource source = request.source;
    if (source.sample_rate <= 0) source.sample_rate = 22050.0;
    if (source.samples < 0) {
      const double seconds = static_cast<double>(frames) * 256.0 / 22050.0;
      source.samples = std::llround(seconds * source.sample_rate);
    }

    retake::EditResult result;
    result.edl =
        to_edl({keep_N.data_ptr<float>(), static_cast<std::size_t>(keep_N.numel())}, source);
    std::vector<float>& curve = result.curves["keep"];  // one value per raw frame
    for (std::int64_t t = 0; t < frames; ++t) {
      const std::int64_t token =
          std::min((t + retake::kTokenFrames / 2) / retake::kTokenFrames, keep_N.numel() - 1);
      curve.push_back(keep_N.data_ptr<float>()[token]);
    }
    return result;
  }

 private:
  retake::Edl to_edl(std::span<const float> keep, const retake::EdlSource& source) const {
    retake::Edl edl;
    edl.sources.push_back(source);
    for (std::size_t begin = 0; begin < keep.size();) {
      std::size_t end = begin;
      while (end < keep.size() && keep[end] > params_.threshold) ++end;
      if (static_cast<double>(end - begin) * kTokenSeconds >= params_.min_segment && end > begin) {
        add(edl, begin, end, end == keep.size());
      }
      begin = end + 1;
    }
    // An edit is never empty: nothing likely enough leaves the recording as it is.
    return edl.segments.empty() ? retake::identity_edl(source) : edl;
  }

  static void add(retake::Edl& edl, std::size_t begin, std::size_t end, bool last) {
    const retake::EdlSource& source = edl.sources.front();
    const auto sample = [&](std::size_t token) {  // token n is centred on n tokens
      const double at = std::max(0.0, static_cast<double>(token) - 0.5) * kTokenSeconds;
      return std::min<std::int64_t>(source.samples, std::llround(at * source.sample_rate));
    };
    retake::Segment s;
    s.begin = sample(begin);
    s.end = last ? source.samples : sample(end);
    if (s.end <= s.begin) return;
    if (!edl.segments.empty()) {
      s.op = retake::Op::skip;
      edl.segments.back().join.samples = std::llround(0.01 * source.sample_rate);
    }
    edl.segments.push_back(std::move(s));
  }

  Params params_;
};

}  // namespace

RETAKE_PLUGIN("plugin_name", "0.1.0", registrar) {
  registrar.add<PluginName>("plugin_name", "Keeps every stretch above a probability.");
}

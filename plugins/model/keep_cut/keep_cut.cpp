#include "keep_cut.hpp"

#include "retake/data/pair_set.hpp"

namespace keep_cut {

namespace nn = torch::nn;

void Params::describe(retake::Schema<Params>& s) {
  s.field(&Params::frames, "frames", "feature blocks on the standard grid, as table.block");
  s.field(&Params::slow, "slow", "feature blocks on coarser grids, as table.block; may be empty");
  s.field(&Params::width, "width", "channels of the encoder")
      .range(8, 1024)
      .unit("channels")
      .multiple_of(&Params::heads)
      .synonyms({"d_model"});
  s.field(&Params::heads, "heads", "heads of the linear attention").range(1, 32);
  s.field(&Params::hidden, "hidden", "channels of the feed-forward layers")
      .range(8, 4096)
      .unit("channels")
      .synonyms({"dim_feedforward"});
  s.field(&Params::dilated_layers, "dilated_layers",
          "convolutions with dilations 1, 2, 4, ... at 0.37 s; 8 see 95 s to each side")
      .range(0, 12);
  s.field(&Params::context_layers, "context_layers", "linear-attention layers at 0.37 s")
      .range(0, 12);
  s.field(&Params::dropout, "dropout", "share of activations dropped in training").range(0.0, 0.9);
}

class Network : public nn::Module {
 public:
  explicit Network(const retake::RawEncoderOptions& options) {
    encoder_ = register_module("encoder", retake::RawEncoder(options));
    keep_ = register_module("keep", nn::Linear(options.width, 1));
    start_ = register_module("start", nn::Linear(options.width, 1));
    end_ = register_module("end", nn::Linear(options.width, 1));
    const auto kinds = static_cast<std::int64_t>(retake::material_kinds().size());
    kind_ = register_module("kind", nn::Linear(options.width, kinds));
  }

  retake::TensorMap forward(const retake::TensorMap& inputs) {
    const at::Tensor* slow = inputs.find("slow");
    const retake::EncodedRaw raw = encoder_(
        inputs.at("frames"), slow != nullptr ? *slow : at::Tensor(), inputs.at("frame_mask"));
    retake::TensorMap out;
    out.set("keep", keep_(raw.tokens).squeeze(-1));
    out.set("start", start_(raw.tokens).squeeze(-1));
    out.set("end", end_(raw.tokens).squeeze(-1));
    out.set("kind", kind_(raw.tokens));
    out.set("token_mask", raw.mask);
    return out;
  }

 private:
  retake::RawEncoder encoder_{nullptr};
  nn::Linear keep_{nullptr}, start_{nullptr}, end_{nullptr}, kind_{nullptr};
};

KeepCut::KeepCut(const Params& params) : params_(params), layout_{params.frames, params.slow} {}
KeepCut::~KeepCut() = default;

std::vector<std::string> KeepCut::wanted_features() const {
  std::vector<std::string> all = layout_.frames;
  all.insert(all.end(), layout_.slow.begin(), layout_.slow.end());
  return all;
}

void KeepCut::build(const retake::ModelInputs& inputs) {
  retake::RawEncoderOptions o;
  o.frame_width = retake::total_width(inputs, layout_.frames);
  o.slow_width = retake::total_width(inputs, layout_.slow);
  o.width = params_.width;
  o.heads = params_.heads;
  o.hidden = params_.hidden;
  o.dilated_layers = params_.dilated_layers;
  o.context_layers = params_.context_layers;
  o.dropout = params_.dropout;
  network_ = std::make_shared<Network>(o);
}

nn::Module& KeepCut::module() {
  return *network_;
}

retake::TensorMap KeepCut::forward(const retake::TensorMap& inputs) {
  return network_->forward(inputs);
}

retake::Traits KeepCut::traits() {
  retake::Traits t;
  t.inputs = {{"frames", "f32", "B, S, F", "feature blocks on the standard grid"},
              {"slow", "f32", "B, ceil(S/16), C", "feature blocks on coarser grids", true},
              {"frame_mask", "bool", "B, S", "true where there is a recording"}};
  t.outputs = {{"keep", "f32", "B, ceil(S/8)", "logit: this token is kept"},
               {"start", "f32", "B, ceil(S/8)", "logit: the edit enters the raw here"},
               {"end", "f32", "B, ceil(S/8)", "logit: the edit leaves the raw here"},
               {"kind", "f32", "B, ceil(S/8), K", "logits of the kind of material"},
               {"token_mask", "bool", "B, ceil(S/8)", "true where there is a recording"}};
  return t;
}

}  // namespace keep_cut

#pragma once
// Which stretches of a raw recording an edit keeps, decided on the raw's own timeline.

#include <memory>

#include "retake/kinds/model.hpp"
#include "retake/nn/inputs.hpp"
#include "retake/nn/raw_encoder.hpp"

namespace keep_cut {

struct Params {
  std::vector<std::string> frames = {"mel.mel"};
  std::vector<std::string> slow = {"similarity.later", "similarity.later_lag", "similarity.earlier",
                                   "similarity.earlier_lag"};
  retake::Param<std::int64_t> width = 128;
  retake::Param<std::int64_t> heads = 4;
  retake::Param<std::int64_t> hidden = 256;
  retake::Param<std::int64_t> dilated_layers = 8;
  retake::Param<std::int64_t> context_layers = 1;
  retake::Param<double> dropout = 0.1;

  static void describe(retake::Schema<Params>& s);
};

class Network;

class KeepCut final : public retake::Model, public retake::ReadsRecording {
 public:
  using Params = keep_cut::Params;
  explicit KeepCut(const Params& params);
  ~KeepCut() override;

  const retake::InputLayout& layout() const override { return layout_; }
  std::vector<std::string> wanted_features() const override;
  void build(const retake::ModelInputs& inputs) override;
  torch::nn::Module& module() override;
  retake::TensorMap forward(const retake::TensorMap& inputs) override;
  static retake::Traits traits();

 private:
  Params params_;
  retake::InputLayout layout_;
  std::shared_ptr<Network> network_;
};

}  // namespace keep_cut

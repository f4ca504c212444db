#pragma once
// The model plugin: parameters, named tensors in and out, the stateful interface of editors.

#include <memory>

#include "network.hpp"
#include "retake/kinds/model.hpp"
#include "retake/nn/inputs.hpp"
#include "retake/nn/pointer_model.hpp"

namespace pointer_network {

struct Params {
  std::vector<std::string> frames = {"mel.mel"};
  std::vector<std::string> slow = {"similarity.later", "similarity.later_lag", "similarity.earlier",
                                   "similarity.earlier_lag"};
  retake::Param<std::int64_t> d_model = 128;
  retake::Param<std::int64_t> n_heads = 4;
  retake::Param<std::int64_t> dim_feedforward = 512;
  retake::Param<std::int64_t> encoder_layers = 3;
  retake::Param<std::int64_t> context_layers = 1;
  retake::Param<std::int64_t> dilated_layers = 8;
  retake::Param<std::int64_t> decoder_layers = 3;
  retake::Param<std::int64_t> decoder_window = 64;
  retake::Param<std::int64_t> attn_window_size = 512;
  retake::Param<std::int64_t> n_global_tokens = 64;
  retake::Param<std::int64_t> max_delta = 64;
  retake::Param<std::int64_t> bin_frames = 16;
  retake::Param<std::int64_t> pointing_width = 64;
  retake::Param<double> history_dropout = 0.3;
  retake::Param<double> dropout = 0.1;

  static void describe(retake::Schema<Params>& s);
  static void check(const Params& p, retake::Problems& problems);
};

class PointerNetwork final : public retake::Model,
                             public retake::ReadsRecording,
                             public retake::PointerModel {
 public:
  using Params = pointer_network::Params;
  explicit PointerNetwork(const Params& params);
  ~PointerNetwork() override;

  const retake::InputLayout& layout() const override { return layout_; }
  std::vector<std::string> wanted_features() const override;
  void build(const retake::ModelInputs& inputs) override;
  torch::nn::Module& module() override { return *network_; }
  retake::TensorMap forward(const retake::TensorMap& inputs) override;
  static retake::Traits traits();

  retake::PointerCoding coding() const override { return {params_.max_delta, params_.bin_frames}; }
  std::shared_ptr<const retake::PointerMemory> encode(const retake::TensorMap& inputs) override;
  retake::TensorMap timeline(const retake::PointerMemory& memory) override;
  std::shared_ptr<const retake::PointerState> start(const retake::PointerMemory& memory) override;
  retake::PointerScores score(const retake::PointerMemory& memory,
                              const retake::PointerState& before, const at::Tensor& running,
                              std::shared_ptr<const retake::PointerState>& block) override;
  std::shared_ptr<const retake::PointerState> advance(const retake::PointerState& before,
                                                      const retake::PointerState& block,
                                                      std::int64_t frames) override;
  at::Tensor jump_bins(const retake::PointerMemory& memory, const at::Tensor& queries,
                       const at::Tensor& from) override;
  at::Tensor jump_fine(const retake::PointerMemory& memory, const at::Tensor& queries,
                       const at::Tensor& bins) override;

 private:
  Memory encode_batch(const retake::TensorMap& inputs);
  void raw_heads(const Memory& memory, retake::TensorMap& out);
  at::Tensor visible_history(std::int64_t rows, std::int64_t tokens, const at::Tensor& like) const;

  Params params_;
  retake::InputLayout layout_;
  Network network_{nullptr};
};

}  // namespace pointer_network

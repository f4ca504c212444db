#pragma once
// Editor: keep, start and end logits on the raw timeline to an EDL.

#include "decode.hpp"
#include "retake/kinds/editor.hpp"

namespace keep_cut_decode {

struct Params {
  double min_segment = 1.0;
  double min_cut = 0.5;
  double keep_weight = 0.3;
  double boundary_weight = 1.0;
  double segment_cost = 2.0;
  double keep_bias = 0.0;
  double join_ms = 10.0;

  static void describe(retake::Schema<Params>& s);
};

class KeepCutDecode final : public retake::Editor {
 public:
  using Params = keep_cut_decode::Params;
  explicit KeepCutDecode(const Params& params) : params_(params) {}

  retake::EditResult edit(retake::Model* model, const retake::EditRequest& request,
                          const retake::Context& context) override;

 private:
  Ranges decode(const std::vector<float>& keep, const std::vector<float>& start,
                const std::vector<float>& end, std::optional<double> target_seconds) const;
  retake::Edl to_edl(const Ranges& ranges, const std::vector<float>& start,
                     const std::vector<float>& end, const retake::EdlSource& source,
                     std::int64_t frames) const;
  static std::vector<float> curve(const std::vector<float>& logits, std::int64_t frames);

  Params params_;
};

}  // namespace keep_cut_decode

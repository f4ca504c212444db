#pragma once
// Editor: a pointer model to an EDL.

#include "decode.hpp"
#include "retake/kinds/editor.hpp"

namespace pointer_decode {

class PointerDecode final : public retake::Editor {
 public:
  using Params = pointer_decode::Params;
  explicit PointerDecode(const Params& params) : params_(params) {}

  retake::EditResult edit(retake::Model* model, const retake::EditRequest& request,
                          const retake::Context& context) override;

 private:
  Runs decode(retake::PointerModel& model, const retake::PointerMemory& memory,
              const retake::EditRequest& request, const retake::Context& context) const;
  retake::Edl to_edl(const Runs& runs, const retake::EdlSource& source, std::int64_t frames) const;
  static std::vector<float> curve(const at::Tensor& logits, std::int64_t frames);

  Params params_;
};

}  // namespace pointer_decode

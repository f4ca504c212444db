#pragma once
// The trainer of the editing models `keep_cut` and `pointer_network`.

#include <vector>

#include "retake/kinds/editor.hpp"
#include "retake/kinds/trainer.hpp"
#include "retake/nn/inputs.hpp"
#include "retake/nn/pointer_model.hpp"
#include "retake/nn/step.hpp"
#include "timeline.hpp"
#include "windows.hpp"

namespace pointer_trainer {

struct Params {
  retake::Param<double> crop = 240.0;
  retake::Param<std::int64_t> windows = 8;
  retake::Param<std::int64_t> window_frames = 1024;
  retake::Param<std::int64_t> jumps = 512;
  retake::Param<double> recovery = 0.5;
  retake::Param<double> noise = 0.3;
  retake::Param<std::int64_t> noise_frames = 16;
  retake::Param<double> min_confidence = 0.5;
  retake::Param<std::int64_t> val_songs = 0;

  static void describe(retake::Schema<Params>& s);
  static void check(const Params& p, retake::Problems& problems);
};

class PointerTrainer final : public retake::Trainer {
 public:
  using Params = pointer_trainer::Params;
  explicit PointerTrainer(const Params& params) : params_(params) {}

  void set_up(const retake::TrainerSetup& setup) override;
  retake::TensorMap next_batch(const retake::StepPosition& position) override;
  retake::StepResult step(const retake::StepPosition& position,
                          const retake::TensorMap& batch) override;
  retake::Metrics validate(const retake::StepPosition& position) override;
  retake::Metrics progress(const retake::StepPosition& position) const override;
  static retake::Traits traits();

 private:
  /// A song with everything that does not change between steps.
  struct Prepared {
    const retake::Song* song = nullptr;
    std::int64_t frames = 0;
    Timeline timeline;
    Path path;
  };
  struct Crop {
    const Prepared* song = nullptr;
    std::int64_t begin = 0, count = 0;
  };

  std::vector<Prepared> prepare(const std::vector<const retake::Song*>& songs) const;
  WindowOptions window_options() const;
  Crop draw_crop(retake::Rng& rng) const;
  /// Inputs and targets of these crops; windows are drawn from `rng` for pointer models.
  retake::TensorMap make_batch(const std::vector<Crop>& crops, retake::Rng& rng) const;
  std::vector<retake::LossTerm> losses(const retake::TensorMap& outputs,
                                       const retake::TensorMap& batch) const;
  void free_running(retake::Metrics& metrics);
  void teacher_forced(retake::Metrics& metrics);

  Params params_;
  retake::TrainerSetup setup_;
  const retake::ReadsRecording* reader_ = nullptr;
  retake::PointerModel* pointer_model_ = nullptr;  ///< null for models of the raw timeline only
  std::vector<Prepared> train_, val_;
  std::vector<double> lengths_;  ///< of the training songs, in frames
};

}  // namespace pointer_trainer

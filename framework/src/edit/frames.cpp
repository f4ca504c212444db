#include "edit/frames.hpp"

#include <cmath>

#include "retake/error.hpp"

namespace retake::edit {

Wide floor_div(Wide a, Wide b) {
  const Wide q = a / b;
  return (a % b != 0 && a < 0) ? q - 1 : q;
}

FrameMath::FrameMath(const TimeGrid& grid, double sample_rate)
    : grid_hop_(grid.hop),
      rate_(grid.rate),
      sample_rate_(static_cast<std::int64_t>(sample_rate)),
      numerator_(Wide{grid.hop} * static_cast<std::int64_t>(sample_rate)) {
  const auto refuse = [](const std::string& why) {
    Diagnostic d;
    d.id = "E424";
    d.message = why;
    d.help = "use a uniform grid of the recording, as retake::frame_grid makes it";
    throw DataError(std::move(d));
  };
  if (grid.hop <= 0 || grid.rate <= 0) refuse("views of an EDL need a uniform frame grid");
  if (sample_rate < 1.0 || sample_rate != std::floor(sample_rate)) {
    refuse("a sample rate must be a positive whole number of Hz, got " +
           std::to_string(sample_rate));
  }
  if (numerator_ < 2 * rate_) refuse("the frames are closer than two samples of the recording");
}

std::int64_t FrameMath::first_at_or_after(std::int64_t sample) const {
  return static_cast<std::int64_t>(-floor_div(-Wide{sample} * rate_, numerator_));
}

std::int64_t FrameMath::centre_floor(std::int64_t t) const {
  return static_cast<std::int64_t>(floor_div(t * numerator_, rate_));
}

std::int64_t FrameMath::to_frames(std::int64_t samples) const {
  return static_cast<std::int64_t>(
      floor_div(2 * Wide{samples} * rate_ + numerator_, 2 * numerator_));
}

std::int64_t FrameMath::rows(std::int64_t samples) const {
  return frame_grid(samples, static_cast<double>(sample_rate_), grid_hop_, rate_).rows;
}

double edl_rate(const Edl& edl) {
  for (const EdlSource& source : edl.sources) {
    if (source.sample_rate > 0.0) return source.sample_rate;
  }
  throw DataError(file_diagnostic("E420", edl.sources.empty() ? "" : edl.sources.front().path,
                                  "the EDL does not state the sample rate of its source",
                                  "state sources[0].sample_rate in the EDL"));
}

}  // namespace retake::edit

#include "retake/edit/pointer_coding.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <stdexcept>
#include <string>

namespace retake {
namespace {

void check(const PointerCoding& coding) {
  if (coding.max_delta < 0 || coding.bin_frames < 1) {
    throw std::invalid_argument("a pointer coding needs max_delta >= 0 and bin_frames >= 1");
  }
}

}  // namespace

PointerStep encode_step(std::int64_t previous, std::int64_t pointer, bool after_gap,
                        const PointerCoding& coding) {
  PointerStep step;
  const std::int64_t distance = pointer - previous - 1;
  step.jump = after_gap || std::abs(distance) > coding.max_delta;
  if (step.jump) {
    step.bin = pointer / coding.bin_frames;
    step.fine = pointer % coding.bin_frames;
  } else {
    step.delta = distance + coding.max_delta;
  }
  return step;
}

std::int64_t decode_step(std::int64_t previous, const PointerStep& step,
                         const PointerCoding& coding) {
  if (step.jump) return step.bin * coding.bin_frames + step.fine;
  return previous + 1 + step.delta - coding.max_delta;
}

PointerTargets encode_pointers(std::span<const std::int64_t> pointers,
                               const PointerCoding& coding) {
  check(coding);
  const std::size_t frames = pointers.size();
  PointerTargets targets;
  for (auto* list : {&targets.delta, &targets.use_jump, &targets.bin, &targets.fine}) {
    list->assign(frames + 1, kIgnoreClass);
  }
  targets.stop.assign(frames + 1, 0);
  targets.stop[frames] = 1;
  std::int64_t previous = -1;
  bool after_gap = false;
  for (std::size_t t = 0; t < frames; ++t) {
    if (pointers[t] < -1) {
      throw std::invalid_argument("frame " + std::to_string(t) + " points at " +
                                  std::to_string(pointers[t]));
    }
    if (pointers[t] == -1) {
      after_gap = true;
      continue;
    }
    const PointerStep step = encode_step(previous, pointers[t], after_gap, coding);
    targets.use_jump[t] = step.jump ? 1 : 0;
    if (step.jump) {
      targets.bin[t] = step.bin;
      targets.fine[t] = step.fine;
    } else {
      targets.delta[t] = step.delta;
    }
    previous = pointers[t];
    after_gap = false;
  }
  return targets;
}

std::vector<std::int64_t> decode_pointers(const PointerTargets& targets,
                                          const PointerCoding& coding) {
  check(coding);
  const std::size_t size = targets.stop.size();
  for (const auto* list : {&targets.delta, &targets.use_jump, &targets.bin, &targets.fine}) {
    if (list->size() != size) {
      throw std::invalid_argument("pointer targets of different lengths");
    }
  }
  std::vector<std::int64_t> pointers;
  pointers.reserve(size);
  std::int64_t previous = -1;
  for (std::size_t t = 0; t < size && targets.stop[t] != 1; ++t) {
    if (targets.use_jump[t] == kIgnoreClass) {
      pointers.push_back(-1);
      continue;
    }
    const PointerStep step{targets.use_jump[t] == 1, targets.delta[t], targets.bin[t],
                           targets.fine[t]};
    previous = decode_step(previous, step, coding);
    pointers.push_back(previous);
  }
  return pointers;
}

double ExpectedPositionCoding::offset(std::int64_t t, std::int64_t pointer) const {
  return static_cast<double>(pointer) - static_cast<double>(t) / ratio;
}

std::int64_t ExpectedPositionCoding::bucket_of(double offset) const {
  // Below max_delta - 1 the prototype took the logarithm of a negative number; such offsets are
  // deltas and no loss counted their bucket. They are bucket 0 here.
  const double inside = std::max(1.0, 1.0 + std::abs(offset) - static_cast<double>(max_delta));
  const double level = std::clamp(std::log(inside), 0.0, 10.0);
  const auto bucket = static_cast<std::int64_t>(std::floor(level / 10.0 * 15.0));
  return offset >= 0.0 ? 16 + bucket : 15 - bucket;
}

double ExpectedPositionCoding::bucket_offset(std::int64_t bucket) const {
  const bool positive = bucket >= 16;
  const std::int64_t b = positive ? bucket - 16 : 15 - bucket;
  const double size =
      std::exp(10.0 * static_cast<double>(b) / 15.0) - 1.0 + static_cast<double>(max_delta);
  return positive ? size : -size;
}

ExpectedPositionCoding::Target ExpectedPositionCoding::encode(std::int64_t t,
                                                              std::int64_t pointer) const {
  Target target;
  const double off = offset(t, pointer);
  target.jump = std::abs(off) > static_cast<double>(max_delta);
  // nearbyint rounds halves to even, as the prototype did.
  target.delta = std::clamp<std::int64_t>(
      static_cast<std::int64_t>(std::nearbyint(off)) + max_delta, 0, 2 * max_delta);
  target.bucket = bucket_of(off);
  return target;
}

std::int64_t ExpectedPositionCoding::decode(std::int64_t t, const Target& target,
                                            std::int64_t raw_rows) const {
  const double off =
      target.jump ? bucket_offset(target.bucket) : static_cast<double>(target.delta - max_delta);
  const double position = std::nearbyint(static_cast<double>(t) / ratio + off);
  return std::clamp<std::int64_t>(static_cast<std::int64_t>(position), 0, raw_rows - 1);
}

}  // namespace retake

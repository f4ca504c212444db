#include "audio/padded_stream.hpp"

#include <algorithm>

namespace retake::audio {

PaddedStream::PaddedStream(AudioSource& source, double sample_rate, std::int64_t pad, PadMode mode,
                           float gain)
    : stream_(source, sample_rate),
      pad_(pad),
      mode_(mode),
      gain_(gain),
      total_(stream_.total()),
      next_(-pad) {
  if (mode_ == PadMode::constant) return;
  head_.resize(static_cast<std::size_t>(std::min(total_, pad_ + 1)));
  stream_.pull(head_.data(), static_cast<std::int64_t>(head_.size()));
  tail_ = head_;
}

/// A sample before the start or behind the end, mirrored at both ends as often as it takes. Within
/// the padding the mirrored sample lies among the first or the last pad + 1.
float PaddedStream::outside(std::int64_t index) const {
  if (mode_ == PadMode::constant || index < -pad_ || index >= total_ + pad_) return 0.0F;
  if (total_ == 1) return head_.front();
  const std::int64_t period = 2 * (total_ - 1);
  std::int64_t folded = ((index % period) + period) % period;
  folded = std::min(folded, period - folded);
  if (folded < static_cast<std::int64_t>(head_.size())) {
    return head_[static_cast<std::size_t>(folded)];
  }
  const std::int64_t first = total_ - static_cast<std::int64_t>(tail_.size());
  return tail_[static_cast<std::size_t>(folded - first)];
}

void PaddedStream::pull_inside(float* out, std::int64_t n) {
  if (mode_ == PadMode::constant) {
    stream_.pull(out, n);
    return;
  }
  const auto head = static_cast<std::int64_t>(head_.size());
  const std::int64_t from_head = std::clamp<std::int64_t>(head - next_, 0, n);
  std::copy_n(head_.data() + (from_head > 0 ? next_ : 0), from_head, out);
  const std::int64_t pulled = n - from_head;
  stream_.pull(out + from_head, pulled);
  const std::int64_t kept = std::min<std::int64_t>(pulled, pad_ + 1);
  tail_.insert(tail_.end(), out + n - kept, out + n);
  if (const auto size = static_cast<std::int64_t>(tail_.size()); size > pad_ + 1) {
    tail_.erase(tail_.begin(), tail_.begin() + (size - pad_ - 1));
  }
}

void PaddedStream::pull(float* out, std::int64_t n) {
  std::int64_t done = 0;
  for (; done < n && next_ < 0; ++done, ++next_) out[done] = outside(next_);
  if (const std::int64_t inside = std::clamp<std::int64_t>(total_ - next_, 0, n - done);
      inside > 0) {
    pull_inside(out + done, inside);
    done += inside;
    next_ += inside;
  }
  for (; done < n; ++done, ++next_) out[done] = outside(next_);
  if (gain_ == 1.0F) return;
  for (std::int64_t i = 0; i < n; ++i) out[i] *= gain_;
}

}  // namespace retake::audio

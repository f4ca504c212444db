#include <soxr.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "audio/sound_file.hpp"
#include "retake/audio/source.hpp"
#include "retake/audio/time_grid.hpp"

namespace retake {
namespace {

constexpr std::int64_t kChunk = 1 << 14;

}  // namespace

struct MonoStream::Impl {
  AudioSource& source;
  double from = 0.0;
  double to = 0.0;
  std::int64_t total = 0;
  std::int64_t given = 0;  // output samples handed out
  std::int64_t taken = 0;  // source samples read
  soxr_t resampler = nullptr;
  std::vector<float> chunk;
  std::size_t chunk_at = 0;
  std::size_t chunk_end = 0;

  explicit Impl(AudioSource& s) : source(s) {}
  Impl(const Impl&) = delete;
  Impl& operator=(const Impl&) = delete;
  ~Impl() { soxr_delete(resampler); }

  void fail(soxr_error_t error) const {
    throw audio::audio_error("E419", source.info().path,
                             std::string("the recording cannot be resampled: ") + error,
                             "check its sample rate");
  }

  std::int64_t resample(float* out, std::int64_t n) {
    std::int64_t done = 0;
    while (done < n) {
      if (chunk_at == chunk_end && taken < source.info().samples) {
        const std::int64_t count = std::min(kChunk, source.info().samples - taken);
        source.read_mono(taken, count, chunk.data());
        taken += count;
        chunk_at = 0;
        chunk_end = static_cast<std::size_t>(count);
      }
      const bool ended = chunk_at == chunk_end;
      std::size_t used = 0;
      std::size_t made = 0;
      const soxr_error_t error =
          soxr_process(resampler, ended ? nullptr : chunk.data() + chunk_at, chunk_end - chunk_at,
                       &used, out + done, static_cast<std::size_t>(n - done), &made);
      if (error != nullptr) fail(error);
      chunk_at += used;
      done += static_cast<std::int64_t>(made);
      if (ended && made == 0) break;
    }
    return done;
  }
};

MonoStream::MonoStream(AudioSource& source, double sample_rate)
    : impl_(std::make_unique<Impl>(source)) {
  impl_->from = source.info().sample_rate;
  impl_->to = sample_rate;
  impl_->total = resampled_length(source.info().samples, impl_->from, sample_rate);
  if (impl_->from != sample_rate) {
    soxr_error_t error = nullptr;
    const soxr_io_spec_t io = soxr_io_spec(SOXR_FLOAT32_I, SOXR_FLOAT32_I);
    const soxr_quality_spec_t quality = soxr_quality_spec(SOXR_HQ, 0);
    const soxr_runtime_spec_t runtime = soxr_runtime_spec(1);
    impl_->resampler = soxr_create(impl_->from, sample_rate, 1, &error, &io, &quality, &runtime);
    if (error != nullptr) impl_->fail(error);
    impl_->chunk.resize(static_cast<std::size_t>(kChunk));
  }
}

MonoStream::~MonoStream() = default;

std::int64_t MonoStream::total() const {
  return impl_->total;
}

std::int64_t MonoStream::pull(float* out, std::int64_t n) {
  Impl& s = *impl_;
  n = std::min(n, s.total - s.given);
  if (n <= 0) return 0;
  if (s.resampler == nullptr) {
    s.source.read_mono(s.given, n, out);
  } else {
    // The resampler's own length may be a sample short of ceil(): the rest is silence.
    const std::int64_t made = s.resample(out, n);
    std::fill_n(out + made, n - made, 0.0F);
  }
  s.given += n;
  return n;
}

void MonoStream::rewind() {
  Impl& s = *impl_;
  s.given = s.taken = 0;
  s.chunk_at = s.chunk_end = 0;
  if (s.resampler == nullptr) return;
  if (const soxr_error_t error = soxr_clear(s.resampler)) s.fail(error);
}

}  // namespace retake

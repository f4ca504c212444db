#include "retake/edit/edl.hpp"

#include <algorithm>
#include <cmath>

namespace retake {
namespace {

// Beyond these a value can only be a mistake, and sums of them must not overflow.
constexpr std::int64_t kMaxSamples = std::int64_t{1} << 46;
constexpr std::size_t kMaxProblems = 200;
constexpr double kMaxSampleRate = 1e6;
constexpr int kMaxChannels = 1024;
constexpr double kMaxRate = 100.0;
constexpr double kMaxPitch = 60.0;
constexpr double kMaxGainDb = 200.0;

bool same_settings(const Segment& a, const Segment& b) {
  const auto same_effect = [](const EdlEffect& x, const EdlEffect& y) {
    return x.plugin == y.plugin && x.params == y.params;
  };
  return a.source == b.source && a.gain_curve.empty() && b.gain_curve.empty() &&
         a.gain_db == b.gain_db && a.rate == b.rate && a.pitch == b.pitch &&
         a.reverse == b.reverse && a.op == b.op &&
         std::equal(a.effects.begin(), a.effects.end(), b.effects.begin(), b.effects.end(),
                    same_effect);
}

/// Whether `b` goes on where `a` stops so that one segment can stand for both.
bool continues(const Segment& a, const Segment& b) {
  if (a.join.samples != 0 || a.fade_out.samples != 0 || b.fade_in.samples != 0) return false;
  if (a.is_gap() && b.is_gap()) return true;
  if (a.is_gap() || b.is_gap() || !same_settings(a, b)) return false;
  // Other rates round the length of each segment; reversed runs go on downwards.
  return a.rate == 1.0 && (a.reverse ? b.end == a.begin : b.begin == a.end);
}

/// Collects problems, each prefixed by the place it is about.
class Checker {
 public:
  explicit Checker(const Edl& edl) : edl_(edl) {}

  std::vector<std::string> run() {
    if (edl_.sources.empty()) found_.push_back("sources: there is none");
    for (std::size_t i = 0; i < edl_.sources.size(); ++i) source(i);
    sources_agree();
    std::int64_t total = 0;
    for (std::size_t i = 0; i < edl_.segments.size(); ++i) {
      const std::size_t before = found_.size();
      if (before >= kMaxProblems) break;
      segment(i);
      if (found_.size() != before) continue;
      total += edl_.segments[i].output_samples();
      if (total > kMaxSamples) {
        found_.push_back(at(i) + ": the edit is longer than 2^46 samples");
        break;
      }
    }
    return std::move(found_);
  }

 private:
  static std::string at(std::size_t i) { return "segments[" + std::to_string(i) + "]"; }

  void require(bool good, const std::string& where, const std::string& what) {
    if (!good) found_.push_back(where + ": " + what);
  }

  void source(std::size_t i) {
    const EdlSource& s = edl_.sources[i];
    const std::string where = "sources[" + std::to_string(i) + "]";
    require(!s.path.empty(), where + ".path", "is empty");
    require(s.path.find('\0') == std::string::npos, where + ".path", "holds a zero byte");
    require(s.sample_rate == 0.0 || (s.sample_rate >= 1.0 && s.sample_rate <= kMaxSampleRate &&
                                     s.sample_rate == std::floor(s.sample_rate)),
            where + ".sample_rate", "must be a whole number of Hz in 1..1000000");
    require(s.channels >= 0 && s.channels <= kMaxChannels, where + ".channels",
            "must be in 1..1024");
    require(s.samples >= -1 && s.samples <= kMaxSamples, where + ".samples", "must be in 0..2^46");
    const bool hex = s.sha256_pcm.empty() ||
                     (s.sha256_pcm.size() == 64 &&
                      s.sha256_pcm.find_first_not_of("0123456789abcdef") == std::string::npos);
    require(hex, where + ".sha256_pcm", "must be 64 hexadecimal digits in lower case");
  }

  void sources_agree() {
    double rate = 0.0;
    int channels = 0;
    for (std::size_t i = 0; i < edl_.sources.size(); ++i) {
      const EdlSource& s = edl_.sources[i];
      const std::string where = "sources[" + std::to_string(i) + "]";
      if (s.sample_rate > 0.0) {
        require(rate == 0.0 || rate == s.sample_rate, where + ".sample_rate",
                "differs from an earlier source's; all sources of an EDL have one rate");
        if (rate == 0.0) rate = s.sample_rate;
      }
      if (s.channels > 0) {
        require(channels == 0 || channels == s.channels, where + ".channels",
                "differs from an earlier source's; all sources of an EDL have one channel count");
        if (channels == 0) channels = s.channels;
      }
    }
  }

  void segment(std::size_t i) {
    const Segment& s = edl_.segments[i];
    require(s.join.samples >= 0 && s.join.samples <= kMaxSamples, at(i) + ".join",
            "its length must be in 0..2^46 samples");
    require(s.confidence >= 0.0 && s.confidence <= 1.0, at(i) + ".confidence", "must be in [0, 1]");
    require(s.op != Op::stop, at(i) + ".op", "STOP exists only inside training targets");
    if (s.is_gap()) {
      require(s.gap >= 1 && s.gap <= kMaxSamples, at(i) + ".gap", "must be in 1..2^46 samples");
      return;
    }
    const std::size_t before = found_.size();
    range(i, s);
    require(s.rate >= 1.0 / kMaxRate && s.rate <= kMaxRate, at(i) + ".rate",
            "must be in [0.01, 100]");
    if (found_.size() == before) shape(i, s);
    require(std::abs(s.pitch) <= kMaxPitch, at(i) + ".pitch", "must be in [-60, 60] semitones");
    require(std::abs(s.gain_db) <= kMaxGainDb, at(i) + ".gain_db", "must be in [-200, 200] dB");
    for (std::size_t k = 0; k < s.effects.size(); ++k) {
      require(!s.effects[k].plugin.empty(), at(i) + ".effects[" + std::to_string(k) + "]",
              "has no plugin name");
    }
  }

  void range(std::size_t i, const Segment& s) {
    if (s.source >= static_cast<int>(edl_.sources.size())) {
      found_.push_back(at(i) + ".source: there is no source " + std::to_string(s.source));
      return;
    }
    require(s.begin >= 0, at(i) + ".begin", "is negative");
    require(s.end > s.begin, at(i),
            "the range [" + std::to_string(s.begin) + ", " + std::to_string(s.end) + ") is empty");
    require(s.end <= kMaxSamples, at(i) + ".end", "is beyond 2^46");
    const std::int64_t samples = edl_.sources[static_cast<std::size_t>(s.source)].samples;
    require(samples < 0 || s.end <= samples, at(i),
            "the range [" + std::to_string(s.begin) + ", " + std::to_string(s.end) +
                ") is outside the source, which has " + std::to_string(samples) + " samples");
  }

  /// What needs a sound range and rate: fades and the gain curve against the length.
  void shape(std::size_t i, const Segment& s) {
    const std::int64_t length = s.output_samples();
    const auto fits = [&](const Fade& fade) { return fade.samples >= 0 && fade.samples <= length; };
    const std::string within = "its length must be in 0.." + std::to_string(length) +
                               " samples, the length of the segment";
    require(fits(s.fade_in), at(i) + ".fade_in", within);
    require(fits(s.fade_out), at(i) + ".fade_out", within);
    std::int64_t previous = -1;
    for (const auto& [sample, db] : s.gain_curve) {
      require(sample > previous && sample <= length, at(i) + ".gain_db",
              "curve points must ascend and lie inside the segment");
      require(std::abs(db) <= kMaxGainDb, at(i) + ".gain_db", "must be in [-200, 200] dB");
      previous = sample;
    }
  }

  const Edl& edl_;
  std::vector<std::string> found_;
};

}  // namespace

std::string_view to_string(Curve curve) {
  switch (curve) {
    case Curve::linear:
      return "linear";
    case Curve::equal_power:
      return "equal_power";
    case Curve::equal_gain:
      return "equal_gain";
    case Curve::exponential:
      return "exponential";
  }
  return "unknown";
}

std::string_view to_string(Op op) {
  switch (op) {
    case Op::copy:
      return "COPY";
    case Op::loop_start:
      return "LOOP_START";
    case Op::loop_end:
      return "LOOP_END";
    case Op::skip:
      return "SKIP";
    case Op::fade_in:
      return "FADE_IN";
    case Op::fade_out:
      return "FADE_OUT";
    case Op::stop:
      return "STOP";
  }
  return "UNKNOWN";
}

std::string_view to_string(Label label) {
  switch (label) {
    case Label::cut:
      return "CUT";
    case Label::keep:
      return "KEEP";
    case Label::loop:
      return "LOOP";
    case Label::fade_in:
      return "FADE_IN";
    case Label::fade_out:
      return "FADE_OUT";
    case Label::effect:
      return "EFFECT";
    case Label::transition:
      return "TRANSITION";
    case Label::pad:
      return "PAD";
  }
  return "UNKNOWN";
}

std::int64_t Segment::output_samples() const {
  if (is_gap()) return gap;
  if (rate == 1.0) return end - begin;
  return static_cast<std::int64_t>(std::floor(static_cast<double>(end - begin) / rate + 0.5));
}

bool Segment::is_unity() const {
  return !is_gap() && gain_db == 0.0 && gain_curve.empty() && fade_in.samples == 0 &&
         fade_out.samples == 0 && rate == 1.0 && pitch == 0.0 && !reverse && effects.empty();
}

std::int64_t Edl::output_samples() const {
  std::int64_t total = 0;
  for (const Segment& segment : segments) total += segment.output_samples();
  return total;
}

std::vector<std::int64_t> Edl::output_starts() const {
  std::vector<std::int64_t> starts;
  starts.reserve(segments.size() + 1);
  starts.push_back(0);
  for (const Segment& segment : segments) {
    starts.push_back(starts.back() + segment.output_samples());
  }
  return starts;
}

void merge_contiguous(Edl& edl) {
  std::vector<Segment> merged;
  merged.reserve(edl.segments.size());
  for (Segment& next : edl.segments) {
    if (merged.empty() || !continues(merged.back(), next)) {
      merged.push_back(std::move(next));
      continue;
    }
    Segment& last = merged.back();
    const double a = static_cast<double>(last.output_samples());
    const double b = static_cast<double>(next.output_samples());
    if (last.confidence != next.confidence && a + b > 0.0) {
      last.confidence = (a * last.confidence + b * next.confidence) / (a + b);
    }
    if (last.is_gap()) {
      last.gap += next.gap;
    } else if (last.reverse) {
      last.begin = next.begin;
    } else {
      last.end = next.end;
    }
    last.fade_out = next.fade_out;
    last.join = next.join;
  }
  edl.segments = std::move(merged);
}

std::vector<std::string> problems(const Edl& edl) {
  return Checker(edl).run();
}

Edl identity_edl(EdlSource source) {
  Edl edl;
  if (source.samples > 0) {
    Segment whole;
    whole.end = source.samples;
    edl.segments.push_back(std::move(whole));
  }
  edl.sources.push_back(std::move(source));
  return edl;
}

}  // namespace retake

// Logarithmic mel spectra. The transform and the filters live in the host (retake/audio/mel.hpp);
// here are the conventions of level and range that models expect.

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <mutex>
#include <string>
#include <vector>

#include "retake/audio/mel.hpp"
#include "retake/kinds/feature_extractor.hpp"
#include "retake/plugin.hpp"

namespace {

using namespace retake;

constexpr const char* kVersion = "1";

/// What a preset says about everything that parameters leave to it.
struct Preset {
  const char* name;
  std::int64_t sample_rate, n_fft, hop_length;
  double power;
  const char* padding;
  const char* pad_mode;
  const char* logarithm;
  const char* range;
  double peak;
  double magnitude_floor;
};

// bigvgan_log: the front end of the BigVGAN vocoder. The others are librosa.power_to_db with the
// maximum of the recording as reference: scaled by 80 dB, as it is, or from its minimum to maximum.
constexpr std::array<Preset, 4> kPresets{{
    {"db80", 22050, 2048, 256, 2.0, "center", "constant", "db", "unit", 0.0, 0.0},
    {"db", 22050, 2048, 256, 2.0, "center", "constant", "db", "none", 0.0, 0.0},
    {"minmax", 44100, 2048, 512, 2.0, "center", "constant", "db", "minmax", 0.0, 0.0},
    {"bigvgan_log", 44100, 2048, 512, 1.0, "same", "reflect", "ln", "unit", 0.95, 1e-9},
}};

// bigvgan_log maps natural logarithms from -11.5 to 2.5 to 0..1.
constexpr float kLnLow = -11.5F;
constexpr float kLnSpan = 14.0F;

struct Params {
  std::string preset = "db80";
  std::int64_t sample_rate = 0;
  std::int64_t n_fft = 0;
  std::int64_t win_length = 0;
  std::int64_t hop_length = 0;
  std::int64_t n_mels = 128;
  double fmin = 0.0;
  double fmax = 0.0;
  std::string mel_scale = "slaney";
  std::string norm = "slaney";
  double power = 0.0;
  std::string padding = "preset";
  std::string pad_mode = "preset";
  std::string logarithm = "preset";
  double floor = 0.0;
  std::string reference = "max";
  double reference_level = 1.0;
  double top_db = 80.0;
  std::string range = "preset";
  double peak = -1.0;

  static void describe(Schema<Params>& s) {
    s.field(&Params::preset, "preset",
            "convention that fills what the other parameters leave to it: db80 (22050 Hz, hop 256, "
            "(dB + 80) / 80), db (the same, in dB), minmax (44100 Hz, hop 512, dB scaled to its "
            "own range), bigvgan_log (44100 Hz, hop 512, natural logarithm)")
        .one_of({"db80", "db", "minmax", "bigvgan_log"});
    s.field(&Params::sample_rate, "sample_rate",
            "rate that recordings are resampled to; 0: the preset's")
        .range(0, 192000)
        .unit("Hz")
        .synonyms({"sr", "rate"});
    s.field(&Params::n_fft, "n_fft", "length of a frame, even; 0: the preset's")
        .range(0, 65536)
        .unit("samples")
        .synonyms({"fft_size", "frame_length", "window_size"});
    s.field(&Params::win_length, "win_length", "length of the Hann window; 0: n_fft")
        .range(0, 65536)
        .unit("samples");
    s.field(&Params::hop_length, "hop_length", "from one frame to the next; 0: the preset's")
        .range(0, 65536)
        .unit("samples")
        .synonyms({"hop", "hop_size", "step"});
    s.field(&Params::n_mels, "n_mels", "number of mel bands")
        .range(1, 1024)
        .synonyms({"mels", "bands", "mel_bins"});
    s.field(&Params::fmin, "fmin", "lower edge of the lowest band").range(0, 96000).unit("Hz");
    s.field(&Params::fmax, "fmax", "upper edge of the highest band; 0: half the sample rate")
        .range(0, 96000)
        .unit("Hz");
    s.field(&Params::mel_scale, "mel_scale", "formula of the mel scale")
        .one_of({"slaney", "htk"})
        .synonyms({"scale", "htk"});
    s.field(&Params::norm, "norm", "slaney: bands of equal area; none: bands of equal height")
        .one_of({"slaney", "none"});
    s.field(&Params::power, "power",
            "exponent of the magnitudes that are summed: 1 amplitude, 2 power; 0: the preset's")
        .range(0, 4);
    s.field(&Params::padding, "padding",
            "center: frame t is centred on t hops; same: (n_fft - hop) / 2 samples on both sides; "
            "none")
        .one_of({"preset", "center", "same", "none"})
        .synonyms({"center", "centre"});
    s.field(&Params::pad_mode, "pad_mode", "what lies beyond the ends: zeros, or a mirror image")
        .one_of({"preset", "constant", "reflect"});
    s.field(&Params::logarithm, "logarithm", "db: decibels; ln: natural logarithm")
        .one_of({"preset", "db", "ln"});
    s.field(&Params::floor, "floor",
            "smallest band value before the logarithm; 0: 1e-10 (as power) for db, 1e-5 for ln")
        .range(0, 1);
    s.field(&Params::reference, "reference",
            "what 0 dB is: the loudest value of the recording, or reference_level for all "
            "recordings alike")
        .one_of({"max", "fixed"})
        .synonyms({"ref"});
    s.field(&Params::reference_level, "reference_level",
            "band value that is 0 dB when the reference is fixed")
        .range(0, 1e12)
        .open_min()
        .log_scale()
        .requires_(&Params::reference, "fixed");
    s.field(&Params::top_db, "top_db", "values this far below 0 dB and less are equal")
        .range(0, 1000)
        .open_min()
        .unit("dB");
    s.field(&Params::range, "range",
            "none: as it is; unit: 0..1 over top_db, or over [-11.5, 2.5] for ln; minmax: 0..1 "
            "over the recording's own range")
        .one_of({"preset", "none", "unit", "minmax"})
        .synonyms({"scaling", "normalize"});
    s.field(&Params::peak, "peak",
            "peak level that recordings are scaled to first; 0: left as they are; -1: the preset's")
        .range(-1, 1)
        .synonyms({"normalize_peak"});
  }
};

const std::string& pick(const std::string& given, const std::string& preset) {
  return given == "preset" ? preset : given;
}

/// Parameters with the preset filled in.
Params resolve(const Params& given) {
  const auto& preset = *std::find_if(kPresets.begin(), kPresets.end(),
                                     [&](const Preset& p) { return p.name == given.preset; });
  Params p = given;
  if (p.sample_rate == 0) p.sample_rate = preset.sample_rate;
  if (p.n_fft == 0) p.n_fft = preset.n_fft;
  if (p.win_length == 0) p.win_length = p.n_fft;
  if (p.hop_length == 0) p.hop_length = preset.hop_length;
  if (p.fmax == 0.0) p.fmax = static_cast<double>(p.sample_rate) / 2.0;
  if (p.power == 0.0) p.power = preset.power;
  p.padding = pick(p.padding, preset.padding);
  p.pad_mode = pick(p.pad_mode, preset.pad_mode);
  p.logarithm = pick(p.logarithm, preset.logarithm);
  p.range = pick(p.range, preset.range);
  if (p.peak < 0.0) p.peak = preset.peak;
  if (p.floor == 0.0) p.floor = p.logarithm == "ln" ? 1e-5 : std::pow(1e-10, p.power / 2.0);
  return p;
}

void require(bool holds, const std::string& what, const std::string& help) {
  if (holds) return;
  Diagnostic d;
  d.id = "E110";
  d.message = "log_mel: " + what;
  d.help = help;
  throw ConfigError(std::move(d));
}

void check(const Params& p) {
  const std::string rate = std::to_string(p.sample_rate);
  require(p.sample_rate >= 1000, "`sample_rate` is " + rate + " Hz", "use 1000 Hz or more");
  require(p.n_fft >= 16 && p.n_fft % 2 == 0, "`n_fft` is " + std::to_string(p.n_fft),
          "use an even number of at least 16; powers of two are fastest");
  require(p.win_length <= p.n_fft, "`win_length` is longer than `n_fft`",
          "make it at most " + std::to_string(p.n_fft));
  require(p.fmin < p.fmax, "`fmin` is not below `fmax`", "lower fmin or raise fmax");
  require(p.fmax <= static_cast<double>(p.sample_rate) / 2.0,
          "`fmax` is above half the sample rate of " + rate + " Hz", "lower it, or 0 for the half");
  require(p.logarithm == "db" || p.reference == "max",
          "`reference` is fixed, which natural logarithms have no use for",
          "leave it at \"max\", or set logarithm = \"db\"");
}

MelOptions mel_options(const Params& p, double magnitude_floor) {
  MelOptions o;
  o.stft.sample_rate = p.sample_rate;
  o.stft.n_fft = p.n_fft;
  o.stft.win_length = p.win_length;
  o.stft.hop = p.hop_length;
  o.stft.padding = p.padding == "center" ? Padding::center
                   : p.padding == "same" ? Padding::same
                                         : Padding::none;
  o.stft.pad_mode = p.pad_mode == "reflect" ? PadMode::reflect : PadMode::constant;
  o.n_mels = p.n_mels;
  o.fmin = p.fmin;
  o.fmax = p.fmax;
  o.scale = p.mel_scale == "htk" ? MelScale::htk : MelScale::slaney;
  o.norm = p.norm == "none" ? MelNorm::none : MelNorm::slaney;
  o.power = p.power;
  o.magnitude_floor = magnitude_floor;
  return o;
}

/// Largest magnitude of the mono mix at `rate`.
float peak_of(AudioSource& source, double rate) {
  MonoStream stream(source, rate);
  std::vector<float> chunk(1 << 14);
  float peak = 0.0F;
  while (const auto n = stream.pull(chunk.data(), static_cast<std::int64_t>(chunk.size()))) {
    for (std::int64_t i = 0; i < n; ++i) {
      peak = std::max(peak, std::abs(chunk[static_cast<std::size_t>(i)]));
    }
  }
  return peak;
}

class LogMel final : public FeatureExtractor {
 public:
  using Params = ::Params;

  explicit LogMel(const Params& given)
      : params_(checked(given)),
        mel_(mel_options(params_,
                         given.preset == "bigvgan_log" ? kPresets[3].magnitude_floor : 0.0)) {}

  static Traits traits() {
    Traits t;
    t.outputs = {{"mel", "f32", "S, n_mels", "one row per frame", false, false}};
    return t;
  }

  std::string algorithm_version() const override { return kVersion; }

  std::vector<FeatureBlock> blocks() const override {
    const bool scaled = params_.range != "none";
    const std::string unit = scaled ? "0..1" : params_.logarithm == "db" ? "dB" : "ln";
    return {{"mel", 0, params_.n_mels, unit, scaled}};
  }

  FeatureTable extract(AudioSource& source, const Context& context) const override {
    TimeGrid grid;
    grid.hop = params_.hop_length;
    grid.rate = params_.sample_rate;
    grid.rows = mel_.rows(source.info());
    std::vector<float> values = feature_values(grid.rows * params_.n_mels);
    float gain = 1.0F;
    if (params_.peak > 0.0) {
      const float peak = peak_of(source, static_cast<double>(params_.sample_rate));
      if (peak > 0.0F) gain = static_cast<float>(params_.peak) / peak;
    }
    if (params_.logarithm == "ln") {
      extract_ln(source, context, gain, values);
    } else {
      extract_db(source, context, gain, values);
    }
    return FeatureTable(std::move(grid), blocks(), std::move(values), spec());
  }

 private:
  static Params checked(const Params& given) {
    const Params p = resolve(given);
    check(p);
    return p;
  }

  FeatureSpec spec() const {
    FeatureSpec spec{"log_mel", kVersion, {}};
    const Schema<Params> schema = Schema<Params>::make();
    const Table resolved = table_of(params_);
    for (const FieldInfo& field : schema.info().fields) {
      spec.params[field.name] = resolved.at(field.name);
    }
    return spec;
  }

  static Table table_of(const Params& p) {
    Table t;
    t["preset"] = Value(p.preset);
    t["sample_rate"] = Value(p.sample_rate);
    t["n_fft"] = Value(p.n_fft);
    t["win_length"] = Value(p.win_length);
    t["hop_length"] = Value(p.hop_length);
    t["n_mels"] = Value(p.n_mels);
    t["fmin"] = Value(p.fmin);
    t["fmax"] = Value(p.fmax);
    t["mel_scale"] = Value(p.mel_scale);
    t["norm"] = Value(p.norm);
    t["power"] = Value(p.power);
    t["padding"] = Value(p.padding);
    t["pad_mode"] = Value(p.pad_mode);
    t["logarithm"] = Value(p.logarithm);
    t["floor"] = Value(p.floor);
    t["reference"] = Value(p.reference);
    t["reference_level"] = Value(p.reference_level);
    t["top_db"] = Value(p.top_db);
    t["range"] = Value(p.range);
    t["peak"] = Value(p.peak);
    return t;
  }

  void extract_ln(AudioSource& source, const Context& context, float gain,
                  std::vector<float>& values) const {
    const auto floor = static_cast<float>(params_.floor);
    const bool unit = params_.range == "unit";
    mel_.compute(source, context, values.data(), gain,
                 [&](std::int64_t, std::int64_t rows, float* v) {
                   const std::int64_t n = rows * params_.n_mels;
                   to_log(v, n, floor);
                   if (!unit) return;
                   for (std::int64_t i = 0; i < n; ++i) {
                     v[i] = std::clamp((v[i] - kLnLow) / kLnSpan, 0.0F, 1.0F);
                   }
                 });
    if (params_.range == "minmax") scale_to_own_range(values, context);
  }

  void extract_db(AudioSource& source, const Context& context, float gain,
                  std::vector<float>& values) const {
    const auto floor = static_cast<float>(params_.floor);
    const auto factor = static_cast<float>(2.0 / params_.power);  // 20 log10 of amplitudes
    std::mutex mutex;
    float loudest = -std::numeric_limits<float>::infinity();
    mel_.compute(source, context, values.data(), gain,
                 [&](std::int64_t, std::int64_t rows, float* v) {
                   const std::int64_t n = rows * params_.n_mels;
                   to_decibels(v, n, floor);
                   float high = -std::numeric_limits<float>::infinity();
                   for (std::int64_t i = 0; i < n; ++i) {
                     v[i] *= factor;
                     high = v[i] > high ? v[i] : high;
                   }
                   const std::lock_guard lock(mutex);
                   loudest = std::max(loudest, high);
                 });
    // The second pass is over the stored rows: the reference is known only now.
    const float zero =
        params_.reference == "max"
            ? loudest
            : factor * static_cast<float>(10.0 * std::log10(params_.reference_level));
    const auto top = static_cast<float>(params_.top_db);
    const bool unit = params_.range == "unit";
    for_each_chunk(values, context, [&](float* v, std::size_t n) {
      for (std::size_t i = 0; i < n; ++i) {
        v[i] -= zero;
        v[i] = v[i] > -top ? v[i] : -top;
        if (unit) {
          const float scaled = (v[i] + top) / top;
          v[i] = scaled < 1.0F ? scaled : 1.0F;
        }
      }
    });
    if (params_.range == "minmax") scale_to_own_range(values, context);
  }

  static void scale_to_own_range(std::vector<float>& values, const Context& context) {
    const auto [low, high] = std::minmax_element(values.begin(), values.end());
    const float start = *low;
    const float span = *high - *low + 1e-8F;
    for_each_chunk(values, context, [&](float* v, std::size_t n) {
      for (std::size_t i = 0; i < n; ++i) v[i] = (v[i] - start) / span;
    });
  }

  template <class F>
  static void for_each_chunk(std::vector<float>& values, const Context& context, const F& body) {
    context.parallel_for(values.size(), 1 << 18, [&](std::size_t begin, std::size_t end) {
      body(values.data() + begin, end - begin);
    });
  }

  Params params_;
  MelSpectrogram mel_;
};

}  // namespace

RETAKE_PLUGIN("log_mel", "0.1.0", registrar) {
  registrar.add<LogMel>("log_mel", "Logarithmic mel spectrum, as librosa defines it.");
}

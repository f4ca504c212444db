// The renderer: exact copies, joins, levels, and what it refuses.

#include "edit/renderer.hpp"

#include <cmath>
#include <limits>

#include "audio_support.hpp"
#include "catch.hpp"
#include "core/files.hpp"
#include "core/stop.hpp"
#include "edl_support.hpp"
#include "retake/audio/hash.hpp"
#include "retake/error.hpp"

using namespace retake;
using namespace retake::testing;
using edit::render;
using edit::RenderReport;
using edit::RenderRequest;

namespace {

RenderReport render_to(const Edl& edl, const std::string& output) {
  RenderRequest request;
  request.output = output;
  request.edl_name = "test.edl.json";
  return render(edl, request);
}

Edl edl_over(const std::string& path, std::vector<Segment> segments) {
  Edl edl;
  edl.sources.push_back({});
  edl.sources[0].path = path;
  edl.segments = std::move(segments);
  return edl;
}

/// What the definitions say, over whole arrays, mono or interleaved.
std::vector<double> expected_samples(const Edl& edl, const std::vector<double>& raw, int channels) {
  const auto source = static_cast<std::int64_t>(raw.size()) / channels;
  const auto starts = edl.output_starts();
  std::vector<double> out(static_cast<std::size_t>(starts.back() * channels), 0.0);
  const auto half = [&](std::size_t i, bool before) -> std::int64_t {
    if (i + 1 >= edl.segments.size()) return 0;
    const std::int64_t n = edl.segments[i].join.samples;
    return before ? std::min(n / 2, edl.segments[i].output_samples() / 2)
                  : std::min(n - n / 2, edl.segments[i + 1].output_samples() / 2);
  };
  const auto rise = [](Curve curve, double x) {
    if (curve == Curve::linear) return x;
    if (curve == Curve::equal_power) return std::sin(x * M_PI / 2);
    if (curve == Curve::equal_gain) return (1 - std::cos(x * M_PI)) / 2;
    return std::pow(10.0, -3.0 * (1.0 - x));
  };
  for (std::size_t i = 0; i < edl.segments.size(); ++i) {
    const Segment& s = edl.segments[i];
    if (s.is_gap()) continue;
    const std::int64_t length = s.end - s.begin;
    const std::int64_t in_before = i > 0 ? half(i - 1, true) : 0;
    const std::int64_t in_after = i > 0 ? half(i - 1, false) : 0;
    const std::int64_t out_before = half(i, true);
    const std::int64_t out_after = half(i, false);
    const std::int64_t has_before = std::min(in_before, s.reverse ? source - s.end : s.begin);
    const std::int64_t has_after = std::min(out_after, s.reverse ? s.begin : source - s.end);
    for (std::int64_t k = -has_before; k < length + has_after; ++k) {
      double level = std::pow(10.0, s.gain_db / 20.0);
      if (s.fade_in.samples > 0 && k < s.fade_in.samples) {
        level *= k < 0 ? 0 : rise(s.fade_in.curve, (double(k) + 0.5) / double(s.fade_in.samples));
      }
      if (s.fade_out.samples > 0 && k >= length - s.fade_out.samples) {
        level *= k >= length ? 0
                             : rise(s.fade_out.curve,
                                    (double(length - k) - 0.5) / double(s.fade_out.samples));
      }
      if (k < in_after && in_before + in_after > 0) {
        level *= rise(edl.segments[i - 1].join.curve,
                      (double(k + has_before) + 0.5) / double(has_before + in_after));
      }
      if (k >= length - out_before && out_before + out_after > 0) {
        level *= rise(s.join.curve,
                      (double(length + has_after - k) - 0.5) / double(out_before + has_after));
      }
      const std::int64_t from = s.reverse ? s.end - 1 - k : s.begin + k;
      for (int c = 0; c < channels; ++c) {
        out[static_cast<std::size_t>((starts[i] + k) * channels + c)] +=
            level * raw[static_cast<std::size_t>(from * channels + c)];
      }
    }
  }
  return out;
}

double rms(const std::vector<double>& x, std::int64_t from, std::int64_t to) {
  double sum = 0.0;
  for (std::int64_t i = from; i < to; ++i) sum += x[std::size_t(i)] * x[std::size_t(i)];
  return std::sqrt(sum / static_cast<double>(to - from));
}

/// The id of the error that rendering throws; checks that nothing was written.
std::string refusal(const Edl& edl, const std::string& output) {
  const bool existed = std::filesystem::exists(output);
  try {
    render_to(edl, output);
  } catch (const DataError& e) {
    CHECK(e.code() == ExitCode::data);
    CHECK_FALSE(e.diagnostics().front().help.empty());
    CHECK(std::filesystem::exists(output) == existed);
    return e.diagnostics().front().id;
  }
  return "accepted";
}

}  // namespace

TEST_CASE("an identity EDL is the same PCM in every format") {
  const Scratch scratch("identity");
  const std::pair<const char*, const char*> kinds[] = {
      {"wav", "pcm_u8"},  {"wav", "pcm_16"},  {"wav", "pcm_24"},  {"wav", "pcm_32"},
      {"wav", "float"},   {"wav", "double"},  {"flac", "pcm_s8"}, {"flac", "pcm_16"},
      {"flac", "pcm_24"}, {"aiff", "pcm_24"}, {"w64", "float"}};
  std::uint64_t seed = 1;
  for (const auto& [container, subtype] : kinds) {
    for (int channels : {1, 2, 3, 6, 8}) {
      const auto format = format_of(container, subtype, channels, 48000);
      const std::string raw = scratch / ("raw " + std::string(subtype) + std::to_string(channels) +
                                         audio::file_extension(format));
      const std::string out = scratch / ("out" + audio::file_extension(format));
      write_wave(raw, format, 40001, noise(++seed, 1.0));
      EdlSource source;
      source.path = raw;
      source.samples = 40001;
      source.sha256_pcm = sha256_pcm(raw);
      const RenderReport report = render_to(identity_edl(source), out);
      INFO(container << " " << subtype << " x" << channels);
      CHECK(report.copied == 40001);
      CHECK(report.subtype == subtype);
      CHECK(report.channels == channels);
      CHECK(report.sample_rate == 48000);
      CHECK((samples_of(out) == samples_of(raw)));
      CHECK(sha256_pcm(out) == source.sha256_pcm);
    }
  }
}

TEST_CASE("any EDL renders as the definitions say, in its length, twice the same") {
  const Scratch scratch("random");
  Rng rng(derive_seed(10, {"render/random"}));
  for (int i = 0; i < 80; ++i) {
    const int channels = 1 + static_cast<int>(rng.below(3));
    Edl edl = random_edl(rng, 2000);
    for (Segment& s : edl.segments) {
      s.rate = 1.0;
      s.pitch = 0.0;
      s.effects.clear();
      s.gain_curve.clear();
      s.fade_in.samples = std::min(s.fade_in.samples, s.output_samples());
      s.fade_out.samples = std::min(s.fade_out.samples, s.output_samples());
      s.gain_db = std::min(s.gain_db, 0.0);
    }
    if (edl.output_samples() == 0) continue;
    const std::int64_t samples = edl.sources[0].samples;
    const std::string raw = scratch / "raw.wav";
    const bool wide = rng.chance(0.5);
    write_wave(raw, format_of("wav", wide ? "double" : "pcm_16", channels, 2000), samples,
               noise(static_cast<std::uint64_t>(i), 0.3));
    edl.sources[0] = {};
    edl.sources[0].path = raw;
    const RenderReport report = render_to(edl, scratch / "a.wav");
    const auto got = samples_of(scratch / "a.wav");
    const auto want = expected_samples(edl, samples_of(raw), channels);
    REQUIRE(report.samples == edl.output_samples());
    REQUIRE(got.size() == want.size());
    double worst = 0.0;
    for (std::size_t k = 0; k < got.size(); ++k)
      worst = std::max(worst, std::abs(got[k] - want[k]));
    INFO("case " << i << " " << to_json(to_value(edl)));
    REQUIRE(worst <= (wide ? 1e-12 : 0.5001 / 32768));
    REQUIRE(report.clipped == 0);
    if (i % 10 == 0) {
      render_to(edl, scratch / "b.wav");
      REQUIRE(read_file(scratch / "a.wav") == read_file(scratch / "b.wav"));
    }
  }
}

TEST_CASE("a gain curve runs straight in dB between its points") {
  const Scratch scratch("curve");
  write_wave(scratch / "raw.wav", format_of("wav", "double", 1), 100,
             [](std::int64_t, int) { return 0.5; });
  Edl edl = edl_over(scratch / "raw.wav", {copy_of(0, 100)});
  edl.segments[0].gain_curve = {{20, 0.0}, {60, -20.0}};
  render_to(edl, scratch / "out.wav");
  const auto x = samples_of(scratch / "out.wav");
  CHECK(x[0] == 0.5);
  CHECK(x[20] == 0.5);
  CHECK(x[40] == Approx(0.5 * std::pow(10.0, -0.5)));
  CHECK(x[60] == Approx(0.05));
  CHECK(x[99] == Approx(0.05));
}

TEST_CASE("joins keep the level: power of unrelated material, gain of related") {
  const Scratch scratch("joins");
  const std::int64_t n = 44100;
  write_wave(scratch / "noise.wav", format_of("wav", "float", 1), 6 * n, noise(3, 0.5));
  Edl edl = edl_over(scratch / "noise.wav", {copy_of(n, 2 * n), copy_of(4 * n, 5 * n)});
  edl.segments[0].join = {n / 2, Curve::equal_power};
  render_to(edl, scratch / "out.wav");
  auto x = samples_of(scratch / "out.wav");
  REQUIRE(x.size() == std::size_t(2 * n));
  const double level = rms(x, 0, n / 2);
  for (std::int64_t at = n - n / 4; at < n + n / 4; at += n / 20) {
    CHECK(std::abs(20 * std::log10(rms(x, at, at + n / 20) / level)) < 0.5);
  }
  // The same tone in phase on both sides: equal gain leaves no trace of the join.
  const auto tone = [](std::int64_t i, int) { return 0.5 * std::sin(2 * M_PI * double(i) / 100); };
  write_wave(scratch / "tone.wav", format_of("wav", "float", 1), 6 * n, tone);
  for (Curve curve : {Curve::equal_gain, Curve::linear}) {
    edl = edl_over(scratch / "tone.wav", {copy_of(n, 2 * n), copy_of(4 * n, 5 * n)});
    edl.segments[0].join = {1000, curve};
    render_to(edl, scratch / "out.wav");
    x = samples_of(scratch / "out.wav");
    for (std::size_t i = 0; i < x.size(); ++i) {
      if (std::abs(x[i] - tone(std::int64_t(i), 0)) > 1e-6) FAIL("sample " << i);
    }
  }
}

TEST_CASE("no click where a recording ends and nothing can be borrowed") {
  const Scratch scratch("borders");
  write_wave(scratch / "raw.wav", format_of("wav", "float", 1), 10000,
             [](std::int64_t, int) { return 0.5; });
  for (Curve curve : {Curve::linear, Curve::equal_power, Curve::equal_gain}) {
    Edl edl = edl_over(scratch / "raw.wav", {copy_of(5000, 10000), copy_of(0, 5000), gap_of(3000),
                                             copy_of(0, 5000), gap_of(100)});
    for (Segment& s : edl.segments) s.join = {1000, curve};
    const RenderReport report = render_to(edl, scratch / "out.wav");
    CHECK(report.samples == 18100);
    CHECK(report.short_joins == 1);  // the last gap is shorter than half the join
    const auto x = samples_of(scratch / "out.wav");
    double step = 0.0;
    for (std::size_t i = 1; i < x.size(); ++i) step = std::max(step, std::abs(x[i] - x[i - 1]));
    CHECK(step < 0.5 * M_PI / 2 / 500 * 1.01);
  }
}

TEST_CASE("clipping is counted") {
  const Scratch scratch("clip");
  write_wave(scratch / "raw.wav", format_of("wav", "pcm_16", 2), 100,
             [](std::int64_t i, int c) { return c == 0 ? (i < 10 ? 0.8 : 0.1) : -0.8; });
  Edl edl = edl_over(scratch / "raw.wav", {copy_of(0, 50)});
  edl.segments[0].gain_db = 6.0;
  CHECK(render_to(edl, scratch / "out.wav").clipped == 60);
  const auto x = samples_of(scratch / "out.wav");
  CHECK(x[0] == 32767.0 / 32768.0);
  CHECK(x[1] == -1.0);
  edl.segments[0].gain_db = 0.0;
  CHECK(render_to(edl, scratch / "out.wav").clipped == 0);
}

TEST_CASE("several sources of one rate play together, in the first one's format") {
  const Scratch scratch("many");
  write_wave(scratch / "a.flac", format_of("flac", "pcm_24", 2), 1000, noise(1));
  write_wave(scratch / "b.wav", format_of("wav", "pcm_16", 2), 1000, noise(2));
  Edl edl = edl_over(scratch / "a.flac", {copy_of(0, 500), copy_of(100, 600)});
  edl.sources.push_back(edl.sources[0]);
  edl.sources[1].path = scratch / "b.wav";
  edl.segments[1].source = 1;
  const RenderReport report = render_to(edl, scratch / "out");
  CHECK(report.output.string() == scratch / "out.flac");
  CHECK(report.subtype == "pcm_24");
  CHECK(report.copied == 1000);
  const auto a = samples_of(scratch / "a.flac");
  const auto b = samples_of(scratch / "b.wav");
  std::vector<double> want(a.begin(), a.begin() + 1000);
  want.insert(want.end(), b.begin() + 200, b.begin() + 1200);
  CHECK((samples_of(scratch / "out.flac") == want));

  write_wave(scratch / "c.wav", format_of("wav", "pcm_16", 2, 48000), 1000, noise(2));
  edl.sources[1].path = scratch / "c.wav";
  CHECK(refusal(edl, scratch / "no.wav") == "E422");
  write_wave(scratch / "c.wav", format_of("wav", "pcm_16", 1), 1000, noise(2));
  CHECK(refusal(edl, scratch / "no.wav") == "E422");
}

TEST_CASE("what cannot be rendered is refused, and nothing is written") {
  const Scratch scratch("refused");
  const std::string raw = scratch / "raw.wav";
  const std::string out = scratch / "out.wav";
  write_wave(raw, format_of("wav", "float", 1), 1000, noise(1));
  const Edl good = edl_over(raw, {copy_of(0, 100)});
  const auto with = [&](auto change) {
    Edl edl = good;
    change(edl);
    return refusal(edl, out);
  };
  CHECK(with([](Edl& e) { e.segments[0].effects.push_back({"reverb", {}}); }) == "E423");
  CHECK(with([](Edl& e) { e.segments[0].rate = 1.1; }) == "E423");
  CHECK(with([](Edl& e) { e.segments[0].pitch = 1.0; }) == "E423");
  CHECK(with([](Edl& e) { e.segments.clear(); }) == "E423");
  CHECK(with([](Edl& e) { e.segments[0].end = 1001; }) == "E421");
  CHECK(with([](Edl& e) { e.segments[0].gain_db = std::nan(""); }) == "E421");
  CHECK(with([](Edl& e) { e.sources[0].samples = 999; }) == "E422");
  CHECK(with([](Edl& e) { e.sources[0].channels = 2; }) == "E422");
  CHECK(with([](Edl& e) { e.sources[0].sample_rate = 48000; }) == "E422");
  CHECK(with([](Edl& e) { e.sources[0].sha256_pcm = std::string(64, '0'); }) == "E422");
  CHECK(with([](Edl& e) { e.sources[0].path += "x"; }) == "E422");
  CHECK(with([](Edl& e) { e.segments.push_back(gap_of(std::int64_t{1} << 45)); }) == "E426");
  CHECK(refusal(good, raw) == "E426");
  CHECK(refusal(good, scratch / "out.mp3") == "E426");
  CHECK(refusal(good, scratch / "out.flac") == "E426");  // FLAC holds no floats
  write_wave(raw, format_of("wav", "float", 1), 1000, [](std::int64_t i, int) {
    return i == 500 ? std::numeric_limits<double>::quiet_NaN() : 0.1;
  });
  CHECK(refusal(good, out) == "accepted");  // the bad sample is not part of the edit
  std::filesystem::remove(out);
  CHECK(with([](Edl& e) { e.segments[0].end = 600; }) == "E415");
}

TEST_CASE("an interrupted rendering leaves nothing") {
  const Scratch scratch("interrupt");
  write_wave(scratch / "raw.wav", format_of("wav", "pcm_16", 1), 100000, noise(1));
  EdlSource source;
  source.path = scratch / "raw.wav";
  source.samples = 100000;
  RenderRequest request;
  request.output = scratch / "out.wav";
  request.progress = [](std::int64_t done, std::int64_t) {
    if (done > 30000) request_stop(2);
  };
  bool stopped = false;
  try {
    render(identity_edl(source), request);
  } catch (const Error& e) {
    stopped = e.code() == ExitCode::interrupted;
  }
  request_stop(0);
  CHECK(stopped);
  CHECK_FALSE(std::filesystem::exists(request.output));
  CHECK(std::distance(std::filesystem::directory_iterator(scratch / ""), {}) == 1);
}

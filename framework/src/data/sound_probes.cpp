// What `retake plugins check` asks of feature extractors and aligners.

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <numbers>
#include <set>
#include <string_view>

#include "plugin/probe.hpp"
#include "plugin/shape.hpp"
#include "retake/kinds/aligner.hpp"
#include "retake/kinds/feature_extractor.hpp"
#include "retake/rng.hpp"

namespace retake {
namespace {

using plugin::expect;
using plugin::Subject;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

/// Tones that change every half second, with noise: no two stretches are alike.
AudioBuffer sound(double seconds, double rate = 22050, std::size_t channels = 1) {
  AudioBuffer buffer;
  buffer.sample_rate = rate;
  const auto n = static_cast<std::size_t>(std::llround(seconds * rate));
  for (std::size_t c = 0; c < channels; ++c) {
    Rng rng(100 + c);
    std::vector<float> samples(n);
    double phase = 0, frequency = 220;
    for (std::size_t i = 0; i < n; ++i) {
      if (i % static_cast<std::size_t>(rate / 2) == 0) frequency = rng.uniform(100, 2000);
      phase += 2 * std::numbers::pi * frequency / rate;
      samples[i] = static_cast<float>(0.3 * std::sin(phase) + 0.05 * rng.uniform(-1, 1));
    }
    buffer.channels.push_back(std::move(samples));
  }
  return buffer;
}

AudioBuffer constant(std::size_t n, float value, double rate = 22050) {
  AudioBuffer buffer;
  buffer.sample_rate = rate;
  buffer.channels = {std::vector<float>(n, value)};
  return buffer;
}

/// The raw less its middle, so that there is one cut to find.
AudioBuffer shortened(const AudioBuffer& raw) {
  AudioBuffer edit = raw;
  for (auto& samples : edit.channels) {
    const auto third = static_cast<std::ptrdiff_t>(samples.size() / 3);
    samples.erase(samples.begin() + third, samples.begin() + 2 * third);
  }
  return edit;
}

// ---- feature_extractor ----

FeatureTable features(const FeatureExtractor& extractor, const AudioBuffer& buffer,
                      const Context& context) {
  const auto source = audio_from_buffer(buffer, "probe.wav");
  return extractor.extract(*source, context);
}

std::string place_of_bad_value(const FeatureTable& table) {
  for (std::int64_t t = 0; t < table.rows(); ++t) {
    for (const FeatureBlock& block : table.blocks()) {
      for (const float v : table.row(t).subspan(static_cast<std::size_t>(block.offset),
                                                static_cast<std::size_t>(block.width))) {
        if (!std::isfinite(v)) {
          return "block `" + block.name + "` is " + format_double(static_cast<double>(v)) +
                 " in row " + std::to_string(t);
        }
      }
    }
  }
  return {};
}

void require_finite(const FeatureTable& table) {
  const std::string place = place_of_bad_value(table);
  expect(place.empty(), place, "give finite values, or throw a DataError that says why not");
}

bool equal_bits(const FeatureTable& a, const FeatureTable& b) {
  const auto bytes = static_cast<std::size_t>(a.rows() * a.columns()) * sizeof(float);
  return a.rows() == b.rows() && a.columns() == b.columns() && a.grid() == b.grid() &&
         (bytes == 0 || std::memcmp(a.data(), b.data(), bytes) == 0);
}

bool same_blocks(const std::vector<FeatureBlock>& a, const std::vector<FeatureBlock>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.name == y.name && x.offset == y.offset && x.width == y.width && x.unit == y.unit &&
           x.normalised == y.normalised;
  });
}

/// Models ask for "table.block": what is no name, or no one's own, cannot be asked for.
void named_blocks(const Subject& subject) {
  constexpr std::string_view kNameLetters = "abcdefghijklmnopqrstuvwxyz0123456789_";
  std::set<std::string> names;
  for (const FeatureBlock& block : subject.make<FeatureExtractor>()->blocks()) {
    expect(!block.name.empty() && block.name.find_first_not_of(kNameLetters) == std::string::npos,
           "a block has the name `" + block.name + "`",
           "name blocks with a-z, 0-9 and _: models read them as \"table.block\"");
    expect(names.insert(block.name).second, "two blocks have the name `" + block.name + "`",
           "give each block a name of its own");
  }
}

/// The store keeps tables by this: tables of two computations must not be taken for each other.
void named_computation(const Subject& subject) {
  const auto extractor = subject.make<FeatureExtractor>();
  const std::string version = extractor->algorithm_version();
  expect(!version.empty(), "its algorithm_version() is empty",
         "give a version, \"1\", and another one whenever the same sound gives other numbers");
  expect(extractor->algorithm_version() == version, "its algorithm_version() changes",
         "let it depend on nothing that changes");
  const FeatureSpec spec = features(*extractor, sound(2), subject.context).spec();
  expect(spec.extractor == subject.info.name,
         "the spec of its tables names the extractor `" + spec.extractor + "`",
         "give FeatureTable the spec {\"" + subject.info.name + "\", algorithm_version(), ...}");
  expect(spec.version == version,
         "the spec of its tables has the version `" + spec.version + "`, algorithm_version() is `" +
             version + "`",
         "give FeatureTable the spec {\"" + subject.info.name + "\", algorithm_version(), ...}");
}

/// A list of times ascends inside the recording.
void require_beats(const TimeGrid& grid, double seconds) {
  expect(static_cast<std::int64_t>(grid.beats.size()) == grid.rows,
         "its grid has " + std::to_string(grid.rows) + " rows and " +
             std::to_string(grid.beats.size()) + " beats",
         "give one beat a row, or a hop for a uniform grid");
  double before = -1;
  for (const TimeGrid::Beat& beat : grid.beats) {
    expect(beat.time > before && beat.time >= 0 && beat.time <= seconds,
           "a beat at " + format_double(beat.time) + " s in a recording of " +
               format_double(seconds) + " s, after one at " + format_double(before) + " s",
           "give ascending times in seconds, from 0 to the end of the recording");
    before = beat.time;
  }
}

/// Rows reach the end of the recording, exactly so on the standard grid, where a model reads the
/// tables of several extractors row by row (E163). Elsewhere a window may do without the last
/// frames, for which it lacks samples.
void require_covering(const TimeGrid& grid, const AudioBuffer& buffer) {
  const double seconds = static_cast<double>(buffer.samples()) / buffer.sample_rate;
  if (grid.hop == 0) return require_beats(grid, seconds);
  expect(grid.hop > 0 && grid.rate > 0,
         "its grid has hop " + std::to_string(grid.hop) + " and rate " + std::to_string(grid.rate),
         "give samples from row to row, and the rate that they are counted at");
  const std::int64_t rows =
      frame_grid(buffer.samples(), buffer.sample_rate, grid.hop, grid.rate).rows;
  const TimeGrid standard;
  const bool exact = grid.hop == standard.hop && grid.rate == standard.rate;
  const double spare = exact ? 0 : std::max(2.0, 0.1 * grid.rows_per_second());
  expect(grid.rows <= rows && static_cast<double>(rows - grid.rows) <= spare,
         std::to_string(grid.rows) + " rows at hop " + std::to_string(grid.hop) + " and " +
             std::to_string(grid.rate) + " Hz for " + format_double(seconds) + " s at " +
             format_double(buffer.sample_rate) + " Hz, where there are " + std::to_string(rows),
         "let the table cover the recording: take the grid that frame_grid(samples, sample_rate, "
         "hop, rate) of retake/audio/time_grid.hpp gives");
}

void covers_recording(const Subject& subject) {
  const auto extractor = subject.make<FeatureExtractor>();
  for (const auto& buffer : {sound(3), sound(2, 48000, 2), sound(2.345, 44100), sound(2, 8000)}) {
    require_covering(features(*extractor, buffer, subject.context).grid(), buffer);
  }
}

void sound_blocks(const Subject& subject) {
  const auto blocks = subject.make<FeatureExtractor>()->blocks();
  expect(!blocks.empty(), "it declares no block", "name what the columns are in blocks()");
  std::int64_t offset = 0;
  for (const FeatureBlock& block : blocks) {
    expect(block.width >= 1 && block.offset == offset,
           "block `" + block.name + "` has columns " + std::to_string(block.offset) + " + " +
               std::to_string(block.width) + ", " + std::to_string(offset) + " is next",
           "let blocks follow each other from column 0");
    offset += block.width;
  }
  plugin::Symbols symbols = plugin::symbols_of(subject.params);
  for (const PortInfo& port : subject.info.traits.outputs) {
    const auto block = std::find_if(blocks.begin(), blocks.end(),
                                    [&](const auto& b) { return b.name == port.name; });
    expect(block != blocks.end(), "the declared output `" + port.name + "` is no block",
           "give traits().outputs the names of blocks()");
    const auto sizes = plugin::dimensions(port.shape);
    expect(!sizes.empty(), "output `" + port.name + "` has no shape", "declare it: \"S, width\"");
    const auto width = sizes.size() == 1 ? std::optional<std::int64_t>(1)
                                         : plugin::evaluate(sizes.back(), symbols);
    expect(!width || *width == block->width,
           "block `" + port.name + "` is " + std::to_string(block->width) + " wide, declared is [" +
               port.shape + "]",
           "make traits().outputs and blocks() agree");
  }
}

void declared_blocks(const Subject& subject) {
  const auto extractor = subject.make<FeatureExtractor>();
  for (const auto& buffer : {sound(3), sound(2, 48000, 2), sound(2, 8000)}) {
    const FeatureTable table = features(*extractor, buffer, subject.context);
    expect(same_blocks(table.blocks(), extractor->blocks()),
           "the table's blocks are not those that blocks() declares", "make both the same");
    expect(table.rows() > 0, "2 s of sound give no row", "give at least one row");
    require_finite(table);
  }
}

void same_twice(const Subject& subject) {
  if (!subject.info.traits.deterministic) {
    throw plugin::ProbeSkipped("it declares that it is not deterministic");
  }
  const auto one = subject.make<FeatureExtractor>(), two = subject.make<FeatureExtractor>();
  const AudioBuffer buffer = sound(3);
  const FeatureTable first = features(*one, buffer, subject.context);
  expect(equal_bits(first, features(*one, buffer, subject.context)) &&
             equal_bits(first, features(*two, buffer, subject.context)),
         "the same sound gave other bits the second time",
         "draw random numbers from Context::rng, or declare traits().deterministic = false");
}

void several_threads(const Subject& subject) {
  const auto extractor = subject.make<FeatureExtractor>();
  const AudioBuffer buffer = sound(3);
  const FeatureTable alone = features(*extractor, buffer, subject.context);
  plugin::in_threads([&](int) {
    expect(equal_bits(alone, features(*extractor, buffer, subject.context)),
           "extract gave other bits while other threads were in it",
           "const methods are thread-safe: keep nothing between calls, or guard it");
  });
}

void finite_or_error(const Subject& subject, const AudioBuffer& buffer) {
  const auto extractor = subject.make<FeatureExtractor>();
  plugin::result_or_error([&] { require_finite(features(*extractor, buffer, subject.context)); });
}

void nan_sound(const Subject& subject) {
  AudioBuffer buffer = sound(2);
  for (std::size_t i = 1000; i < 1010; ++i) buffer.channels[0][i] = kNaN;
  finite_or_error(subject, buffer);
}

const plugin::RegisterProbes extractors(
    FeatureExtractor::kind,
    {{"blocks follow each other and agree with the declared outputs", sound_blocks},
     {"blocks have names that a model can ask for", named_blocks},
     {"tables say which computation made them", named_computation},
     {"rows cover the recording", covers_recording},
     {"tables have the declared blocks and finite values", declared_blocks},
     {"the same sound gives the same bits", same_twice},
     {"extract gives the same in several threads", several_threads},
     {"silence gives finite values",
      [](const Subject& s) {
        require_finite(features(*s.make<FeatureExtractor>(), constant(22050, 0.0F), s.context));
      }},
     {"one sample: finite or an error",
      [](const Subject& s) { finite_or_error(s, constant(1, 0.5F)); }},
     {"no samples: finite or an error",
      [](const Subject& s) { finite_or_error(s, constant(0, 0.0F)); }},
     {"NaN samples: finite or an error", nan_sound}});

// ---- aligner ----

Alignment aligned(const Aligner& aligner, const AudioBuffer& raw, const AudioBuffer& edit,
                  const Context& context) {
  const auto raw_source = audio_from_buffer(raw, "raw.wav");
  const auto edit_source = audio_from_buffer(edit, "edit.wav");
  return aligner.align(*raw_source, *edit_source, context);
}

void require_sound(const Alignment& a, const AudioBuffer& edit) {
  const auto wrong = problems(a.edl);
  expect(wrong.empty(), "its EDL is unsound: " + (wrong.empty() ? "" : wrong.front()),
         "give segments inside the raw recording");
  expect(a.edl.sources.size() == 1,
         "its EDL has " + std::to_string(a.edl.sources.size()) + " sources",
         "name the raw recording as the only source");
  const TimeGrid grid = frame_grid(edit.samples(), edit.sample_rate);
  const auto rows = static_cast<std::size_t>(grid.rows);
  expect(a.grid == grid && a.confidence.size() == rows && a.gain_db.size() == rows,
         "its curves have " + std::to_string(a.confidence.size()) + " and " +
             std::to_string(a.gain_db.size()) + " values, the edit " + std::to_string(rows) +
             " frames",
         "give one value per edit frame of the standard grid");
  for (std::size_t t = 0; t < rows; ++t) {
    expect(a.confidence[t] >= 0 && a.confidence[t] <= 1 && std::isfinite(a.gain_db[t]),
           "frame " + std::to_string(t) + " has confidence " +
               format_double(static_cast<double>(a.confidence[t])) + " and gain " +
               format_double(static_cast<double>(a.gain_db[t])),
           "confidence lies in [0, 1], gains are finite");
  }
}

void explains(const Subject& subject) {
  const AudioBuffer raw = sound(12), edit = shortened(raw);
  require_sound(aligned(*subject.make<Aligner>(), raw, edit, subject.context), edit);
}

void unrelated(const Subject& subject) {
  AudioBuffer edit = sound(5);
  Rng rng(99);
  for (float& v : edit.channels[0]) v = static_cast<float>(0.3 * rng.uniform(-1, 1));
  require_sound(aligned(*subject.make<Aligner>(), sound(12), edit, subject.context), edit);
}

bool equal(const Alignment& a, const Alignment& b) {
  const auto same = [](const std::vector<float>& x, const std::vector<float>& y) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), [](float p, float q) {
      return plugin::same_number(static_cast<double>(p), static_cast<double>(q));
    });
  };
  return to_value(a.edl) == to_value(b.edl) && same(a.confidence, b.confidence) &&
         same(a.gain_db, b.gain_db);
}

void aligns_the_same(const Subject& subject) {
  const auto aligner = subject.make<Aligner>();
  const AudioBuffer raw = sound(12), edit = shortened(raw);
  const Alignment first = aligned(*aligner, raw, edit, subject.context);
  plugin::in_threads(
      [&](int) {
        expect(equal(first, aligned(*aligner, raw, edit, subject.context)),
               "the same pair gave another alignment",
               "const methods are thread-safe: keep nothing between calls, or guard it");
      },
      2);
}

void sound_or_error(const Subject& subject, const AudioBuffer& raw, const AudioBuffer& edit) {
  const auto aligner = subject.make<Aligner>();
  plugin::result_or_error(
      [&] { require_sound(aligned(*aligner, raw, edit, subject.context), edit); });
}

void nan_pair(const Subject& subject) {
  AudioBuffer raw = sound(6), edit = shortened(raw);
  raw.channels[0][2000] = kNaN;
  edit.channels[0][3000] = kNaN;
  sound_or_error(subject, raw, edit);
}

const plugin::RegisterProbes aligners(
    Aligner::kind, {{"explains an edit with a sound EDL and curves", explains},
                    {"an edit of another recording is no exception", unrelated},
                    {"the same pair gives the same alignment, in several threads", aligns_the_same},
                    {"one sample: sound or an error",
                     [](const Subject& s) {
                       sound_or_error(s, constant(1, 0.5F), constant(1, 0.5F));
                       sound_or_error(s, sound(3), constant(1, 0.5F));
                     }},
                    {"no samples: sound or an error",
                     [](const Subject& s) {
                       sound_or_error(s, constant(0, 0.0F), constant(0, 0.0F));
                       sound_or_error(s, sound(3), constant(0, 0.0F));
                     }},
                    {"NaN samples: sound or an error", nan_pair}});

}  // namespace
}  // namespace retake

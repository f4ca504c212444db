#include "edit/renderer.hpp"

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <memory>
#include <vector>

#include "audio/pcm_file.hpp"
#include "core/stop.hpp"
#include "edit/joins.hpp"
#include "edit/playback.hpp"
#include "retake/audio/hash.hpp"
#include "retake/error.hpp"

namespace retake::edit {
namespace {

namespace fs = std::filesystem;
using audio::PcmFormat;
using audio::PcmReader;
using audio::PcmWriter;
using audio::SampleKind;

constexpr std::int64_t kBlock = 16384;  // samples per channel

std::string segment_name(std::size_t i) {
  return "segments[" + std::to_string(i) + "]";
}

DataError edl_error(const std::string& id, const RenderRequest& request, std::string message,
                    std::string help) {
  return DataError(file_diagnostic(id, request.edl_name, std::move(message), std::move(help)));
}

/// Everything about the EDL that can be refused without opening a source.
void check_edl(const Edl& edl, const RenderRequest& request) {
  std::vector<Diagnostic> errors;
  for (const std::string& problem : problems(edl)) {
    errors.push_back(file_diagnostic("E421", request.edl_name, problem, "mend the EDL"));
  }
  if (!errors.empty()) throw DataError(std::move(errors));
  for (std::size_t i = 0; i < edl.segments.size(); ++i) {
    const Segment& s = edl.segments[i];
    if (s.is_gap()) continue;
    const auto refuse = [&](const std::string& what, const std::string& help) {
      errors.push_back(
          file_diagnostic("E423", request.edl_name, segment_name(i) + ": " + what, help));
    };
    if (!s.effects.empty()) {
      refuse("no effect plugin named `" + s.effects.front().plugin + "` in this version",
             "take the effect out of the segment");
    }
    if (s.rate != 1.0) {
      refuse("playback rates other than 1 are not available in this version", "set rate to 1");
    }
    if (s.pitch != 0.0) {
      refuse("pitch other than 0 is not available in this version", "set pitch to 0");
    }
  }
  if (edl.output_samples() == 0) {
    errors.push_back(file_diagnostic("E423", request.edl_name,
                                     "there is nothing to render: the edit has no samples",
                                     "give the EDL a segment"));
  }
  if (!errors.empty()) throw DataError(std::move(errors));
}

/// Opens the sources and compares them with what the EDL says and with each other.
std::vector<std::unique_ptr<PcmReader>> open_sources(const Edl& edl, const RenderRequest& request) {
  std::vector<std::unique_ptr<PcmReader>> readers;
  const std::vector<fs::path> paths = source_paths(edl, request);
  for (std::size_t i = 0; i < paths.size(); ++i) {
    require_source(edl, request, i);
    readers.push_back(std::make_unique<PcmReader>(paths[i].string()));
    const AudioInfo& info = readers.back()->info();
    const AudioInfo& first = readers.front()->info();
    const EdlSource& said = edl.sources[i];
    const auto differs = [&](const std::string& what, const std::string& help) {
      return edl_error("E422", request,
                       "sources[" + std::to_string(i) + "] (" + paths[i].string() + ") " + what,
                       help);
    };
    const std::string other = "give the recording that the EDL was made from (--source RAW)";
    if (said.sample_rate > 0.0 && said.sample_rate != info.sample_rate) {
      throw differs("has " + format_double(info.sample_rate) + " Hz, the EDL says " +
                        format_double(said.sample_rate),
                    other);
    }
    if (said.channels > 0 && said.channels != info.channels) {
      throw differs("has " + std::to_string(info.channels) + " channels, the EDL says " +
                        std::to_string(said.channels),
                    other);
    }
    if (said.samples >= 0 && said.samples != info.samples) {
      throw differs("has " + std::to_string(info.samples) + " samples, the EDL says " +
                        std::to_string(said.samples),
                    other);
    }
    if (info.sample_rate != first.sample_rate || info.channels != first.channels) {
      throw differs("has another sample rate or channel count than the first source",
                    "convert the sources to one rate and channel count first");
    }
    if (!said.sha256_pcm.empty() && sha256_pcm(paths[i].string()) != said.sha256_pcm) {
      throw differs("has other samples than the EDL says (sha256_pcm)", other);
    }
  }
  for (std::size_t i = 0; i < edl.segments.size(); ++i) {
    const Segment& s = edl.segments[i];
    if (s.is_gap()) continue;
    const std::int64_t samples = readers[static_cast<std::size_t>(s.source)]->info().samples;
    if (s.end > samples) {
      throw edl_error("E421", request,
                      segment_name(i) + ": the range [" + std::to_string(s.begin) + ", " +
                          std::to_string(s.end) + ") is outside the source, which has " +
                          std::to_string(samples) + " samples",
                      "mend the EDL, or give the recording that it was made from");
    }
  }
  return readers;
}

PcmFormat choose_format(const RenderRequest& request, const AudioInfo& first) {
  PcmFormat format = audio::output_format(first);
  if (request.add_extension) {
    PcmFormat flac = format;
    flac.container = "flac";
    return request.prefer_flac && audio::can_hold(flac) ? flac : format;
  }
  std::string extension = request.output.extension().string();
  std::transform(extension.begin(), extension.end(), extension.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  if (extension.empty() || extension == audio::file_extension(format)) return format;
  if (extension == ".aif") extension = ".aiff";
  for (const char* known : {"wav", "flac", "aiff", "w64", "caf", "rf64"}) {
    if (extension.substr(1) != known) continue;
    format.container = known;
    if (format.bits() == 8 && !audio::can_hold(format)) {  // with or without sign: the same samples
      format.subtype = format.subtype == "pcm_s8" ? "pcm_u8" : "pcm_s8";
    }
    if (audio::can_hold(format)) return format;
    throw DataError(file_diagnostic(
        "E426", request.output.string(),
        "a " + extension + " file cannot hold the recording's format: " + format.subtype + ", " +
            std::to_string(format.channels) + " channels at " + std::to_string(format.sample_rate) +
            " Hz",
        "name a .wav file, which holds every format"));
  }
  throw DataError(file_diagnostic("E426", request.output.string(),
                                  "edits are not written as `" + extension + "` files",
                                  "name a .wav, .flac, .aiff, .w64, .caf or .rf64 file"));
}

/// "12.3 kB", "4.1 MB" or "2.0 GB".
std::string size_text(double bytes) {
  const char* unit = bytes < 1e6 ? "kB" : bytes < 1e9 ? "MB" : "GB";
  const double scale = bytes < 1e6 ? 1e3 : bytes < 1e9 ? 1e6 : 1e9;
  char text[40];
  std::snprintf(text, sizeof text, "%.1f %s", bytes / scale, unit);
  return text;
}

void check_output(const Edl& edl, const RenderRequest& request, const PcmFormat& format) {
  std::error_code ignored;
  for (const fs::path& source : source_paths(edl, request)) {
    if (fs::equivalent(source, request.output, ignored)) {
      throw DataError(file_diagnostic("E426", request.output.string(),
                                      "the output would overwrite the recording that it copies",
                                      "name another file with -o"));
    }
  }
  if (format.container == "flac") return;  // its size cannot be known
  const fs::path folder = fs::absolute(request.output).parent_path();
  const fs::space_info space = fs::space(folder, ignored);
  const double width = format.kind() == SampleKind::integer
                           ? format.bits() / 8.0
                           : (format.kind() == SampleKind::float64 ? 8.0 : 4.0);
  const double bytes = static_cast<double>(edl.output_samples()) * format.channels * width;
  if (!ignored && bytes > static_cast<double>(space.available)) {
    throw DataError(file_diagnostic("E426", request.output.string(),
                                    "the edit needs " + size_text(bytes) + ", and the disk has " +
                                        size_text(static_cast<double>(space.available)) + " free",
                                    "free some space, or mend the EDL if it should be shorter"));
  }
}

/// Writes the edit from front to back.
class Renderer {
 public:
  Renderer(const Edl& edl, const RenderRequest& request,
           std::vector<std::unique_ptr<PcmReader>> readers, PcmWriter& writer)
      : edl_(edl),
        request_(request),
        readers_(std::move(readers)),
        writer_(writer),
        channels_(writer.format().channels),
        total_(edl.output_samples()),
        windows_(join_windows(edl)) {}

  void run(RenderReport& report) {
    for (std::size_t i = 0; i < edl_.segments.size(); ++i) {
      const std::int64_t before = i == 0 ? 0 : windows_[i - 1].after;
      body(i, before, edl_.segments[i].output_samples() - windows_[i].before);
      if (windows_[i].samples() > 0) join(i);
      const std::int64_t wanted = edl_.segments[i].join.samples;
      if (i + 1 < edl_.segments.size() && windows_[i].samples() != wanted) ++report.short_joins;
    }
    report.copied = copied_;
    report.clipped = clipped_;
  }

 private:
  PcmReader& reader(const Segment& s) { return *readers_[static_cast<std::size_t>(s.source)]; }
  std::int64_t source_samples(const Segment& s) {
    return s.is_gap() ? 0 : reader(s).info().samples;
  }

  /// Calls `work(begin, n)` for blocks of [from, to), looking for a request to stop between them.
  template <class F>
  void blocks(std::int64_t from, std::int64_t to, F work) {
    for (std::int64_t begin = from; begin < to; begin += kBlock) {
      if (stop_requested()) throw stopped("rendering was interrupted; nothing was written");
      work(begin, std::min(kBlock, to - begin));
      if (request_.progress) request_.progress(writer_.written(), total_);
    }
  }

  /// The segment's output samples [from, to), which lie outside joins.
  void body(std::size_t i, std::int64_t from, std::int64_t to) {
    const Segment& s = edl_.segments[i];
    if (s.is_gap()) {
      blocks(from, to, [&](std::int64_t, std::int64_t n) {
        mix_.assign(static_cast<std::size_t>(n * channels_), 0.0);
        write_mix(n);
      });
      return;
    }
    for (const Stretch& part : stretches(s, from, to)) {
      blocks(part.begin, part.end, [&](std::int64_t begin, std::int64_t n) {
        if (part.unity && copies_exactly(s)) {
          copy(s, begin, n);
          copied_ += n;
          return;
        }
        play(s, reader(s), begin, n, mix_);
        write_mix(n);
      });
    }
  }

  /// Whether the source's own samples can be handed to the output file as they are.
  bool copies_exactly(const Segment& s) {
    const PcmReader& source = reader(s);
    const PcmFormat& format = writer_.format();
    if (s.reverse || source.kind() != format.kind()) return false;
    return format.kind() != SampleKind::integer || source.bits() <= format.bits();
  }

  void copy(const Segment& s, std::int64_t begin, std::int64_t n) {
    switch (writer_.format().kind()) {
      case SampleKind::integer:
        return copy_as(s, begin, n, integers_);
      case SampleKind::float32:
        return copy_as(s, begin, n, floats_);
      case SampleKind::float64:
        return copy_as(s, begin, n, mix_);
    }
  }

  template <class T>
  void copy_as(const Segment& s, std::int64_t begin, std::int64_t n, std::vector<T>& buffer) {
    buffer.resize(static_cast<std::size_t>(n * channels_));
    reader(s).read(raw_begin(s, begin, n), n, buffer.data());
    writer_.write(buffer.data(), n);
  }

  /// The crossfade behind segment i.
  void join(std::size_t i) {
    const Segment& a = edl_.segments[i];
    const Segment& b = edl_.segments[i + 1];
    const JoinWindow& window = windows_[i];
    const JoinSide out = leaving_side(a, source_samples(a), window, a.join.curve);
    const JoinSide in = entering_side(b, source_samples(b), window, a.join.curve);
    const std::int64_t a_start = a.output_samples() - window.before;
    blocks(0, window.samples(), [&](std::int64_t begin, std::int64_t n) {
      mix_.assign(static_cast<std::size_t>(n * channels_), 0.0);
      add_side(a, out, a_start, begin, n);
      add_side(b, in, -window.before, begin, n);
      write_mix(n);
    });
  }

  /// Adds the window's samples [begin, begin + n) of one side; the window starts at the segment's
  /// output sample `start`.
  void add_side(const Segment& s, const JoinSide& side, std::int64_t start, std::int64_t begin,
                std::int64_t n) {
    const std::int64_t from = std::max(begin, side.first);
    const std::int64_t to = std::min(begin + n, side.first + side.length);
    if (from >= to) return;
    play(s, reader(s), start + from, to - from, side_);
    for (std::int64_t k = from; k < to; ++k) {
      const double level = side.level(k);
      const double* sample = side_.data() + (k - from) * channels_;
      double* target = mix_.data() + (k - begin) * channels_;
      for (std::int64_t c = 0; c < channels_; ++c) target[c] += level * sample[c];
    }
  }

  void write_mix(std::int64_t n) {
    const PcmFormat& format = writer_.format();
    if (format.kind() == SampleKind::float64) return writer_.write(mix_.data(), n);
    if (format.kind() == SampleKind::float32) {
      floats_.assign(mix_.begin(), mix_.end());
      return writer_.write(floats_.data(), n);
    }
    integers_.resize(mix_.size());
    for (std::size_t k = 0; k < mix_.size(); ++k) {
      integers_[k] = audio::quantise(mix_[k], format.bits(), clipped_);
    }
    writer_.write(integers_.data(), n);
  }

  const Edl& edl_;
  const RenderRequest& request_;
  std::vector<std::unique_ptr<PcmReader>> readers_;
  PcmWriter& writer_;
  std::int64_t channels_;
  std::int64_t total_;
  std::vector<JoinWindow> windows_;
  std::int64_t copied_ = 0;
  std::int64_t clipped_ = 0;
  std::vector<double> mix_;
  std::vector<double> side_;
  std::vector<float> floats_;
  std::vector<std::int32_t> integers_;
};

}  // namespace

std::vector<fs::path> source_paths(const Edl& edl, const RenderRequest& request) {
  if (!request.source.empty()) {
    if (edl.sources.size() != 1) {
      throw edl_error("E422", request,
                      "a source can be replaced only in an EDL with one source, this one has " +
                          std::to_string(edl.sources.size()),
                      "change sources[].path in the EDL");
    }
    return {request.source};
  }
  std::vector<fs::path> paths;
  for (const EdlSource& source : edl.sources) paths.push_back(request.base / source.path);
  return paths;
}

void require_source(const Edl& edl, const RenderRequest& request, std::size_t i) {
  std::error_code ignored;
  const fs::path path = source_paths(edl, request)[i];
  if (!request.source.empty() || fs::exists(path, ignored)) return;
  const auto user = std::find_if(edl.segments.begin(), edl.segments.end(), [&](const Segment& s) {
    return !s.is_gap() && s.source == static_cast<int>(i);
  });
  const auto index = static_cast<std::size_t>(user - edl.segments.begin());
  throw edl_error(
      "E422", request,
      "sources[" + std::to_string(i) + "] is not there: " + path.lexically_normal().string() +
          (user == edl.segments.end() ? "" : ", which " + segment_name(index) + " plays"),
      edl.sources.size() == 1
          ? "give it with --source RAW, or mend sources[].path: it is relative to the EDL"
          : "mend sources[].path in the EDL: it is relative to the EDL");
}

RenderReport render(const Edl& edl, const RenderRequest& request) {
  check_edl(edl, request);
  auto readers = open_sources(edl, request);
  const PcmFormat format = choose_format(request, readers.front()->info());
  RenderReport report;
  report.output = request.output;
  if (request.add_extension || report.output.extension().empty())
    report.output += audio::file_extension(format);
  RenderRequest exact = request;
  exact.output = report.output;
  check_output(edl, exact, format);
  PcmWriter writer(report.output.string(), format, edl.output_samples());
  Renderer(edl, exact, std::move(readers), writer).run(report);
  writer.finish();
  report.samples = writer.written();
  report.container = writer.format().container;
  report.subtype = writer.format().subtype;
  report.sample_rate = format.sample_rate;
  report.channels = format.channels;
  return report;
}

Value to_value(const RenderReport& report) {
  Table t;
  t["output"] = report.output.string();
  t["samples"] = report.samples;
  t["seconds"] = static_cast<double>(report.samples) / report.sample_rate;
  t["sample_rate"] = report.sample_rate;
  t["channels"] = report.channels;
  t["container"] = report.container;
  t["subtype"] = report.subtype;
  t["copied"] = report.copied;
  t["clipped"] = report.clipped;
  t["short_joins"] = report.short_joins;
  return Value(std::move(t));
}

}  // namespace retake::edit

// retake edit: recordings in, edited recordings out, by a trained run.

#include <algorithm>
#include <cmath>
#include <set>

#include "command.hpp"
#include "core/stop.hpp"
#include "edit_files.hpp"
#include "infer_options.hpp"
#include "ledger.hpp"
#include "many_files.hpp"
#include "output_names.hpp"
#include "retake/audio/hash.hpp"
#include "retake/audio/source.hpp"
#include "retake/log.hpp"
#include "run/io.hpp"
#include "run/progress.hpp"

namespace retake::cli {
namespace {

namespace fs = std::filesystem;

constexpr double kLongestJoin = 10.0;  ///< seconds; far beyond any crossfade

void options(po::options_description& o) {
  infer_options(o);
  auto add = o.add_options();
  add("run", po::value<std::string>()->value_name("RUN"),
      "RUN[:best|latest|STEP] or a checkpoint folder");
  add("output,o", po::value<std::string>()->default_value(".")->value_name("DIR"),
      "where the edits go");
  add("length", po::value<std::string>()->value_name("L"),
      "wanted length: 6:30, 390s, or a share of the recording such as 0.6");
  add("greedy", po::bool_switch(), "decide step by step instead of searching");
  add("samples", po::value<int>()->value_name("N"), "N different edits, sampled");
  add("seed", po::value<std::uint64_t>()->default_value(0)->value_name("S"), "of --samples");
  add("join", po::value<double>()->default_value(kJoinSeconds, "0.03")->value_name("S"),
      "crossfade at cuts, seconds");
}

/// "6:30", "1:02:03", "390s" or a share of the recording.
double wanted_seconds(const std::string& text, double recording) {
  const auto bad = [&]() -> UsageError {
    return usage_error("`--length " + text + "` is no length",
                       "write minutes and seconds (6:30), seconds (390s), or a share (0.6)");
  };
  double seconds = 0;
  std::size_t begin = 0;
  std::string rest = text;
  const bool clock = text.find(':') != std::string::npos;
  const bool unit = text.ends_with("s");
  if (unit) rest.pop_back();
  while (begin <= rest.size()) {
    const std::size_t end = std::min(rest.find(':', begin), rest.size());
    const std::string part = rest.substr(begin, end - begin);
    std::size_t used = 0;
    double value = -1;
    try {
      value = std::stod(part, &used);
    } catch (const std::exception&) {
      throw bad();  // std::stod speaks of itself, not of the option
    }
    if (used != part.size() || !(value >= 0) || !std::isfinite(value)) throw bad();
    if (begin > 0 && value >= 60) {
      throw usage_error("`--length " + text + "` is no length: " + part + " follows a colon",
                        "minutes and seconds behind a colon are below 60");
    }
    seconds = seconds * 60 + value;
    begin = end + 1;
  }
  if (!clock && !unit) {
    if (seconds > 1) throw bad();
    seconds *= recording;
  }
  if (!(seconds > 0)) throw bad();
  return seconds;
}

EditRequest make_request(const Arguments& a, OpenModel& m, AudioSource& source,
                         const fs::path& recording) {
  const AudioInfo& info = source.info();
  EditRequest request;
  request.source.path = recording.string();
  request.source.sample_rate = info.sample_rate;
  request.source.channels = info.channels;
  request.source.samples = info.samples;
  request.source.sha256_pcm = sha256_pcm(source);
  for (const nn::NamedExtractor& e : m.model->extractors()) {
    m.context->progress("features " + recording.filename().string() + " " + e.name, 0, 0);
    request.features.emplace(e.name, e.extractor->extract(source, *m.context));
  }
  if (a.options.contains("length")) {
    request.target_seconds = wanted_seconds(a.options["length"].as<std::string>(),
                                            static_cast<double>(info.samples) / info.sample_rate);
  }
  if (a.options["greedy"].as<bool>()) request.mode = "greedy";
  if (a.options.contains("samples")) request.mode = "sample";
  return request;
}

int samples_of(const Arguments& a) {
  return a.options.contains("samples") ? a.options["samples"].as<int>() : 1;
}

std::string describe(const Value& results) {
  std::string text;
  for (const Value& item : results.as_array()) {
    const Table& t = item.as_table();
    const auto seconds = static_cast<long>(std::llround(t.at("seconds").as_double()));
    text += t.at("recording").as_string() + " -> " + t.at("audio").as_string() + "  " +
            std::to_string(seconds / 60) + ":" + (seconds % 60 < 10 ? "0" : "") +
            std::to_string(seconds % 60) + " in " + std::to_string(t.at("segments").as_int()) +
            " segments\n";
    if (t.at("clipped").as_int() > 0) {
      text += "  " + std::to_string(t.at("clipped").as_int()) + " values were beyond full scale\n";
    }
  }
  return text;
}

/// What can be said about the options without opening anything.
void check_options(const Arguments& a) {
  if (a.positional.empty())
    throw usage_error("edit takes one recording or more", "retake edit AUDIO... --run last");
  if (!a.options.contains("run")) {
    throw usage_error("edit needs a trained run",
                      "name it with --run last; retake runs lists them");
  }
  if (a.options["greedy"].as<bool>() && a.options.contains("samples")) {
    throw usage_error("--greedy and --samples exclude each other", "leave one of them away");
  }
  if (samples_of(a) < 1) {
    throw usage_error("--samples takes a number of 1 or more", "--samples 5");
  }
  const double join = a.options["join"].as<double>();
  if (!(join >= 0.0 && join <= kLongestJoin)) {
    throw usage_error("--join takes 0 to 10 seconds, got " + format_double(join),
                      "the default is 0.03; 0 cuts without a crossfade");
  }
  if (a.options.contains("length")) wanted_seconds(a.options["length"].as<std::string>(), 1.0);
}

/// Two recordings of one name would overwrite each other's edits, and an edit a recording.
void check_names(const Arguments& a, const fs::path& folder) {
  OutputNames names;
  for (const std::string& recording : a.positional) {
    for (int i = 0; i < samples_of(a); ++i) {
      names.add(recording, edit_files(recording, folder, i, samples_of(a)).audio, true);
    }
  }
  for (const std::string& recording : a.positional) names.keep(recording);
}

/// A recording may have too little, or too much that the model insists on.
void note_length(double wanted, const Value& written) {
  const double seconds = written.as_table().at("seconds").as_double();
  if (std::abs(seconds - wanted) <= std::max(2.0, 0.05 * wanted)) return;
  log_warning("the edit of " + written.as_table().at("recording").as_string() + " has " +
              run::format_duration(seconds) + " where " + run::format_duration(wanted) +
              " were asked for: the editor found none that comes nearer");
}

/// Gives what was written, one entry per sample.
Array edit_recording(const Arguments& a, OpenModel& m, const std::string& recording) {
  const fs::path folder = a.options["output"].as<std::string>();
  const auto source = open_audio(recording);
  EditRequest request = make_request(a, m, *source, recording);
  if (stop_requested()) throw stopped("stopped while features were computed");
  const report::Waveform waveform = report::waveform(*source, kPlotColumns);
  const int samples = samples_of(a);
  Array results;
  std::set<std::string> different;
  for (int i = 0; i < samples; ++i) {
    request.seed = derive_seed(a.options["seed"].as<std::uint64_t>(),
                               {"edit/sample", static_cast<std::uint64_t>(i)});
    EditResult result = m.model->edit(request);
    results.push_back(write_edit(result, *source, waveform,
                                 edit_files(recording, folder, i, samples),
                                 a.options["join"].as<double>(), *m.context));
    different.insert(to_json(to_value(result.edl)));
    if (request.target_seconds) note_length(*request.target_seconds, results.back());
  }
  if (samples > 1 && different.size() == 1) {
    const std::string editor = m.model->experiment().find(Editor::kind)->plugin;
    log_warning("all " + std::to_string(samples) + " edits of " + recording +
                " are the same: the editor `" + editor + "` does not sample");
  }
  return results;
}

std::vector<fs::path> files_of(const Array& results) {
  std::vector<fs::path> files;
  for (const Value& item : results) {
    for (const char* key : {"audio", "edl", "plot"}) {
      files.emplace_back(item.as_table().at(key).as_string());
    }
  }
  return files;
}

/// What tells an edit from others of the same recordings into the same folder.
std::string call_of(const Arguments& a, const OpenModel& m) {
  const auto& o = a.options;
  return fs::absolute(m.checkpoint).string() + '\n' +
         (o.contains("length") ? o["length"].as<std::string>() : "") + '\n' +
         (o["greedy"].as<bool>() ? "greedy" : "") + '\n' + std::to_string(samples_of(a)) + '\n' +
         std::to_string(o["seed"].as<std::uint64_t>()) + '\n' +
         format_double(o["join"].as<double>());
}

int run(const Arguments& a) {
  check_options(a);
  const fs::path folder = a.options["output"].as<std::string>();
  check_names(a, folder);
  OpenModel m = open_model(a, a.options["run"].as<std::string>());
  run::make_folders(folder);
  Ledger ledger(folder, "edit", call_of(a, m), {a.positional.begin(), a.positional.end()});
  Array results;
  Batch batch;
  bool more = true;
  for (const std::string& recording : a.positional) {
    if (const Array* done = ledger.find(recording)) {
      results.insert(results.end(), done->begin(), done->end());
      continue;
    }
    more = batch.attempt([&] {
      const Array written = edit_recording(a, m, recording);
      results.insert(results.end(), written.begin(), written.end());
      ledger.add(recording, files_of(written), written);
    });
    if (!more) break;
  }
  if (more) ledger.finish();
  m.line->finish();
  const Value value(std::move(results));
  print_result(a, value, [&] { return describe(value); });
  batch.finish("the same command goes on where this one ended; nothing half-written was kept");
  return 0;
}

const RegisterCommand registered(
    {.name = "edit",
     .synopsis =
         "AUDIO... --run RUN [-o DIR] [--length 6:30|0.6] [--greedy|--samples N] [--seed S]",
     .summary = "Edit recordings with a trained run",
     .examples = {"retake edit rehearsal.wav --run last -o edited",
                  "retake edit a.flac b.mp3 --run k7q2m4xa:best --length 6:30"},
     .options = options,
     .run = run,
     .details = "For each recording: STEM_edited.* in the source's rate, channels and lossless "
                "format (32-bit float\nWAV for lossy ones), STEM.edl.json, whose rendering is that "
                "audio bit for bit, and STEM_edit.png."});

}  // namespace
}  // namespace retake::cli

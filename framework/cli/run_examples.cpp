#include "run_examples.hpp"

#include <algorithm>

#include "core/files.hpp"
#include "edit_files.hpp"
#include "retake/edit/metrics.hpp"
#include "run/io.hpp"
#include "run/run_find.hpp"

namespace retake::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostSongs = 3;
constexpr double kMostAudioSeconds = 600.0;
constexpr double kExcerptSeconds = 15.0;  ///< in TensorBoard

/// The longest stretch around the first cut of the edit, mono.
Sound excerpt(const fs::path& audio, const Edl& edl) {
  const auto source = open_audio(audio.string());
  const AudioInfo& info = source->info();
  const auto wanted =
      std::min(info.samples, static_cast<std::int64_t>(kExcerptSeconds * info.sample_rate));
  const std::vector<std::int64_t> starts = edl.output_starts();
  const std::int64_t cut = starts.size() > 2 ? starts[1] : 0;
  const std::int64_t begin = std::clamp<std::int64_t>(cut - wanted / 2, 0, info.samples - wanted);
  Sound sound{info.sample_rate, std::vector<float>(static_cast<std::size_t>(wanted))};
  source->read_mono(begin, wanted, sound.samples.data());
  return sound;
}

EditFiles files_of(const run::RunFolder& folder, const std::string& id) {
  const fs::path root = folder.artifacts();
  return {root / "audio" / id, root / "edits" / (id + ".edl.json"), root / "plots" / (id + ".svg"),
          true};
}

Table prediction(const Song& song, const Edl& found) {
  std::vector<edit::MaterialRange> material;
  for (const MaterialSpan& m : song.pair.material) material.push_back({m.begin, m.end, m.kind});
  Table line;
  line["id"] = song.pair.id;
  line["split"] = song.pair.split;
  Table metrics;
  for (const auto& [name, value] :
       edit::edit_metrics(song.alignment.edl, found, song.raw.samples, material)) {
    metrics[name] = value;
  }
  line["metrics"] = std::move(metrics);
  return line;
}

}  // namespace

void write_examples(const run::RunFolder& folder, nn::Room& room, plugin::Registry& registry,
                    Context& context, const data::ExperimentData& data, RunLogs& logs) {
  const fs::path checkpoint =
      run::find_checkpoint(folder.path().string(), folder.path().parent_path());
  const std::unique_ptr<nn::Inference> model = room.load(checkpoint, registry, context);
  for (const char* part : {"audio", "edits", "plots"}) run::make_folders(folder.artifacts() / part);
  std::string predictions;
  double seconds = 0;
  std::size_t done = 0;
  for (const Song* song : data.corpus.split("val")) {
    if (done == kMostSongs || context.stop_requested()) break;
    const double length = static_cast<double>(song->raw.samples) / song->raw.sample_rate;
    if (seconds + length > kMostAudioSeconds) continue;
    try {
      EditRequest request;
      request.source = song->alignment.edl.sources.front();
      request.features = song->features;
      EditResult result = model->edit(request);
      const Edl found = result.edl;
      const auto source = open_audio(song->pair.raw.string());
      const EditFiles files = files_of(folder, song->pair.id);
      const report::Waveform wave = report::waveform(*source, kPlotColumns);
      const Value written = write_edit(result, *source, wave, files, kJoinSeconds, context);
      const fs::path audio = written.as_table().at("audio").as_string();
      logs.show({"edit/" + song->pair.id, excerpt(audio, result.edl)});
      logs.show({"edit/" + song->pair.id + "/picture",
                 report::edit_picture(song->pair.id, wave, result.edl, result.curves)});
      predictions += to_json(Value(prediction(*song, found))) + "\n";
      seconds += length;
      ++done;
    } catch (const Error& e) {
      log_warning("no example of " + song->pair.id + ": " + e.diagnostics().front().message);
    }
  }
  if (!predictions.empty()) {
    write_file_atomic(folder.artifacts() / "predictions.jsonl", predictions);
  }
}

}  // namespace retake::cli

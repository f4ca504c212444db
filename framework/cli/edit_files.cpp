#include "edit_files.hpp"

#include <cmath>

#include "config/path.hpp"
#include "edit/renderer.hpp"
#include "retake/edit/join_choice.hpp"
#include "retake/error.hpp"

namespace retake::cli {

namespace fs = std::filesystem;

EditFiles edit_files(const fs::path& recording, const fs::path& folder, int sample, int samples) {
  std::string stem = recording.stem().string();
  const std::string mark = samples > 1 ? "-" + std::to_string(sample + 1) : "";
  return {folder / (stem + "_edited" + mark), folder / (stem + mark + ".edl.json"),
          folder / (stem + "_edit" + mark + ".png"), false};
}

Value write_edit(EditResult& result, AudioSource& source, const report::Waveform& waveform,
                 const EditFiles& files, double join_s, const Context& context) {
  EdlSource& recording = result.edl.sources.front();
  const std::string name = recording.path;
  if (result.edl.output_samples() <= 0) {
    throw DataError(file_diagnostic("E429", name, "the model keeps nothing of this recording",
                                    "ask for a length with --length, or use another run"));
  }
  if (!config::is_utf8(
          name)) {  // JSON could not hold it, so that the EDL would not find its source
    throw DataError(file_diagnostic("E421", name, "the recording's name is no UTF-8 text",
                                    "rename the recording"));
  }
  const auto join = static_cast<std::int64_t>(std::llround(join_s * recording.sample_rate));
  choose_joins(result.edl, source, join);
  const fs::path folder = files.edl.parent_path();
  recording.path = fs::proximate(fs::absolute(name), fs::absolute(folder)).string();
  edit::RenderRequest render;
  render.base = folder;
  render.output = files.audio;
  render.add_extension = true;
  render.prefer_flac = files.prefer_flac;
  render.edl_name = files.edl.string();
  render.progress = [&](std::int64_t done, std::int64_t total) {
    context.progress("rendering " + files.audio.filename().string(), static_cast<double>(done),
                     static_cast<double>(total));
  };
  const edit::RenderReport report = edit::render(result.edl, render);
  write_edl(result.edl, files.edl.string());
  report::plot_edit(files.plot, fs::path(name).filename().string(), waveform, result.edl,
                    result.curves);
  Table t;
  t["recording"] = name;
  t["audio"] = report.output.string();
  t["edl"] = files.edl.string();
  t["plot"] = files.plot.string();
  t["seconds"] = static_cast<double>(report.samples) / report.sample_rate;
  t["segments"] = static_cast<std::int64_t>(result.edl.segments.size());
  t["clipped"] = report.clipped;
  return t;
}

}  // namespace retake::cli

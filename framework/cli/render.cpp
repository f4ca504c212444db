// `retake render`: an EDL becomes sound.

#include <filesystem>

#include "command.hpp"
#include "core/stop.hpp"
#include "edit/renderer.hpp"
#include "edl_files.hpp"
#include "many_files.hpp"
#include "output_names.hpp"
#include "run/progress.hpp"

namespace retake::cli {
namespace {

namespace fs = std::filesystem;

std::string option(const Arguments& a, const char* name) {
  return a.options.contains(name) ? a.options[name].as<std::string>() : std::string();
}

/// Where the edit of `edl` goes: OUT, a file in the folder OUT, or beside the EDL.
void set_output(edit::RenderRequest& request, const fs::path& edl, const std::string& out,
                bool many) {
  std::error_code ignored;
  const bool folder = many || out.ends_with('/') || fs::is_directory(out, ignored);
  request.add_extension = out.empty() || folder;
  if (request.add_extension) {
    const fs::path name = edl_stem(edl) + "_edited";
    request.output = (out.empty() ? edl.parent_path() : fs::path(out)) / name;
  } else {
    request.output = out;
  }
}

edit::RenderRequest request_of(const Arguments& a, const fs::path& file, bool many) {
  edit::RenderRequest request;
  request.base = file.parent_path();
  request.source = option(a, "source");
  set_output(request, file, option(a, "output"), many);
  request.edl_name = file.string();
  return request;
}

/// No edit is written over another, nor over a recording that a later one copies.
void check_names(const Arguments& a) {
  OutputNames names;
  for (const std::string& file : a.positional) {
    const edit::RenderRequest request = request_of(a, file, true);
    names.add(file, request.output, request.add_extension);
  }
  for (const std::string& file : a.positional) {
    try {
      const edit::RenderRequest request = request_of(a, file, true);
      for (const fs::path& source : edit::source_paths(read_edl(file), request)) names.keep(source);
    } catch (const DataError&) {  // told when its turn comes
    }
  }
}

edit::RenderReport render_file(const Arguments& a, const fs::path& file, bool many) {
  edit::RenderRequest request = request_of(a, file, many);
  const Edl edl = read_edl(file.string());
  run::ProgressLine line(run::ProgressLine::mode_of(stderr, a.globals.quiet, a.globals.json));
  const double rate = edl.sources.front().sample_rate;
  request.progress = [&](std::int64_t done, std::int64_t total) {
    run::ProgressState state;
    state.what = "render";
    state.done = static_cast<double>(done) / (rate > 0.0 ? rate : 1.0);
    state.total = static_cast<double>(total) / (rate > 0.0 ? rate : 1.0);
    line.update(state);
  };
  return edit::render(edl, request);
}

std::string text_of(const edit::RenderReport& r) {
  std::string text = r.output.string() + "   " +
                     clock_text(static_cast<double>(r.samples) / r.sample_rate) + "   " +
                     std::to_string(r.sample_rate) + " Hz x" + std::to_string(r.channels) + " " +
                     r.subtype + "   ";
  char share[32];
  std::snprintf(share, sizeof share, "%.2f",
                100.0 * static_cast<double>(r.copied) / static_cast<double>(r.samples));
  return text + share + " % copied unchanged\n";
}

std::vector<Diagnostic> warnings_of(const edit::RenderReport& r) {
  std::vector<Diagnostic> found;
  const auto warn = [&](const std::string& id, const std::string& message,
                        const std::string& help) {
    Diagnostic d = file_diagnostic(id, r.output.string(), message, help);
    d.severity = Severity::warning;
    found.push_back(std::move(d));
  };
  if (r.clipped > 0) {
    warn("W40", std::to_string(r.clipped) + " sample values were beyond full scale and clipped",
         "lower gain_db in the EDL");
  }
  if (r.short_joins > 0) {
    warn("W41",
         std::to_string(r.short_joins) +
             " joins reach beyond the middle of a segment and were made shorter",
         "shorten the joins or lengthen the segments");
  }
  return found;
}

/// Clipping is never silent, so --quiet does not hide it; in JSON it is a number of the result.
void warn(const Globals& globals, const edit::RenderReport& report) {
  Globals loud = globals;
  loud.quiet = false;
  print_diagnostics(loud, warnings_of(report));
}

int run(const Arguments& a) {
  if (a.positional.empty()) {
    throw usage_error("an EDL is needed", "retake render song.edl.json -o song.wav");
  }
  const bool many = a.positional.size() > 1;
  if (many && a.options.contains("source")) {
    throw usage_error("--source goes with one EDL", "render each EDL with its own --source");
  }
  if (many) check_names(a);
  install_stop_signals();
  Array reports;
  std::string text;
  Batch batch;
  for (const std::string& file : a.positional) {
    const bool more = batch.attempt([&] {
      const edit::RenderReport report = render_file(a, file, many);
      warn(a.globals, report);
      reports.push_back(to_value(report));
      text += text_of(report);
    });
    if (!more) break;
  }
  if (many || !reports.empty()) {
    print_result(a, many ? Value(std::move(reports)) : reports.front(), [&] { return text; });
  }
  batch.finish("render what is left again; nothing half-written was kept");
  return 0;
}

const RegisterCommand registered(
    {.name = "render",
     .synopsis = "EDL... [--source RAW] [-o OUT]",
     .summary = "Turn an EDL into sound, at the source's own quality",
     .examples = {"retake render song.edl.json",
                  "retake render song.edl.json --source takes/song.wav -o song.flac"},
     .options =
         [](po::options_description& o) {
           o.add_options()("source", po::value<std::string>()->value_name("RAW"),
                           "the recording, instead of the one that the EDL names")(
               "output,o", po::value<std::string>()->value_name("OUT"),
               "file or folder to write (default: NAME_edited beside the EDL)");
         },
     .run = run,
     .details = "Unity segments are copied bit for bit; rate, channels and sample format are the\n"
                "first source's (32-bit float for lossy ones). The extension of OUT chooses the\n"
                "container: wav, flac, aiff, w64, caf or rf64."});

}  // namespace
}  // namespace retake::cli

#include "infer_options.hpp"

#include "archived_plugins.hpp"
#include "core/stop.hpp"
#include "many_files.hpp"
#include "nn_door.hpp"
#include "run/run_find.hpp"

namespace retake::cli {

void infer_options(po::options_description& o) {
  auto add = o.add_options();
  add("dir", po::value<std::string>()->default_value("runs")->value_name("DIR"),
      "where runs are looked for");
  add("device", po::value<std::string>()->default_value("auto")->value_name("D"),
      "auto, cpu, cuda or cuda:N");
  threads_option(o);
}

OpenModel open_model(const Arguments& a, const std::string& run) {
  install_stop_signals();
  const int threads = threads_of(a);
  OpenModel m;
  m.checkpoint = run::find_checkpoint(run, a.options["dir"].as<std::string>());
  nn::Room& room = open_nn_room();
  room.configure(threads, /*deterministic=*/true);
  m.line = std::make_unique<run::ProgressLine>(
      run::ProgressLine::mode_of(stderr, a.globals.quiet, a.globals.json));
  m.registry = std::make_unique<plugin::Registry>(a.globals.plugin_path);
  m.context = std::make_unique<run::RunContext>(run::RunContext::Options{
      .seed = 0,
      .threads = threads,
      .device = room.choose_device(a.options["device"].as<std::string>()),
      .run_dir = {},
      .progress = [line = m.line.get()](std::string_view what, double done, double total) {
        line->update({std::string(what), done, total, "", ""});
      }});
  try {
    m.model = room.load(m.checkpoint, *m.registry, *m.context);
  } catch (const PluginError& e) {
    throw with_archived_plugins(e, m.checkpoint.parent_path().parent_path());
  }
  return m;
}

}  // namespace retake::cli

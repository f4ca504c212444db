// manifest.json of a run, as every reading command takes it.

#include "run/manifest.hpp"
#include "run/run_row.hpp"
#include "run/verify.hpp"
#include "scratch.hpp"

using namespace retake;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const run::RunFolder folder = [] {
    const auto path = fuzz::scratch() / "2026-01-01_fuzzed_abcdefgh";
    std::filesystem::create_directories(path);
    return run::RunFolder::open(path);
  }();
  fuzz::put("2026-01-01_fuzzed_abcdefgh/manifest.json", fuzz::text(data, size));
  fuzz::tolerant([&] {
    run::Manifest manifest = run::Manifest::load(folder);
    manifest.record_seeds({});
  });
  const run::RunRow row(folder);
  for (const std::string& fact : run::RunRow::facts()) row.get(fact);
  row.best_text();
  for (const std::string& key : row.keys()) row.get(key);
  fuzz::tolerant([&] { run::verify_run(folder, {}, false); });
  return 0;
}

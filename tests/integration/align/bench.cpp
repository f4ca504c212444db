// Aligner figures over synthetic pairs: align_bench [name-filter] [threads]
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "pairs.hpp"
#include "suite.hpp"

namespace {
using namespace retake;
using namespace retake::test;

void row(const std::string& name, const Figures& f, double seconds, const TestPair& pair) {
  std::printf(
      "%-22s raw %5.1f min edit %4.1f  frames %6ld  ±0 %.4f ±1 %.4f ±2 %.4f ±4 %.4f  rep %.4f  "
      "cuts %3ld F1 1f %.3f 50ms %.3f .5s %.3f  ins P %.3f R %.3f  gain %.2f dB  %5.1f s\n",
      name.c_str(), static_cast<double>(pair.raw.samples()) / pair.raw.sample_rate / 60.0,
      static_cast<double>(pair.edit.samples()) / pair.edit.sample_rate / 60.0,
      static_cast<long>(f.frames), f.within[0], f.within[1], f.within[2], f.within[3], f.repeats,
      static_cast<long>(f.cuts), f.cut_f1[0], f.cut_f1[1], f.cut_f1[2], f.inserted_precision,
      f.inserted_recall, f.gain_error_db, seconds);
  std::fflush(stdout);
}
}  // namespace

int main(int argc, char** argv) {
  const std::string filter = argc > 1 ? argv[1] : "";
  const bool verbose = std::getenv("ALIGN_VERBOSE") != nullptr;
  const auto aligner = make_aligner();
  const PlainContext context(argc > 2 ? std::atoi(argv[2]) : 2);
  const auto songs = installed_songs();
  std::uint64_t seed = 0;
  for (const auto& item : suite()) {
    ++seed;
    if (item.recipe.name.find(filter) == std::string::npos) continue;
    TestPair pair = make_pair(item.recipe, seed, songs);
    if (item.damage.any()) pair.edit = damaged(pair.edit, item.damage, seed);
    const auto begin = std::chrono::steady_clock::now();
    const Alignment found = align_pair(*aligner, pair, context);
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    row(item.recipe.name, compare(pair, found.edl), seconds, pair);
    if (verbose) {
      const auto print = [](const char* title, const Edl& edl) {
        std::puts(title);
        const auto starts = edl.output_starts();
        for (std::size_t i = 0; i < edl.segments.size(); ++i) {
          const auto& s = edl.segments[i];
          std::printf(
              "  out %10ld  %10ld..%10ld len %9ld gap %d gain %6.2f fi %ld fo %ld join %ld c "
              "%.2f\n",
              static_cast<long>(starts[i]), static_cast<long>(s.begin), static_cast<long>(s.end),
              static_cast<long>(s.output_samples()), s.is_gap(), s.gain_db,
              static_cast<long>(s.fade_in.samples), static_cast<long>(s.fade_out.samples),
              static_cast<long>(s.join.samples), s.confidence);
        }
      };
      print("truth", pair.truth);
      print("found", found.edl);
    }
  }
  return 0;
}

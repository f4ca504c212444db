// The bars of alignment, on 20 clean pairs and on damaged ones. Needs Debian's music packages.

#include "catch.hpp"
#include "suite.hpp"

using namespace retake;
using namespace retake::test;

namespace {

struct Mean {
  double within_one = 0.0;
  double cut_f1 = 0.0;
  int pairs = 0;
};

Mean over(bool damaged_ones) {
  const auto songs = installed_songs();
  const auto aligner = make_aligner();
  const PlainContext context(2);
  Mean mean;
  std::uint64_t seed = 0;
  for (const auto& item : suite()) {
    ++seed;
    if (item.damage.any() != damaged_ones || item.recipe.name.find("hour") != std::string::npos) {
      continue;
    }
    TestPair pair = make_pair(item.recipe, seed, songs);
    if (item.damage.any()) pair.edit = damaged(pair.edit, item.damage, seed);
    const Figures f = compare(pair, align_pair(*aligner, pair, context).edl);
    UNSCOPED_INFO(item.recipe.name << ": within 1 frame " << f.within[1] << ", cut F1 at 50 ms "
                                   << f.cut_f1[1] << ", gain error " << f.gain_error_db << " dB");
    if (!damaged_ones) CHECK(f.gain_error_db <= 0.5);
    mean.within_one += f.within[1];
    mean.cut_f1 += f.cut_f1[1];
    ++mean.pairs;
  }
  return mean;
}

}  // namespace

TEST_CASE("20 clean pairs of real music: frames within 1 frame >= 99.5 %, cut F1 >= 0.98") {
  if (installed_songs().size() < 10) {
    WARN("skipped: install singularity-music, asc-music and the fretsonfire-songs packages");
    return;
  }
  const Mean mean = over(false);
  REQUIRE(mean.pairs == 20);
  CHECK(mean.within_one / mean.pairs >= 0.995);
  CHECK(mean.cut_f1 / mean.pairs >= 0.98);
}

TEST_CASE("noise, equalisation, codecs, other rates: within 1 frame >= 97 %, cut F1 >= 0.93") {
  if (installed_songs().size() < 10) {
    WARN("skipped: install singularity-music, asc-music and the fretsonfire-songs packages");
    return;
  }
  const Mean mean = over(true);
  CHECK(mean.within_one / mean.pairs >= 0.97);
  CHECK(mean.cut_f1 / mean.pairs >= 0.93);
}

// Which crossfade a cut gets.

#include "retake/edit/join_choice.hpp"

#include <cmath>

#include "catch.hpp"
#include "edl_support.hpp"

using namespace retake;
using namespace retake::testing;

TEST_CASE("related sides get equal gain, unrelated ones equal power") {
  AudioBuffer buffer;
  buffer.sample_rate = 44100;
  buffer.channels.resize(2);
  Rng rng(1);
  for (int i = 0; i < 44100; ++i) {
    const auto tone = static_cast<float>(0.3 + 0.2 * std::sin(2 * M_PI * i / 100));
    const float noise = static_cast<float>(rng.uniform(-0.5, 0.5));
    for (auto& channel : buffer.channels) channel.push_back(i < 22050 ? tone : noise);
  }
  const auto audio = audio_from_buffer(std::move(buffer));
  CHECK(join_correlation(*audio, 5000, 9000, 1000) == Approx(1.0).margin(1e-5));
  CHECK(join_correlation(*audio, 5000, 9050, 1000) == Approx(-1.0).margin(1e-5));
  CHECK(std::abs(join_correlation(*audio, 30000, 40000, 1000)) < 0.2);
  CHECK(join_correlation(*audio, 5000, 900000, 1000) == 0.0);  // nothing there
  CHECK(join_correlation(*audio, 5000, 9000, 0) == 0.0);
  Edl edl;
  edl.sources.push_back(source_of(44100, 44100));
  edl.segments = {copy_of(1000, 5000),   copy_of(9000, 12000),  copy_of(12000, 15000),
                  copy_of(30000, 31000), copy_of(40000, 41000), gap_of(100)};
  choose_joins(edl, *audio, 1000);
  CHECK(edl.segments[0].join.curve == Curve::equal_gain);
  CHECK(edl.segments[0].join.samples == 1000);
  CHECK(edl.segments[1].join.samples == 0);  // goes on
  CHECK(edl.segments[2].join.curve == Curve::equal_power);
  CHECK(edl.segments[3].join.curve == Curve::equal_power);
  CHECK(edl.segments[4].join.samples == 1000);
  CHECK(edl.segments[5].join.samples == 0);
}

#include "catch.hpp"
#include "retake/audio/feature_table.hpp"
#include "sound_kit.hpp"

using namespace retake;

TEST_CASE("rows of the standard grid follow its definition exactly") {
  CHECK(frame_grid(1, 44100.0).rows == 1);
  CHECK(frame_grid(22050, 22050.0).rows == 1 + 22050 / 256);
  CHECK(frame_grid(44100, 44100.0).rows == 1 + 22050 / 256);
  CHECK(frame_grid(48000LL * 3600, 48000.0).rows == 1 + 22050LL * 3600 / 256);
  CHECK(frame_grid(512, 44100.0).rows == 2);  // n22 = 256 exactly
  CHECK(frame_grid(511, 44100.0).rows == 2);  // ceil(255.5)
  CHECK(frame_grid(510, 44100.0).rows == 1);
  CHECK(resampled_length(std::int64_t{1} << 50, 192000.0, 22050.0) ==
        ((std::int64_t{1} << 50) / 640 * 147 / 2 +
         (((std::int64_t{1} << 50) % 640) * 147 + 1279) / 1280));
  const TimeGrid grid = frame_grid(96000, 48000.0);
  CHECK(grid.seconds(86) == Approx(86.0 * 256.0 / 22050.0));
  CHECK(grid == frame_grid(96000, 48000.0));
  CHECK_FALSE(grid == frame_grid(96000, 48000.0, 512));
}

TEST_CASE("a grid of beats compares beat by beat") {
  TimeGrid a;
  a.hop = 0;
  a.rows = 2;
  a.beats = {{0.5, 0.0F, 1.0F}, {1.0, 0.25F, 0.5F}};
  TimeGrid b = a;
  CHECK(a == b);
  CHECK(a.seconds(1) == 1.0);
  b.beats[1].time = 1.1;
  CHECK_FALSE(a == b);
}

TEST_CASE("a table gives its rows and blocks and names them when one is missing") {
  TimeGrid grid;
  grid.rows = 2;
  const FeatureTable table(grid, {{"mel", 0, 2, "dB", false}, {"flux", 2, 1, "", true}},
                           {1, 2, 3, 4, 5, 6}, {"log_mel", "1", {}});
  CHECK(table.columns() == 3);
  CHECK(table.row(1)[2] == 6.0F);
  CHECK(table.block("flux").offset == 2);
  CHECK(table.has("mel"));
  CHECK_FALSE(table.has("chroma"));
  CHECK(kit::error_id([&] { table.block("chroma"); }) == "E430");
  CHECK_THROWS_AS(FeatureTable(grid, {{"mel", 0, 2, "", false}}, {1, 2, 3}, {}),
                  std::invalid_argument);
  CHECK_THROWS_AS(FeatureTable(grid, {{"mel", 1, 1, "", false}}, {1, 2}, {}),
                  std::invalid_argument);
  const FeatureTable copy = table;
  CHECK(copy.data() == table.data());
}

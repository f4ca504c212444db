#pragma once
// What a user can set.

#include <cstdint>
#include <string>
#include <vector>

#include "retake/schema.hpp"

namespace retake::synthetic {

struct Params {
  std::string root;
  std::vector<std::string> music;
  double min_track_s = 30.0;
  double song_minutes = 20.0;
  std::int64_t pairs = 30;
  std::int64_t seed = 1;

  double minutes = 4.0;
  double minutes_spread = 1.25;
  double keep = 0.0;
  double run_s = 11.0;
  double gap_spread = 0.9;
  std::int64_t sample_rate = 0;
  std::int64_t channels = 0;
  std::string container = "wav";

  double drift = 0.01;
  double pass_eq_db = 2.5;
  double pass_gain_db = 1.5;
  double punch_in = 0.25;
  double bad_after = 0.03;
  double out_of_order = 0.03;
  std::int64_t loops = 0;
  std::vector<std::string> splices = {"butt", "short", "long", "pause", "thump"};
  std::vector<std::string> test_splices = {"dip"};

  double join_ms_min = 10.0;
  double join_ms_max = 80.0;
  double edit_gain_db = 3.0;
  bool fades = true;

  std::string codec = "none";
  double quality = 0.5;
  double snr_db = 0.0;
  double eq_db = 0.0;
  double gain_db = 0.0;
  std::int64_t resample = 0;

  double test = 0.25;
  double val = 0.1;

  static void describe(Schema<Params>& s);
  static void check(const Params& p, Problems& problems);
};

}  // namespace retake::synthetic

#include "params.hpp"

#include <algorithm>

#include "splice.hpp"

namespace retake::synthetic {

void Params::describe(Schema<Params>& s) {
  s.field(&Params::root, "root",
          "folder of the pair set; empty: one of its own under $RETAKE_STORE or ~/.cache/retake")
      .affects_results(false);
  s.field(&Params::music, "music",
          "folders of finished tracks, searched to the bottom; empty: the built-in band plays")
      .path();
  s.field(&Params::min_track_s, "min_track_s", "shorter tracks are left out")
      .range(1, 3600)
      .unit("s");
  s.field(&Params::song_minutes, "song_minutes",
          "at most this much of a track is used, from a random place; it sets the memory needed")
      .range(0.1, 120)
      .unit("min");
  s.field(&Params::pairs, "pairs", "how many pairs").range(1, 100000);
  s.field(&Params::seed, "seed", "seed of the set; a run's own seed does not change the data")
      .min(0);
  s.field(&Params::minutes, "minutes", "length of a raw recording")
      .range(0.2, 240)
      .unit("min")
      .synonyms({"length", "duration"});
  s.field(&Params::minutes_spread, "minutes_spread",
          "lengths are spread log-uniformly by up to this factor either way; 1: all alike")
      .range(1, 10);
  s.field(&Params::keep, "keep",
          "share of the raw that is kept; 0: drawn from Beta(1.6, 3.4) within [0.1, 0.75]")
      .range(0, 0.9)
      .synonyms({"keep_ratio", "ratio"});
  s.field(&Params::run_s, "run_s", "median length of a kept take").range(2, 120).unit("s");
  s.field(&Params::gap_spread, "gap_spread",
          "spread (log-normal sigma) of the lengths of what is cut between takes")
      .range(0, 2.5);
  s.field(&Params::sample_rate, "sample_rate", "of the raw; 0: the track's own, 44100 for the band")
      .range(0, 192000)
      .unit("Hz");
  s.field(&Params::channels, "channels", "of the raw; 0: the track's own, 2 for the band")
      .range(0, 8);
  s.field(&Params::container, "container", "file format of raw and edit").one_of({"wav", "flac"});
  s.field(&Params::drift, "drift", "how far the tempo of a pass drifts, as a share").range(0, 0.05);
  s.field(&Params::pass_eq_db, "pass_eq_db", "equaliser bands of a pass are drawn within +- this")
      .range(0, 12)
      .unit("dB");
  s.field(&Params::pass_gain_db, "pass_gain_db", "level of a pass is drawn within +- this")
      .range(0, 12)
      .unit("dB");
  s.field(&Params::punch_in, "punch_in",
          "probability that two kept takes meet with nothing to cut between them")
      .range(0, 1);
  s.field(&Params::bad_after, "bad_after",
          "probability that a spoilt take follows the good one: the hardest to tell")
      .range(0, 1);
  s.field(&Params::out_of_order, "out_of_order",
          "probability that a session has two takes in the other order than the song")
      .range(0, 1);
  s.field(&Params::loops, "loops", "an edit uses up to this many takes twice").range(0, 20);
  s.field(&Params::splices, "splices",
          "how stretches of a recording meet: butt, short, long, pause, dip, thump")
      .one_of({"butt", "short", "long", "pause", "dip", "thump"});
  s.field(&Params::test_splices, "test_splices",
          "the same for pairs of the test split; empty: as `splices`")
      .one_of({"butt", "short", "long", "pause", "dip", "thump"});
  s.field(&Params::join_ms_min, "join_ms_min", "shortest crossfade of the edit")
      .range(0, 1000)
      .unit("ms")
      .at_most(&Params::join_ms_max);
  s.field(&Params::join_ms_max, "join_ms_max", "longest crossfade of the edit")
      .range(0, 1000)
      .unit("ms");
  s.field(&Params::edit_gain_db, "edit_gain_db",
          "gain of an edit (in its EDL) is drawn within +- this")
      .range(0, 12)
      .unit("dB");
  s.field(&Params::fades, "fades", "edits fade in and out");
  s.field(&Params::codec, "codec", "damage: the edit goes through this codec")
      .one_of({"none", "vorbis", "mp3"});
  s.field(&Params::quality, "quality", "of the codec").range(0, 1);
  s.field(&Params::snr_db, "snr_db", "damage: white noise this far below the edit; 0: none")
      .range(0, 120)
      .unit("dB");
  s.field(&Params::eq_db, "eq_db", "damage: three bands of the edit are off by up to this")
      .range(0, 24)
      .unit("dB");
  s.field(&Params::gain_db, "gain_db", "damage: level of the edit file is off by this")
      .range(-24, 24)
      .unit("dB");
  s.field(&Params::resample, "resample", "damage: rate of the edit file; 0: the raw's")
      .range(0, 192000)
      .unit("Hz");
  s.field(&Params::test, "test", "share of the pairs for test, whole songs").range(0, 0.9);
  s.field(&Params::val, "val", "share of the pairs for validation, whole songs").range(0, 0.9);
}

void Params::check(const Params& p, Problems& problems) {
  const auto names = [&](const std::vector<std::string>& list, const char* key) {
    for (const std::string& kind : list) {
      const auto& known = splice_kinds();
      if (std::find(known.begin(), known.end(), kind) != known.end()) continue;
      std::string all;
      for (const std::string& k : known) all += (all.empty() ? "" : ", ") + k;
      problems.add(key, "there is no splice `" + kind + "`", "choose among " + all);
    }
  };
  names(p.splices, "splices");
  names(p.test_splices, "test_splices");
  if (p.splices.empty()) problems.add("splices", "no splice is named", "name one or more");
  if (p.test + p.val >= 1.0)
    problems.add("test", "test and val leave nothing for train", "let their sum be below 1");
  if (p.sample_rate != 0 && p.sample_rate < 8000) {
    problems.add("sample_rate", "rates below 8000 Hz are not made", "use 0 or 8000 to 192000");
  }
  if (p.resample != 0 && p.resample < 8000) {
    problems.add("resample", "rates below 8000 Hz are not made", "use 0 or 8000 to 192000");
  }
}

}  // namespace retake::synthetic

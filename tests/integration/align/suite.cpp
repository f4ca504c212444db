#include "suite.hpp"

#include "cross_correlation.hpp"

namespace retake::test {

std::vector<SuiteItem> suite() {
  std::vector<SuiteItem> all;
  const auto add = [&all](std::string name, double raw, double edit, auto&& change) {
    SuiteItem item;
    item.recipe.name = std::move(name);
    item.recipe.raw_minutes = raw;
    item.recipe.edit_minutes = edit;
    change(item);
    all.push_back(item);
  };
  const auto plain = [](SuiteItem&) {};
  for (int i = 1; i <= 6; ++i) {
    add("clean-" + std::to_string(i), 4.0 + 2.0 * i, 2.0 + 0.5 * i, plain);
  }
  for (int i = 1; i <= 3; ++i) {
    add("clean-short-" + std::to_string(i), 6.0, 2.0, [](SuiteItem& s) {
      s.recipe.longest_run_s = 1.5;
      s.recipe.longest_cut_s = 30.0;
      s.recipe.inserted_share = 0.05;
    });
  }
  for (int i = 1; i <= 3; ++i) {
    add("clean-long-" + std::to_string(i), 30.0, 5.0, [](SuiteItem& s) {
      s.recipe.shortest_cut_s = 31.0;
      s.recipe.longest_cut_s = 1200.0;
    });
  }
  for (int i = 1; i <= 3; ++i) {
    add("clean-reorder-" + std::to_string(i), 10.0, 4.0, [](SuiteItem& s) {
      s.recipe.back_share = 0.5;
      s.recipe.longest_cut_s = 300.0;
    });
  }
  for (int i = 1; i <= 3; ++i) {
    add("clean-passes-" + std::to_string(i), 12.0, 4.0, [](SuiteItem& s) {
      s.recipe.passes = true;
      s.recipe.longest_cut_s = 400.0;
      s.recipe.longest_run_s = 20.0;
    });
  }
  add("clean-joins-1", 8.0, 3.0, [](SuiteItem& s) {
    s.recipe.longest_join_s = 0.4;
    s.recipe.shortest_run_s = 2.0;
  });
  add("clean-inserted-1", 8.0, 3.0, [](SuiteItem& s) { s.recipe.inserted_share = 0.5; });
  add("noise-1", 8.0, 3.0, [](SuiteItem& s) { s.damage.snr_db = 20.0; });
  add("noise-2", 10.0, 3.0, [](SuiteItem& s) { s.damage.snr_db = 20.0; });
  add("eq-1", 8.0, 3.0, [](SuiteItem& s) { s.damage.eq_db = 6.0; });
  add("eq-2", 10.0, 3.0, [](SuiteItem& s) { s.damage.eq_db = 6.0; });
  add("mp3-1", 8.0, 3.0, [](SuiteItem& s) { s.damage.codec = "mp3"; });
  add("ogg-1", 8.0, 3.0, [](SuiteItem& s) { s.damage.codec = "ogg"; });
  add("rate-1", 8.0, 3.0, [](SuiteItem& s) { s.damage.resample_to = 48000.0; });
  add("rate-2", 8.0, 3.0, [](SuiteItem& s) { s.damage.resample_to = 22050.0; });
  for (int i = 1; i <= 3; ++i) {
    add("all-" + std::to_string(i), 12.0, 4.0, [](SuiteItem& s) {
      s.damage = {20.0, 6.0, -9.0, "ogg", 0.6, 48000.0};
      s.recipe.longest_cut_s = 600.0;
    });
  }
  add("half-hour", 30.0, 5.0, plain);
  add("hour", 60.0, 6.0, [](SuiteItem& s) { s.recipe.longest_cut_s = 1200.0; });
  return all;
}

std::unique_ptr<Aligner> make_aligner() {
  return std::make_unique<xcorr::CrossCorrelation>(xcorr::Params{});
}

Alignment align_pair(const Aligner& aligner, const TestPair& pair, const Context& context) {
  const auto raw = audio_from_buffer(pair.raw, "raw.wav");
  const auto edit = audio_from_buffer(pair.edit, "edit.wav");
  return aligner.align(*raw, *edit, context);
}

}  // namespace retake::test

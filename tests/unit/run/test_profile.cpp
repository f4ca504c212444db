#include "catch.hpp"
#include "retake/value.hpp"
#include "run/profile.hpp"
#include "temp_folder.hpp"

using namespace retake;
using namespace retake::run;

TEST_CASE("a profile is a Chrome trace whose leaves and the engine's own time make the whole") {
  TempFolder folder;
  {
    Profile profile(folder.path);
    for (int step = 0; step < 10; ++step) {
      const double t = step * 1000.0;
      profile.add("data", t + 10, t + 110);
      profile.add("forward", t + 110, t + 510);
      profile.add("backward", t + 520, t + 920);
      profile.add("optimiser", t + 920, t + 980);
      profile.add("step", t, t + 990);
      profile.add("log", t + 990, t + 1000);
    }
    CHECK(profile.steps() == 10);
    const auto seconds = profile.seconds();
    CHECK(seconds.at("forward") == Approx(0.004));
    CHECK(seconds.at("optimiser") == Approx(0.0006));
    CHECK_FALSE(seconds.contains("step"));
    // 1000 us a step, of which 960 lie in leaves.
    CHECK(seconds.at("engine") == Approx(0.0004));
    CHECK(profile.summary().as_table().at("overhead_ms_per_step").as_double() == Approx(0.04));
    CHECK(profile.text().find("forward 40.0%") != std::string::npos);
  }
  const Value trace = parse_json(get(folder.path / "profile.json"), "profile.json");
  CHECK(trace.as_array().size() == 1 + 60);
  const Table& forward = trace.as_array()[2].as_table();
  CHECK(forward.at("name") == Value("forward"));
  CHECK(forward.at("ph") == Value("X"));
  CHECK(forward.at("ts").as_double() == Approx(110));
  CHECK(forward.at("dur").as_double() == Approx(400));
}

TEST_CASE("a further attempt of a run writes a profile of its own") {
  TempFolder folder;
  { Profile first(folder.path); }
  { Profile second(folder.path); }
  CHECK(std::filesystem::exists(folder.path / "profile.json"));
  CHECK(std::filesystem::exists(folder.path / "profile-2.json"));
}

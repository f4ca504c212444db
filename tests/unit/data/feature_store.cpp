#include "data/feature_store.hpp"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>

#include "../audio/sound_kit.hpp"
#include "../audio/test_context.hpp"
#include "catch.hpp"
#include "retake/audio/hash.hpp"

using namespace retake;
using namespace retake::data;

namespace {

/// Mean square of 100 samples per row; counts how often it is asked.
class Energy final : public FeatureExtractor {
 public:
  mutable int calls = 0;
  std::string algorithm_version() const override { return "1"; }
  std::vector<FeatureBlock> blocks() const override { return {{"energy", 0, 2, "", false}}; }
  FeatureTable extract(AudioSource& source, const Context&) const override {
    ++calls;
    TimeGrid grid;
    grid.hop = 100;
    grid.rate = static_cast<std::int64_t>(source.info().sample_rate);
    grid.rows = source.info().samples / 100;
    std::vector<float> values;
    std::vector<float> x(100);
    for (std::int64_t t = 0; t < grid.rows; ++t) {
      source.read_mono(t * 100, 100, x.data());
      float sum = 0.0F;
      for (const float v : x) sum += v * v;
      values.push_back(sum);
      values.push_back(static_cast<float>(t));
    }
    return FeatureTable(grid, blocks(), std::move(values), {"energy", "1", {}});
  }
};

FeatureSpec spec(double x = 0.5) {
  FeatureSpec s{"energy", "1", {}};
  s.params["x"] = Value(x);
  return s;
}

std::filesystem::path only_table(const FeatureStore& store) {
  for (const auto& e : std::filesystem::recursive_directory_iterator(store.folder())) {
    if (e.path().extension() == ".features") return e.path();
  }
  return {};
}

struct Fixture {
  kit::Folder folder;
  std::string audio = folder / "a b ü.wav";
  FeatureStore store{folder.path() / "store"};
  Energy extractor;
  kit::Context context;
  Fixture() {
    kit::write_sound(audio, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, kit::noise(50000));
  }
  FeatureTable get(const FeatureSpec& s = spec()) {
    return store.get(audio, extractor, s, context);
  }
};

}  // namespace

TEST_CASE("a table is computed once and comes back equal, mapped from the store") {
  Fixture f;
  const FeatureTable first = f.get();
  CHECK(f.extractor.calls == 1);
  const FeatureTable second = f.get();
  CHECK(f.extractor.calls == 1);
  REQUIRE(second.rows() == 500);
  CHECK(std::equal(first.data(), first.data() + 1000, second.data()));
  CHECK(second.grid() == first.grid());
  CHECK(second.blocks()[0].name == "energy");
  CHECK(second.spec() == first.spec());
  CHECK(f.store.find(f.audio, spec())->row(499)[1] == 499.0F);
  CHECK_FALSE(f.store.find(f.audio, spec(0.25)).has_value());
  f.get(spec(0.25));
  CHECK(f.extractor.calls == 2);
}

TEST_CASE("the key is the sound: another name or container shares, another sound does not") {
  Fixture f;
  f.get();
  std::filesystem::copy_file(f.audio, f.folder / "copy.wav");
  f.store.get(f.folder / "copy.wav", f.extractor, spec(), f.context);
  CHECK(f.extractor.calls == 1);
  CHECK(f.store.audio_hash(f.audio) == sha256_pcm(f.audio));
  kit::write_sound(f.audio, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, kit::noise(50000, 7));
  CHECK(f.store.audio_hash(f.audio) == sha256_pcm(f.audio));
  f.get();
  CHECK(f.extractor.calls == 2);
}

TEST_CASE("a stored table that is damaged or of another version is computed again") {
  Fixture f;
  f.get();
  const std::filesystem::path file = only_table(f.store);
  const std::string whole = kit::slurp(file.string());
  int calls = 1;
  const auto damaged = [&](std::string bytes) {
    kit::spit(file.string(), bytes);
    CHECK_FALSE(f.store.find(f.audio, spec()).has_value());
    f.get();
    CHECK(f.extractor.calls == ++calls);
    CHECK(kit::slurp(file.string()) == whole);
  };
  damaged("");
  damaged(whole.substr(0, whole.size() - 4));
  damaged(std::string(whole.size(), 'x'));
  std::string bytes = whole;
  bytes[8] = 77;  // the format's version
  damaged(bytes);
  Rng rng(1);
  for (int i = 0; i < 40; ++i) {
    bytes = whole;
    bytes[rng.below(bytes.size())] ^= static_cast<char>(1 << rng.below(8));
    damaged(bytes);
  }
}

TEST_CASE("a file of another recording under this name is not believed") {
  Fixture f;
  f.get();
  const std::filesystem::path mine = only_table(f.store);
  const std::string other = f.folder / "other.wav";
  kit::write_sound(other, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 8000, 1, kit::noise(50000, 99));
  f.store.get(other, f.extractor, spec(), f.context);
  const auto theirs = f.store.path_of(sha256_pcm(other), spec());
  std::filesystem::copy_file(theirs, mine, std::filesystem::copy_options::overwrite_existing);
  CHECK_FALSE(f.store.find(f.audio, spec()).has_value());
}

TEST_CASE("two processes may write the same table at once") {
  Fixture f;
  const FeatureTable want = f.get();
  std::filesystem::remove_all(f.store.folder());
  std::vector<pid_t> children;
  for (int child = 0; child < 2; ++child) {
    const pid_t pid = fork();
    REQUIRE(pid >= 0);
    if (pid == 0) {
      int wrong = 0;
      for (int round = 0; round < 60; ++round) {
        const FeatureSpec s = spec(round % 3);
        if (round % 2 == child) {
          f.store.put(f.audio, s, want);
        } else if (const auto t = f.store.find(f.audio, s)) {
          wrong += !std::equal(t->data(), t->data() + 1000, want.data());
        }
        const FeatureTable got = f.store.get(f.audio, f.extractor, s, f.context);
        wrong += !std::equal(got.data(), got.data() + 1000, want.data());
      }
      _exit(wrong == 0 ? 0 : 1);
    }
    children.push_back(pid);
  }
  for (const pid_t pid : children) {
    int status = 0;
    REQUIRE(waitpid(pid, &status, 0) == pid);
    CHECK((WIFEXITED(status) && WEXITSTATUS(status) == 0));
  }
  int left = 0;
  for (const auto& e : std::filesystem::recursive_directory_iterator(f.store.folder())) {
    left += e.is_regular_file() && e.path().filename().string().find(".tmp") != std::string::npos;
  }
  CHECK(left == 0);
}

TEST_CASE("a store that cannot be written still gives the table") {
  Fixture f;
  kit::spit(f.folder / "file", "x");
  const FeatureStore blocked(f.folder.path() / "file" / "store");
  CHECK(blocked.get(f.audio, f.extractor, spec(), f.context).rows() == 500);
  CHECK(kit::error_id([&] { blocked.put(f.audio, spec(), f.get()); }).substr(0, 1) == "E");
  CHECK(kit::error_id(
            [&] { f.store.get(f.folder / "none.wav", f.extractor, spec(), f.context); }) == "E410");
}

TEST_CASE("the folder of the store is the environment's, the pair set's, or the user's") {
  const char* before = std::getenv("RETAKE_STORE");
  const std::string saved = before == nullptr ? "" : before;
  setenv("RETAKE_STORE", "/s", 1);
  CHECK(FeatureStore::default_folder("/root") == "/s");
  unsetenv("RETAKE_STORE");
  CHECK(FeatureStore::default_folder("/some/pairs") == "/some/pairs/.retake/store");
  CHECK(FeatureStore::default_folder().filename() == "store");
  if (before != nullptr) setenv("RETAKE_STORE", saved.c_str(), 1);
}

// `retake features` as a user calls it.

#include <sys/wait.h>

#include <cstdlib>

#include "../unit/audio/sound_kit.hpp"
#include "catch.hpp"
#include "data/npy.hpp"
#include "retake/value.hpp"

using namespace retake;

namespace {

/// Runs the command in `folder`; returns its exit code. Standard output goes to `folder`/stdout.
int features(const kit::Folder& folder, const std::string& words) {
  const std::string command = "cd '" + folder.path().string() + "' && RETAKE_STORE=store '" +
                              RETAKE_BINARY_DIR + "/bin/retake' features " + words +
                              " --quiet --plugin-path '" + RETAKE_BINARY_DIR +
                              "/plugins' > stdout 2> stderr";
  const int status = std::system(command.c_str());
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

void write_noise(const std::string& path, std::uint64_t seed) {
  kit::write_sound(path, SF_FORMAT_WAV | SF_FORMAT_PCM_16, 22050, 1, kit::noise(60000, seed));
}

}  // namespace

TEST_CASE("features -o writes one .npz per recording, the same bytes each time") {
  const kit::Folder folder;
  write_noise(folder / "take one.wav", 1);
  write_noise(folder / "b.wav", 2);
  REQUIRE(features(folder, "'take one.wav' b.wav -o out --json") == 0);
  const data::NpyArray mel = data::read_npz(folder / "out/take one.npz", "mel");
  CHECK(mel.shape == std::vector<std::int64_t>{128, 1 + 60000 / 256});
  CHECK(mel.dtype == "f4");
  CHECK(data::read_npz(folder / "out/b.npz", "times").values<double>()[1] == 256.0 / 22050.0);
  const Value result = parse_json(kit::slurp(folder / "stdout"), "stdout");
  CHECK(result.as_table().at("files").as_array().size() == 2);
  CHECK(result.as_table().at("params").as_table().at("hop_length").as_int() == 256);
  const std::string bytes = kit::slurp(folder / "out/b.npz");
  REQUIRE(features(folder, "'take one.wav' b.wav -o out --threads 2") == 0);
  CHECK(kit::slurp(folder / "out/b.npz") == bytes);
  REQUIRE(features(folder, "b.wav -o cached --cached") == 0);
  CHECK(kit::slurp(folder / "cached/b.npz") == bytes);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path() / "out"), {}) == 2);
}

TEST_CASE("parameters reach the extractor, and wrong ones are refused before anything is written") {
  const kit::Folder folder;
  write_noise(folder / "a.wav", 1);
  REQUIRE(features(folder, "a.wav -x log_mel n_mels=40 hop_length=441 -o out") == 0);
  CHECK(data::read_npz(folder / "out/a.npz", "mel").shape ==
        std::vector<std::int64_t>{40, 1 + 60000 / 441});
  CHECK(features(folder, "a.wav n_mel=40 -o no") == 3);
  CHECK(features(folder, "a.wav n_fft=1023 -o no") == 3);
  CHECK(features(folder, "a.wav -x log_mol -o no") == 4);
  CHECK(features(folder, "-o no") == 2);
  CHECK(features(folder, "a.wav --of stems -o no") == 2);
  CHECK(features(folder, "a.wav --only b -o no") == 2);
  CHECK_FALSE(std::filesystem::exists(folder / "no"));
}

TEST_CASE("one bad recording does not keep the others from being done") {
  const kit::Folder folder;
  write_noise(folder / "a.wav", 1);
  kit::spit(folder / "bad.wav", "not audio");
  CHECK(features(folder, "bad.wav missing.wav a.wav -o out") == 5);
  CHECK(std::filesystem::exists(folder / "out/a.npz"));
  const std::string said = kit::slurp(folder / "stderr");
  CHECK(said.find("bad.wav") != said.npos);
  CHECK(said.find("missing.wav") != said.npos);
}

TEST_CASE("a pair set gives raw and edit of every pair, or of those named") {
  const kit::Folder folder;
  std::filesystem::create_directories(folder / "set/input");
  std::filesystem::create_directories(folder / "set/desired_output");
  for (const char* id : {"x", "y"}) {
    write_noise(folder / ("set/input/" + std::string(id) + "_raw.wav"), 1);
    write_noise(folder / ("set/desired_output/" + std::string(id) + "_edit.wav"), 2);
  }
  REQUIRE(features(folder, "set -o out") == 0);
  for (const char* name : {"x_raw", "x_edit", "y_raw", "y_edit"}) {
    CHECK(std::filesystem::exists(folder / ("out/" + std::string(name) + ".npz")));
  }
  kit::spit(folder / "set/input/x_raw.wav", "broken");
  CHECK(features(folder, "set -o sound") == 5);
  CHECK(std::filesystem::exists(folder / "sound/y_edit.npz"));
  CHECK_FALSE(std::filesystem::exists(folder / "sound/x_edit.npz"));
  REQUIRE(features(folder, "set --only y -o some") == 0);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path() / "some"), {}) == 2);
}

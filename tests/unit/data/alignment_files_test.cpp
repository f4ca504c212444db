#include "data/alignment_files.hpp"

#include <unistd.h>

#include <filesystem>

#include "catch.hpp"
#include "core/files.hpp"
#include "data/corpus_builder.hpp"
#include "data/npy.hpp"

using namespace retake;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("retake_align_" + std::to_string(getpid()));
  Folder() {
    fs::remove_all(path);
    fs::create_directories(path);
  }
  ~Folder() { fs::remove_all(path); }
};

/// How every PNG ends.
const std::string kPicture = "\x89PNG IEND\xae\x42\x60\x82";

AudioInfo info_of(std::string path, std::int64_t samples) {
  AudioInfo info;
  info.path = std::move(path);
  info.sample_rate = 22050.0;
  info.channels = 1;
  info.samples = samples;
  return info;
}

/// Two copied runs around a gap: 256 samples are a frame at this rate.
Alignment sample_alignment(const AudioInfo& raw, const AudioInfo& edit) {
  Alignment a;
  a.edl = identity_edl({raw.path, raw.sample_rate, raw.channels, raw.samples, {}});
  a.edl.segments.clear();
  Segment first;
  first.begin = 2560;
  first.end = 5120;
  first.confidence = 0.5;
  first.gain_db = -3.0;
  Segment gap;
  gap.source = -1;
  gap.gap = 2560;
  gap.confidence = 0.0;
  Segment second;
  second.begin = 25600;
  second.end = 30720;
  second.op = Op::skip;
  a.edl.segments = {first, gap, second};
  a.grid = frame_grid(edit.samples, edit.sample_rate);
  a.confidence.assign(static_cast<std::size_t>(a.grid.rows), 0.8F);
  a.gain_db.assign(a.confidence.size(), 0.0F);
  return a;
}

}  // namespace

TEST_CASE("the id of a raw recording") {
  CHECK(alignment_id("a/b/jam 3_raw.wav") == "jam 3");
  CHECK(alignment_id("take.flac") == "take");
  CHECK(alignment_id("_raw.wav") == "_raw");
}

TEST_CASE("edit points name cuts and returns, across stretches without source") {
  const TimeGrid grid = frame_grid(22050, 22050.0);
  const auto points = edit_points({0, 1, 2, 100, 101, -1, -1, 200, 50, 51, 45}, grid);
  REQUIRE(points.size() == 4);
  CHECK(points[0].type == "CUT");
  CHECK(points[0].jump_frames == 98);
  CHECK(points[0].raw_from == Approx(2 * 256 / 22050.0));
  CHECK(points[1].type == "CUT");
  CHECK(points[2].type == "JUMP_BACK");
  CHECK(points[2].jump_frames == -150);
  CHECK(points[3].type == "SMALL_JUMP");
}

TEST_CASE("an alignment's files are written, known as current, and read back") {
  const Folder folder;
  const AudioInfo raw = info_of((folder.path / "in" / "x_raw.wav").string(), 44100);
  const AudioInfo edit = info_of((folder.path / "x_edit.wav").string(), 10240);
  const Alignment a = sample_alignment(raw, edit);
  const AlignmentPaths paths(folder.path / "pointer_sequences", "x");
  AlignmentOrigin origin{"cross_correlation", "1", {}, "aa", "bb"};
  origin.params["jump_cost"] = 20.0;
  const auto p = alignment_pointers(a, raw);
  CHECK_FALSE(is_current(paths, origin));
  write_alignment(a, p, paths);
  CHECK_FALSE(is_current(paths, origin));  // the info is written last
  write_info(alignment_info(a, p, raw, edit, origin), paths);
  CHECK_FALSE(is_current(paths, origin));  // the picture is missing
  write_file_atomic(paths.plot, kPicture);
  CHECK(is_current(paths, origin));
  AlignmentOrigin other = origin;
  other.params["jump_cost"] = 21.0;
  CHECK_FALSE(is_current(paths, other));

  const auto stored = data::read_npy(paths.pointers);
  CHECK(stored.dtype == "i8");
  CHECK(stored.to_i64() == p);
  CHECK(p[0] == 10);
  CHECK(p[15] == -1);
  CHECK(p[20] == 100);
  CHECK(data::read_npy(paths.ops).dtype == "i1");

  const Value info = read_info(paths);
  std::int64_t aligned = 0;
  for (const auto v : p) aligned += v >= 0;
  CHECK(find_path(info, "aligned_frames")->as_int() == aligned);
  CHECK(find_path(info, "edit_frames")->as_int() == static_cast<std::int64_t>(p.size()));
  CHECK(find_path(info, "alignment_ratio")->as_double() ==
        Approx(static_cast<double>(aligned) / static_cast<double>(p.size())));
  CHECK(find_path(info, "n_cuts")->as_int() == 1);
  CHECK(find_path(info, "mean_correlation")->as_double() == Approx(0.8));
  CHECK(find_path(info, "related")->as_bool());

  const Alignment back = data::alignment_from_edl(read_edl(paths.edl.string()),
                                                  frame_grid(edit.samples, edit.sample_rate));
  CHECK(back.edl.sources[0].path == "../in/x_raw.wav");
  CHECK(pointers(back.edl, back.grid, frame_grid(raw.samples, raw.sample_rate)) == p);
  CHECK(back.confidence[5] == 0.5F);
  CHECK(back.confidence[15] == 0.0F);
  CHECK(back.gain_db[5] == -3.0F);
}

TEST_CASE("an alignment with a damaged file is not current") {
  const Folder folder;
  const AudioInfo raw = info_of((folder.path / "x_raw.wav").string(), 44100);
  const AudioInfo edit = info_of((folder.path / "x_edit.wav").string(), 10240);
  const Alignment a = sample_alignment(raw, edit);
  const AlignmentPaths paths(folder.path, "x");
  const AlignmentOrigin origin{"cross_correlation", "1", {}, "aa", "bb"};
  const auto p = alignment_pointers(a, raw);
  write_alignment(a, p, paths);
  write_file_atomic(paths.plot, kPicture);
  write_info(alignment_info(a, p, raw, edit, origin), paths);
  REQUIRE(is_current(paths, origin));
  for (const auto& path : {paths.edl, paths.pointers, paths.ops, paths.plot}) {
    const std::string whole = read_file(path);
    for (const std::size_t bytes : {whole.size() - 1, whole.size() / 2, std::size_t{0}}) {
      write_file_atomic(path, whole.substr(0, bytes));
      INFO(path << " cut to " << bytes << " bytes");
      CHECK(is_current(paths, origin) == (path == paths.edl && bytes + 1 == whole.size()));
    }
    write_file_atomic(path, whole);
  }
  data::write_npy(paths.pointers, std::vector<std::int64_t>{1, 2, 3}, {3});
  CHECK_FALSE(is_current(paths, origin));
}

TEST_CASE("an info file that was cut off means: not current") {
  const Folder folder;
  const AlignmentPaths paths(folder.path, "x");
  for (const auto& path : {paths.edl, paths.pointers, paths.ops, paths.plot}) {
    write_file_atomic(path, "x");
  }
  write_file_atomic(paths.info, "{\"origin\": {\"aligner\": \"cross");
  CHECK_FALSE(is_current(paths, {"cross_correlation", "1", {}, "aa", "bb"}));
}

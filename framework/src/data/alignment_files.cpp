#include "data/alignment_files.hpp"

#include <algorithm>

#include "core/files.hpp"
#include "data/npy.hpp"
#include "retake/audio/time_grid.hpp"
#include "retake/error.hpp"

namespace retake {

namespace fs = std::filesystem;

AlignmentPaths::AlignmentPaths(const fs::path& folder, const std::string& id)
    : edl(folder / (id + ".edl.json")),
      pointers(folder / (id + "_pointers.npy")),
      ops(folder / (id + "_ops.npy")),
      info(folder / (id + "_info.json")),
      plot(folder / (id + "_alignment.png")) {}

bool AlignmentPaths::complete() const {
  return fs::exists(edl) && fs::exists(pointers) && fs::exists(ops) && fs::exists(info) &&
         fs::exists(plot);
}

std::string alignment_id(const fs::path& raw) {
  std::string id = raw.stem().string();
  if (id.size() > 4 && id.ends_with("_raw")) id.resize(id.size() - 4);
  return id;
}

std::vector<EditPoint> edit_points(const std::vector<std::int64_t>& pointers,
                                   const TimeGrid& grid) {
  std::vector<EditPoint> out;
  std::int64_t before = -1;
  for (std::size_t t = 0; t < pointers.size(); ++t) {
    if (pointers[t] < 0) continue;
    const std::int64_t jump = pointers[t] - before;
    if (before >= 0 && (jump > 50 || jump < 0)) {
      EditPoint p;
      p.edit_time = grid.seconds(static_cast<std::int64_t>(t));
      p.raw_from = grid.seconds(before);
      p.raw_to = grid.seconds(pointers[t]);
      p.jump_frames = jump;
      p.type = jump > 50 ? "CUT" : jump < -50 ? "JUMP_BACK" : "SMALL_JUMP";
      out.push_back(p);
    }
    before = pointers[t];
  }
  return out;
}

namespace {

Value to_value(const AlignmentOrigin& origin) {
  Table t;
  t["aligner"] = origin.aligner;
  t["version"] = origin.version;
  t["params"] = Value(origin.params);
  t["raw_sha256"] = origin.raw_sha256;
  t["edit_sha256"] = origin.edit_sha256;
  return Value(std::move(t));
}

Value to_value(const std::vector<EditPoint>& points) {
  Array out;
  for (const auto& p : points) {
    Table t;
    t["edit_time"] = p.edit_time;
    t["raw_from"] = p.raw_from;
    t["raw_to"] = p.raw_to;
    t["jump_frames"] = p.jump_frames;
    t["type"] = p.type;
    out.push_back(Value(std::move(t)));
  }
  return Value(std::move(out));
}

/// A picture that was written to its end: what closes every PNG is there.
bool is_whole_picture(const fs::path& file) {
  constexpr std::string_view kEnd("IEND\xae\x42\x60\x82", 8);
  return MappedFile(file).text().ends_with(kEnd);
}

/// Whether the files hold what the info says. Throws DataError for one that cannot be read.
bool is_sound(const AlignmentPaths& paths, const Value& info) {
  const Value* frames = find_path(info, "edit_frames");
  if (frames == nullptr || !frames->is_int()) return false;
  const auto rows = [](const fs::path& file) {
    return static_cast<std::int64_t>(data::read_npy(file).to_i64().size());
  };
  read_edl(paths.edl.string());
  return rows(paths.pointers) == frames->as_int() && rows(paths.ops) == frames->as_int() &&
         is_whole_picture(paths.plot);
}

/// Less than this share of an edit found in the raw: it was made from something else.
constexpr double kRelated = 0.1;

}  // namespace

Table alignment_info(const Alignment& alignment, const std::vector<std::int64_t>& pointers,
                     const AudioInfo& raw, const AudioInfo& edit, const AlignmentOrigin& origin) {
  std::int64_t aligned = 0;
  double sum = 0.0;
  double least = 1.0;
  for (std::size_t t = 0; t < pointers.size(); ++t) {
    if (pointers[t] < 0) continue;
    ++aligned;
    const double c = t < alignment.confidence.size() ? alignment.confidence[t] : 0.0;
    sum += c;
    least = std::min(least, c);
  }
  const auto frames = static_cast<double>(std::max<std::size_t>(1, pointers.size()));
  const double ratio = static_cast<double>(aligned) / frames;
  const auto points = edit_points(pointers, alignment.grid);
  const auto of_type = [&points](const char* type) {
    return static_cast<std::int64_t>(std::count_if(
        points.begin(), points.end(), [&](const EditPoint& p) { return p.type == type; }));
  };
  Table t;
  t["raw_path"] = raw.path;
  t["edit_path"] = edit.path;
  t["raw_frames"] = frame_grid(raw.samples, raw.sample_rate).rows;
  t["edit_frames"] = static_cast<std::int64_t>(pointers.size());
  t["aligned_frames"] = aligned;
  t["alignment_ratio"] = ratio;
  t["mean_correlation"] = aligned > 0 ? sum / static_cast<double>(aligned) : 0.0;
  t["min_correlation"] = aligned > 0 ? least : 0.0;
  t["edit_points"] = to_value(points);
  t["n_cuts"] = of_type("CUT");
  t["n_loops"] = of_type("JUMP_BACK");
  t["confidence"] = sum / frames;
  t["related"] = ratio >= kRelated;
  t["origin"] = to_value(origin);
  return t;
}

std::vector<std::int64_t> alignment_pointers(const Alignment& alignment, const AudioInfo& raw) {
  return pointers(alignment.edl, alignment.grid, frame_grid(raw.samples, raw.sample_rate));
}

void write_alignment(const Alignment& alignment, const std::vector<std::int64_t>& pointers,
                     const AlignmentPaths& paths) {
  Edl edl = alignment.edl;
  for (auto& source : edl.sources) {
    const fs::path folder = fs::absolute(paths.edl).parent_path().lexically_normal();
    source.path = fs::absolute(source.path).lexically_normal().lexically_relative(folder).string();
  }
  write_edl(edl, paths.edl.string());
  data::write_npy(paths.pointers, pointers, {static_cast<std::int64_t>(pointers.size())});
  std::vector<std::int8_t> codes;
  for (const Op op : ops(alignment.edl, alignment.grid)) {
    codes.push_back(static_cast<std::int8_t>(op));
  }
  data::write_npy(paths.ops, codes, {static_cast<std::int64_t>(codes.size())});
}

void write_info(const Table& info, const AlignmentPaths& paths) {
  write_file_atomic(paths.info, to_json(Value(info), 2) + "\n");
}

Value read_info(const AlignmentPaths& paths) {
  return parse_json(read_file(paths.info), paths.info.string());
}

bool is_current(const AlignmentPaths& paths, const AlignmentOrigin& origin) {
  if (!paths.complete()) return false;
  try {
    const Value info = read_info(paths);
    const Value* stored = find_path(info, "origin");
    return stored != nullptr && to_canonical_json(*stored) == to_canonical_json(to_value(origin)) &&
           is_sound(paths, info);
  } catch (const DataError&) {
    return false;  // unreadable: made again, and overwritten by a whole one
  }
}

}  // namespace retake

#include <algorithm>
#include <cmath>
#include <cstring>
#include <protozero/pbf_reader.hpp>

#include "catch.hpp"
#include "retake/error.hpp"
#include "run/tensorboard.hpp"
#include "temp_folder.hpp"

using namespace retake;
using namespace retake::run;
namespace fs = std::filesystem;

namespace {

/// CRC-32C bit by bit, so that the table-driven one is not checked by itself.
std::uint32_t slow_crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xffffffff;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int i = 0; i < 8; ++i) crc = (crc >> 1) ^ (0x82f63b78u & (0u - (crc & 1)));
  }
  return ~crc;
}

std::uint32_t slow_masked(std::string_view bytes) {
  const std::uint32_t c = slow_crc32c(bytes);
  return ((c >> 15) | (c << 17)) + 0xa282ead8u;
}

struct Point {
  std::int64_t step = 0;
  std::string tag, plugin, text;
  float number = NAN;
  int data_class = 0, dtype = 0;
};
struct Decoded {
  std::string version, writer;
  std::vector<Point> points;
  std::vector<double> times;
  std::int64_t forgotten_from = -1;  ///< of the session log
};

template <class T>
T take(std::string_view& bytes) {
  REQUIRE(bytes.size() >= sizeof(T));
  T value;
  std::memcpy(&value, bytes.data(), sizeof value);
  bytes.remove_prefix(sizeof value);
  return value;
}

void decode_tensor(protozero::pbf_reader tensor, Point& p) {
  while (tensor.next()) {
    switch (tensor.tag()) {
      case 1:
        p.dtype = tensor.get_enum();
        break;
      case 2:
        CHECK(tensor.get_view().empty());
        break;  // rank 0
      case 5:
        p.number = *tensor.get_packed_float().begin();
        break;
      case 8:
        p.text = tensor.get_string();
        break;
      default:
        FAIL("unexpected field of a tensor");
    }
  }
}

Point decode_value(protozero::pbf_reader value, std::int64_t step) {
  Point p;
  p.step = step;
  while (value.next()) {
    if (value.tag() == 1) {
      p.tag = value.get_string();
    } else if (value.tag() == 8) {
      decode_tensor(value.get_message(), p);
    } else {
      REQUIRE(value.tag() == 9);
      protozero::pbf_reader meta = value.get_message();
      while (meta.next()) {
        if (meta.tag() == 1) {
          protozero::pbf_reader plugin = meta.get_message();
          while (plugin.next()) p.plugin = plugin.get_string();
        } else {
          REQUIRE(meta.tag() == 4);
          p.data_class = meta.get_enum();
        }
      }
    }
  }
  return p;
}

/// Reads a file, checking every length and both checksums of every record.
Decoded decode(const fs::path& path) {
  const std::string bytes = get(path);
  std::string_view rest = bytes;
  Decoded out;
  while (!rest.empty()) {
    const std::string_view length_bytes = rest.substr(0, 8);
    const auto length = take<std::uint64_t>(rest);
    REQUIRE(take<std::uint32_t>(rest) == slow_masked(length_bytes));
    REQUIRE(rest.size() >= length + 4);
    const std::string_view data = rest.substr(0, length);
    rest.remove_prefix(length);
    REQUIRE(take<std::uint32_t>(rest) == slow_masked(data));
    protozero::pbf_reader event(data.data(), data.size());
    std::int64_t step = 0;
    while (event.next()) {
      switch (event.tag()) {
        case 1:
          out.times.push_back(event.get_double());
          break;
        case 2:
          step = event.get_int64();
          break;
        case 3:
          out.version = event.get_string();
          break;
        case 5: {
          protozero::pbf_reader summary = event.get_message();
          while (summary.next()) out.points.push_back(decode_value(summary.get_message(), step));
          break;
        }
        case 7: {
          protozero::pbf_reader log = event.get_message();
          while (log.next()) CHECK(log.get_enum() == 1);
          out.forgotten_from = step;
          break;
        }
        case 10: {
          protozero::pbf_reader source = event.get_message();
          while (source.next()) out.writer = source.get_string();
          break;
        }
        default:
          FAIL("unexpected field of an event");
      }
    }
  }
  return out;
}

}  // namespace

TEST_CASE("the checksum is CRC-32C with TFRecord's mask") {
  CHECK(slow_crc32c("123456789") == 0xe3069283u);  // the published check value
  for (const std::string& text :
       {std::string(), std::string("123456789"), std::string(1000, '\xff')}) {
    CHECK(masked_crc32c(text) == slow_masked(text));
  }
}

TEST_CASE("what is written to TensorBoard decodes") {
  TempFolder t;
  fs::path path;
  {
    TensorBoardWriter writer(t.path / "tb");
    path = writer.path();
    writer.text(0, "config", "```toml\na = 1\n```");
    writer.scalars(1, {{"loss", 0.25}, {"val/edit_f1", 0.5}});
    writer.scalars(2, {{"loss", 1e-9}});
    writer.scalars(std::int64_t{1} << 40, {{"loss", NAN}});
    writer.scalars(std::int64_t{1} << 41, {});
    CHECK_THROWS_AS(writer.scalars(2, {{"loss", 1.0}}), std::logic_error);
    CHECK_THROWS_AS(writer.text(0, "config", "x"), std::logic_error);
  }
  const Decoded d = decode(path);
  CHECK(d.version == "brain.Event:2");
  CHECK(d.writer == "retake");
  REQUIRE(d.points.size() == 5);
  CHECK(d.points[0].text == "```toml\na = 1\n```");
  CHECK(d.points[0].plugin == "text");
  CHECK(d.points[0].data_class == 2);
  CHECK(d.points[0].dtype == 7);
  CHECK(d.points[1].tag == "loss");
  CHECK(d.points[1].number == 0.25f);
  CHECK(d.points[1].step == 1);
  CHECK(d.points[1].plugin == "scalars");
  CHECK(d.points[1].data_class == 1);
  CHECK(d.points[1].dtype == 1);
  CHECK(d.points[2].tag == "val/edit_f1");
  CHECK(d.points[3].number == 1e-9f);
  CHECK(d.points[3].plugin.empty());  // metadata only once
  CHECK(d.points[4].step == std::int64_t{1} << 40);
  CHECK(std::isnan(d.points[4].number));
  for (const double time : d.times) CHECK(time > 1.6e9);
}

TEST_CASE("each start opens a new file that sorts after the others") {
  TempFolder t;
  std::vector<fs::path> paths;
  for (int i = 0; i < 4; ++i) paths.push_back(TensorBoardWriter(t.path).path());
  CHECK(std::is_sorted(paths.begin(), paths.end()));
  CHECK(std::adjacent_find(paths.begin(), paths.end()) == paths.end());
  for (const auto& p : paths) {
    CHECK(p.filename().string().starts_with("events.out.tfevents."));
    CHECK(p.filename().string().substr(20, 10).find_first_not_of("0123456789") ==
          std::string::npos);
  }
  put(t.path / "events.out.tfevents.4000000000.host.1.0", "");  // a clock that ran ahead
  CHECK(TensorBoardWriter(t.path).path().filename().string() >
        "events.out.tfevents.4000000000.host.1.0");
  CHECK_THROWS_AS(TensorBoardWriter("/proc/tb"), DataError);
}

TEST_CASE("a killed writer's file is readable up to the cut and a new one goes on", "[kill]") {
  TempFolder t;
  fs::path path;
  {
    TensorBoardWriter writer(t.path);
    path = writer.path();
    for (int i = 1; i < 100; ++i) writer.scalars(i, {{"loss", 1.0 / i}});
  }
  const std::string whole = get(path);
  put(path, whole.substr(0, whole.size() - 7));
  TensorBoardWriter again(t.path, 98);
  again.scalars(99, {{"loss", 1.0 / 99}});
  again.flush();
  CHECK(again.path() > path);
  CHECK(get(path).size() == whole.size() - 7);  // never appended to
  CHECK(decode(again.path()).points.size() == 1);
  CHECK(decode(again.path()).forgotten_from == 99);
}

TEST_CASE("a precision-recall curve counts what lies at or above each threshold") {
  const Decisions d{{0.0F, 0.25F, 0.5F, 1.0F, 0.75F}, {0, 1, 0, 1, 1}};
  const SummaryTensor t = pr_curve(d, 5);  // thresholds 0, 0.25, 0.5, 0.75, 1
  CHECK(t.shape == std::vector<std::int64_t>{6, 5});
  const auto row = [&](std::size_t r) {
    return std::vector<float>(t.floats.begin() + static_cast<std::ptrdiff_t>(5 * r),
                              t.floats.begin() + static_cast<std::ptrdiff_t>(5 * r + 5));
  };
  CHECK(row(0) == std::vector<float>{3, 3, 2, 2, 1});  // true positives
  CHECK(row(1) == std::vector<float>{2, 1, 1, 0, 0});  // false positives
  CHECK(row(2) == std::vector<float>{0, 1, 1, 2, 2});  // true negatives
  CHECK(row(3) == std::vector<float>{0, 0, 1, 1, 2});  // false negatives
  CHECK(row(4)[0] == 0.6F);
  CHECK(row(5)[4] == Approx(1.0 / 3));
  // Nothing at all: no division by zero.
  for (const float v : pr_curve({}, 3).floats) CHECK(std::isfinite(v));
}

TEST_CASE("a WAV holds 16-bit samples, clipped") {
  const std::string wav = wav_bytes({22050.0, {0.0F, 1.0F, -3.0F, NAN}});
  REQUIRE(wav.size() == 44 + 8);
  CHECK(wav.substr(0, 4) == "RIFF");
  CHECK(wav.substr(8, 8) == "WAVEfmt ");
  std::string_view rest(wav);
  rest.remove_prefix(24);
  CHECK(take<std::uint32_t>(rest) == 22050);
  rest.remove_prefix(16);
  CHECK(take<std::int16_t>(rest) == 0);
  CHECK(take<std::int16_t>(rest) == 32767);
  CHECK(take<std::int16_t>(rest) == -32767);
  CHECK(take<std::int16_t>(rest) == 0);
}

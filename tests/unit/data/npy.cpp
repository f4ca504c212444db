#include "data/npy.hpp"

#include "../audio/sound_kit.hpp"
#include "catch.hpp"
#include "data/feature_files.hpp"

using namespace retake;
using namespace retake::data;

TEST_CASE("an .npy file has the bytes that numpy.save writes") {
  const kit::Folder folder;
  write_npy(folder / "a.npy", std::vector<float>{1, 2, 3, 4, 5, 6}, {2, 3});
  const std::string bytes = kit::slurp(folder / "a.npy");
  REQUIRE(bytes.size() == 128 + 24);
  std::string header = std::string("\x93NUMPY\x01\x00v\x00", 10) +
                       "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  header.append(127 - header.size(), ' ');
  header += '\n';
  CHECK(bytes.substr(0, 128) == header);
  CHECK(npy_header("i1", {7}).find("'|i1'") != std::string::npos);
  CHECK(npy_header("i8", {7}).find("(7,)") != std::string::npos);
  CHECK(npy_header("i8", {}).find("()") != std::string::npos);
  const NpyArray back = read_npy(folder / "a.npy");
  CHECK(back.shape == std::vector<std::int64_t>{2, 3});
  CHECK(back.values<float>() == std::vector<float>{1, 2, 3, 4, 5, 6});
  CHECK(kit::error_id([&] { back.values<double>(); }) == "E441");
}

TEST_CASE("arrays of every type return, and Fortran order is turned") {
  const kit::Folder folder;
  write_npy(folder / "i.npy", std::vector<std::int64_t>{-1, 1LL << 40}, {2});
  CHECK(read_npy(folder / "i.npy").to_i64() == std::vector<std::int64_t>{-1, 1LL << 40});
  write_npy(folder / "b.npy", std::vector<std::int8_t>{-5, 6}, {2, 1});
  CHECK(read_npy(folder / "b.npy").to_f32() == std::vector<float>{-5, 6});
  write_npy(folder / "d.npy", std::vector<double>{}, {0, 4});
  CHECK(read_npy(folder / "d.npy").size() == 0);
  std::string fortran = npy_header("i4", {2, 3});
  fortran.replace(fortran.find("False"), 5, "True ");
  for (const std::int32_t v : {1, 4, 2, 5, 3, 6}) {
    fortran.append(reinterpret_cast<const char*>(&v), 4);
  }
  CHECK(parse_npy(fortran, "f").values<std::int32_t>() ==
        std::vector<std::int32_t>{1, 2, 3, 4, 5, 6});
}

TEST_CASE("what is no array is refused by name, and never read as one") {
  const std::string good = npy_header("f4", {2}) + std::string(8, '\0');
  const auto id = [](const std::string& bytes) {
    return kit::error_id([&] { parse_npy(bytes, "x"); });
  };
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string s = good;
    s.replace(s.find(from), from.size(), to);
    return s;
  };
  CHECK(id(good).empty());
  CHECK(id("") == "E440");
  CHECK(id("hello") == "E440");
  CHECK(id(good.substr(0, good.size() - 1)) == "E440");
  CHECK(id(good + "x") == "E440");
  CHECK(id(with("'<f4'", "'|O8'")) == "E441");  // a pickled object
  CHECK(id(with("'<f4'", "'>f4'")) == "E441");
  CHECK(id(with("'<f4'", "'<c8'")) == "E441");
  CHECK(id(with("(2,)", "(-2,")) == "E440");
  CHECK(id(with("(2,), }      ", "(9999999999999,), }")) == "E440");
  CHECK(id(with("False", "Maybe")) == "E440");
  CHECK(id(with("shape", "shapo")) == "E440");
}

TEST_CASE("the same arrays give the same .npz, stored, and every name returns") {
  const kit::Folder folder;
  for (const char* name : {"a.npz", "b.npz"}) {
    NpzWriter writer(folder / name);
    writer.add("mel", std::vector<float>{1, 2}, {1, 2});
    writer.add("times", std::vector<double>{0.0, 0.5}, {2});
    CHECK_FALSE(std::filesystem::exists(folder / name));
    writer.finish();
  }
  const std::string bytes = kit::slurp(folder / "a.npz");
  CHECK(bytes == kit::slurp(folder / "b.npz"));
  CHECK(bytes.find("mel.npy") != bytes.npos);
  CHECK(bytes.find(std::string("\0\0\x80\x3f\0\0\0\x40", 8)) != bytes.npos);  // not deflated
  CHECK(npz_names(folder / "a.npz") == std::vector<std::string>{"mel", "times"});
  CHECK(read_npz(folder / "a.npz").size() == 2);
  CHECK(read_npz(folder / "a.npz", "times").values<double>()[1] == 0.5);
  CHECK(kit::error_id([&] { read_npz(folder / "a.npz", "chroma"); }) == "E442");
  CHECK(kit::error_id([&] { read_npz(folder / "none.npz"); }) == "E400");
  {
    NpzWriter given_up(folder / "c.npz");
    given_up.add("x", std::vector<float>{1}, {1});
  }
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 2);
}

TEST_CASE("damaged .npz and .npy files are errors, whatever byte is hit") {
  const kit::Folder folder;
  {
    NpzWriter writer(folder / "a.npz");
    writer.add("mel", kit::noise(300), {3, 100});
    writer.add("times", std::vector<double>(100, 0.5), {100});
    writer.finish();
  }
  const std::string whole = kit::slurp(folder / "a.npz");
  Rng rng(2);
  int refused = 0;
  for (int trial = 0; trial < 1500; ++trial) {
    std::string bytes = whole;
    if (trial % 3 == 0) {
      bytes.resize(rng.below(bytes.size()));
    } else {
      for (int i = 0; i <= trial % 4; ++i) {
        bytes[rng.below(bytes.size())] = static_cast<char>(rng.below(256));
      }
    }
    kit::spit(folder / "x.npz", bytes);
    refused += !kit::error_id([&] { read_npz(folder / "x.npz"); }).empty();
  }
  CHECK(refused > 1200);
  const std::string plain = npy_header("f4", {30, 4}) + std::string(480, 'x');
  for (int trial = 0; trial < 4000; ++trial) {
    std::string bytes = plain;
    for (int i = 0; i <= trial % 4; ++i) bytes[rng.below(140)] = static_cast<char>(rng.below(256));
    kit::error_id([&] { parse_npy(bytes, "x"); });  // anything but a DataError fails the test
  }
}

TEST_CASE("feature files have (width, rows) arrays and mels come back from them") {
  const kit::Folder folder;
  TimeGrid grid;
  grid.rows = 100;
  std::vector<float> values(100 * 131);
  for (std::size_t i = 0; i < values.size(); ++i) {
    values[i] = static_cast<float>(i) / static_cast<float>(values.size());
  }
  const FeatureTable table(grid, {{"mel", 0, 128, "0..1", true}, {"flux", 128, 3, "", false}},
                           values, {"both", "1", {}});
  write_features_npz(folder / "a.npz", table);
  const NpyArray mel = read_npz(folder / "a.npz", "mel");
  CHECK(mel.shape == std::vector<std::int64_t>{128, 100});
  CHECK(mel.values<float>()[5 * 100 + 7] == table.row(7)[5]);
  CHECK(read_npz(folder / "a.npz", "flux").values<float>()[2 * 100 + 99] == table.row(99)[130]);
  CHECK(read_npz(folder / "a.npz", "times").values<double>()[99] == 99.0 * 256.0 / 22050.0);
  const FeatureTable back = read_mel_npz(folder / "a.npz");
  CHECK(back.grid() == grid);
  CHECK(back.row(42)[127] == table.row(42)[127]);

  NpzWriter transposed(folder / "b.npz");
  transposed.add("mel", std::vector<float>(12, -60.0F), {3, 4});
  transposed.finish();
  CHECK(kit::error_id([&] { read_mel_npz(folder / "b.npz"); }) == "E444");
}

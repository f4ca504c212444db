#include <cstring>
#include <limits>

#include "catch.hpp"
#include "retake/error.hpp"
#include "retake/rng.hpp"
#include "run/safetensors.hpp"
#include "temp_folder.hpp"

using namespace retake;
using namespace retake::run;

namespace {

struct Owned {
  std::vector<std::vector<std::byte>> store;
  std::vector<TensorView> views;
  void add(std::string name, DType type, std::vector<std::int64_t> shape, Rng& rng) {
    std::size_t n = dtype_size(type);
    for (const auto d : shape) n *= static_cast<std::size_t>(d);
    auto& bytes = store.emplace_back(n);
    for (auto& b : bytes) b = static_cast<std::byte>(rng.below(256));
    views.push_back({std::move(name), type, std::move(shape), bytes});
  }
};

Owned sample(std::uint64_t seed = 1) {
  Owned o;
  o.store.reserve(16);
  Rng rng(seed);
  o.add("model.b", DType::boolean, {3}, rng);
  o.add("model.w", DType::f32, {2, 3}, rng);
  o.add("step", DType::i64, {}, rng);
  o.add("empty", DType::f32, {0, 5}, rng);
  o.add("half \"quoted\" ü", DType::bf16, {5}, rng);
  return o;
}

std::string file_of(const std::string& header, const std::string& data) {
  const std::uint64_t n = header.size();
  return std::string(reinterpret_cast<const char*>(&n), 8) + header + data;
}

}  // namespace

TEST_CASE("tensors come back as they were written, aligned to their elements") {
  TempFolder t;
  const Owned o = sample();
  write_safetensors(t.path / "m.safetensors", o.views, {{"format", "pt"}, {"k", "v\n"}});
  const SafeTensors file(t.path / "m.safetensors");
  REQUIRE(file.tensors().size() == o.views.size());
  CHECK(file.metadata() == std::map<std::string, std::string>{{"format", "pt"}, {"k", "v\n"}});
  for (const auto& view : o.views) {
    const TensorView& back = file.at(view.name);
    CHECK(back.dtype == view.dtype);
    CHECK(back.shape == view.shape);
    REQUIRE(back.bytes.size() == view.bytes.size());
    CHECK(std::equal(back.bytes.begin(), back.bytes.end(), view.bytes.begin()));
    CHECK(reinterpret_cast<std::uintptr_t>(back.bytes.data()) % dtype_size(back.dtype) == 0);
    CHECK(tensor_hash(back) == tensor_hash(view));
  }
  CHECK(file.find("nope") == nullptr);
  CHECK_THROWS_AS(file.at("nope"), DataError);
}

TEST_CASE("files are equal bit for bit whatever the order tensors are given in") {
  TempFolder t;
  Owned o = sample();
  write_safetensors(t.path / "a", o.views);
  std::reverse(o.views.begin(), o.views.end());
  write_safetensors(t.path / "b", o.views);
  CHECK(get(t.path / "a") == get(t.path / "b"));
  write_safetensors(t.path / "none", {});
  CHECK(SafeTensors(t.path / "none").tensors().empty());
}

TEST_CASE("the layout is the published one") {
  TempFolder t;
  const float values[] = {1.0f, 2.0f};
  const TensorView view{"a", DType::f32, {2}, std::as_bytes(std::span(values))};
  write_safetensors(t.path / "a", {&view, 1});
  std::string header = R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})";
  header.append((8 - header.size() % 8) % 8, ' ');
  CHECK(get(t.path / "a") ==
        file_of(header, std::string(reinterpret_cast<const char*>(values), 8)));
}

TEST_CASE("the hash sees dtype, shape and every byte") {
  const std::uint32_t values[] = {1, 2};
  const auto bytes = std::as_bytes(std::span(values));
  const std::string h = tensor_hash({"a", DType::f32, {2}, bytes});
  CHECK(h.size() == 32);
  CHECK(h == tensor_hash({"other name", DType::f32, {2}, bytes}));
  CHECK(h != tensor_hash({"a", DType::i32, {2}, bytes}));
  CHECK(h != tensor_hash({"a", DType::f32, {2, 1}, bytes}));
  const std::uint32_t changed[] = {1, 3};
  CHECK(h != tensor_hash({"a", DType::f32, {2}, std::as_bytes(std::span(changed))}));
}

TEST_CASE("what cannot be written is refused before a byte is") {
  TempFolder t;
  const float values[] = {1.0f, 2.0f};
  const auto bytes = std::as_bytes(std::span(values));
  const std::vector<std::vector<TensorView>> bad = {
      {{"a", DType::f32, {3}, bytes}},
      {{"a", DType::f32, {-2}, bytes}},
      {{"a", DType::f32, {2}, bytes}, {"a", DType::i32, {2}, bytes}},
      {{"a", DType::f32, {std::numeric_limits<std::int64_t>::max(), 8}, bytes}},
      {{"__metadata__", DType::f32, {2}, bytes}}};
  for (const auto& tensors : bad) {
    CHECK_THROWS_AS(write_safetensors(t.path / "a", tensors), std::invalid_argument);
    CHECK_FALSE(std::filesystem::exists(t.path / "a"));
  }
}

TEST_CASE("hostile headers are refused with the file's name") {
  TempFolder t;
  const std::string ok = R"("dtype":"F32","shape":[2],"data_offsets":[0,8])";
  const std::string d8(8, 'x');
  const auto one = [&](const std::string& body) { return file_of("{\"a\":{" + body + "}}", d8); };
  std::string deep(100'000, '[');
  std::string nested;
  for (int i = 0; i < 50'000; ++i) nested += "{\"a\":";
  std::vector<std::string> bad = {
      "", "1234567", std::string(8, '\0'), std::string(8, '\xff'),
      std::string("\0\0\0\0\x10\0\0\0", 8), file_of("{}", "x"), file_of("", ""), file_of("7", ""),
      file_of("[]", ""), file_of("null", ""), file_of("{\"a\":1}", d8),
      file_of("{\"a\":{" + ok + "}", d8), file_of(deep, ""), file_of(nested, ""),
      file_of("\"x\"", ""), file_of("-1", ""), file_of("1.5", ""),
      one(R"("dtype":"F32","shape":[2])"), one(ok + ",\"x\":1"), one(ok + ",\"dtype\":\"F32\""),
      one(R"("dtype":"F99","shape":[2],"data_offsets":[0,8])"),
      one(R"("dtype":"F32","shape":[3],"data_offsets":[0,8])"),
      one(R"("dtype":"F32","shape":[-2],"data_offsets":[0,8])"),
      one(R"("dtype":"F32","shape":[2.0],"data_offsets":[0,8])"),
      one(R"("dtype":"F32","shape":[[2]],"data_offsets":[0,8])"),
      one(R"("dtype":"F32","shape":[2],"data_offsets":[0,8,8])"),
      one(R"("dtype":"F32","shape":[2],"data_offsets":[0])"),
      one(R"("dtype":"F32","shape":[2],"data_offsets":[8,0])"),
      one(R"("dtype":"F32","shape":[2],"data_offsets":[8,16])"),
      one(R"("dtype":"F32","shape":[2],"data_offsets":[0,18446744073709551615])"),
      one(R"("dtype":"F32","shape":[4611686018427387906],"data_offsets":[0,8])"),
      one(R"("dtype":"F32","shape":[4294967296,4294967296,2],"data_offsets":[0,8])"),
      one(R"("dtype":"F32","shape":[18446744073709551615],"data_offsets":[0,8])"),
      one(R"("dtype":3,"shape":[2],"data_offsets":[0,8])"),
      one(R"("dtype":null,"shape":[2],"data_offsets":[0,8])"),
      // twice the same name, overlap, hole, bytes after the end, metadata that is no text
      file_of("{\"a\":{" + ok + "},\"a\":{" + ok + "}}", d8),
      file_of("{\"a\":{" + ok + "},\"b\":{" + ok + "}}", d8),
      file_of(
          R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
          "xyz"),
      file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})", "xyz"),
      file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", "xyz"),
      file_of(R"({"__metadata__":{"a":1}})", ""), file_of(R"({"__metadata__":{"a":{}}})", ""),
      file_of(R"({"__metadata__":{"a":"1","a":"2"}})", ""), file_of(R"({"__metadata__":[]})", ""),
      file_of("{}\xff", "")};
  std::string many_dims = R"("dtype":"F32","shape":[1)";
  for (int i = 0; i < 1000; ++i) many_dims += ",1";
  bad.push_back(one(many_dims + R"(],"data_offsets":[0,4])"));
  for (const auto& bytes : bad) {
    put(t.path / "bad.safetensors", bytes);
    INFO(bytes.substr(0, 200));
    try {
      const SafeTensors file(t.path / "bad.safetensors");
      FAIL("accepted");
    } catch (const DataError& e) {
      CHECK(e.diagnostics().front().id == "E606");
      CHECK(e.diagnostics().front().place->file.find("bad.safetensors") != std::string::npos);
    }
  }
  CHECK_THROWS_AS(SafeTensors(t.path / "absent"), DataError);
  CHECK_THROWS_AS(SafeTensors(t.path), DataError);
}

TEST_CASE("a truncated or bit-flipped file never crashes the reader") {
  TempFolder t;
  write_safetensors(t.path / "a", sample().views);
  const std::string text = get(t.path / "a");
  for (std::size_t n = 0; n < text.size(); n += 5) {
    put(t.path / "b", text.substr(0, n));
    CHECK_THROWS_AS(SafeTensors(t.path / "b"), DataError);
  }
  Rng rng(3);
  for (int i = 0; i < 600; ++i) {
    std::string mutated = text;
    for (int k = 0; k < 3; ++k) {
      mutated[rng.below(mutated.size())] = static_cast<char>(rng.below(256));
    }
    put(t.path / "b", mutated);
    try {
      std::size_t bytes = 0;
      const SafeTensors file(t.path / "b");
      for (const auto& tensor : file.tensors()) bytes += tensor.bytes.size();
      CHECK(bytes < text.size());
    } catch (const DataError&) {
    }
  }
}

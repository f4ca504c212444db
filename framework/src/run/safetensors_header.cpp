#include "run/safetensors_header.hpp"

#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <unordered_set>

namespace retake::run {
namespace {

using Json = nlohmann::json;
constexpr std::size_t kMaxDimensions = 64;

/// Events of nlohmann's SAX parser; every event that the grammar does not expect here is an error.
class HeaderReader final : public nlohmann::json_sax<Json> {
 public:
  Header header;
  std::string error;

  bool null() override { return fail("a null"); }
  bool boolean(bool) override { return fail("a boolean"); }
  bool number_float(number_float_t, const string_t&) override { return fail("a fraction"); }
  bool number_integer(number_integer_t) override { return fail("a negative number"); }
  bool binary(binary_t&) override { return fail("binary data"); }

  bool number_unsigned(number_unsigned_t v) override {
    if (state_ != State::shape && state_ != State::offsets) return fail("a number");
    HeaderEntry& entry = header.entries.back();
    if (state_ == State::shape) {
      if (v > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
        return fail("a dimension beyond 2^63");
      }
      if (entry.shape.size() == kMaxDimensions) return fail("more than 64 dimensions");
      entry.shape.push_back(static_cast<std::int64_t>(v));
      return true;
    }
    if (n_offsets_ == 2) return fail("data_offsets of other than two numbers");
    (n_offsets_++ == 0 ? entry.begin : entry.end) = v;
    return true;
  }

  bool string(string_t& text) override {
    if (state_ == State::metadata) {
      return header.metadata.emplace(key_, text).second || fail("a key that repeats");
    }
    if (state_ == State::entry && key_ == "dtype") {
      header.entries.back().dtype = text;
      return true;
    }
    return fail("a string");
  }

  bool start_object(std::size_t) override {
    if (state_ == State::start) {
      state_ = State::top;
    } else if (state_ == State::top && key_ == "__metadata__") {
      state_ = State::metadata;
    } else if (state_ == State::top) {
      header.entries.push_back({key_, {}, {}, 0, 0});
      seen_ = 0;
      state_ = State::entry;
    } else {
      return fail("an object");
    }
    return true;
  }

  bool end_object() override {
    if (state_ == State::entry && seen_ != 7) {
      error = "tensor `" + header.entries.back().name + "` lacks dtype, shape or data_offsets";
      return false;
    }
    state_ = state_ == State::top ? State::done : State::top;
    return true;
  }

  bool key(string_t& name) override {
    key_ = name;
    if (state_ == State::top && !names_.insert(name).second) {
      error = "the name `" + name + "` occurs twice";
      return false;
    }
    if (state_ == State::entry) {
      const unsigned bit = name == "dtype"          ? 1u
                           : name == "shape"        ? 2u
                           : name == "data_offsets" ? 4u
                                                    : 0u;
      if (bit == 0 || (seen_ & bit) != 0) return fail("a key");
      seen_ |= bit;
    }
    return true;
  }

  bool start_array(std::size_t) override {
    if (state_ != State::entry || (key_ != "shape" && key_ != "data_offsets")) {
      return fail("an array");
    }
    state_ = key_ == "shape" ? State::shape : State::offsets;
    n_offsets_ = 0;
    return true;
  }

  bool end_array() override {
    if (state_ == State::offsets && n_offsets_ != 2)
      return fail("data_offsets of other than two numbers");
    state_ = State::entry;
    return true;
  }

  bool parse_error(std::size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    error = "the header is not valid JSON at byte " + std::to_string(position);
    return false;
  }

 private:
  enum class State { start, top, entry, shape, offsets, metadata, done };

  bool fail(const std::string& what) {
    error = "the header has " + what + " where none belongs";
    if (!key_.empty()) error += " (at key `" + key_.substr(0, 80) + "`)";
    return false;
  }

  State state_ = State::start;
  std::string key_;
  unsigned seen_ = 0;
  int n_offsets_ = 0;
  std::unordered_set<std::string> names_;
};

}  // namespace

Header parse_safetensors_header(std::string_view json) {
  HeaderReader reader;
  if (!Json::sax_parse(json.begin(), json.end(), &reader)) throw std::runtime_error(reader.error);
  return std::move(reader.header);
}

}  // namespace retake::run

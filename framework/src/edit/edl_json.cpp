// The EDL on disk, schema retake.edl/1. Strict: whatever is not understood is an error that names
// the file and the segment. All errors of a file are reported together.

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

#include "core/files.hpp"
#include "core/suggest.hpp"
#include "retake/edit/edl.hpp"
#include "retake/error.hpp"

namespace retake {
namespace {

constexpr std::string_view kSchema = "retake.edl/1";
constexpr std::size_t kMaxErrors = 200;  // a broken file of a million segments stays small
constexpr double kExactIntegers = 9007199254740992.0;  // 2^53

class Reader {
 public:
  explicit Reader(std::string origin) : origin_(std::move(origin)) {}

  Edl read(const Value& root) {
    Edl edl;
    if (!root.is_table()) {
      fail("the file", "must be a JSON object, got " + std::string(type_name(root.type())));
      stop_if_failed();
    }
    const Table& table = root.as_table();
    schema(table);
    stop_if_failed();  // another schema: its keys mean something else
    keys(table, "", {"schema", "sources", "segments"});
    if (const Array* list = array(table, "sources")) {
      for (std::size_t i = 0; i < list->size(); ++i) {
        edl.sources.push_back(source((*list)[i], "sources[" + std::to_string(i) + "]"));
      }
    }
    if (const Array* list = array(table, "segments")) {
      for (std::size_t i = 0; i < list->size(); ++i) {
        edl.segments.push_back(segment((*list)[i], "segments[" + std::to_string(i) + "]"));
      }
    }
    for (const std::string& problem : problems(edl)) {
      // What could not be read stands in `edl` as a neutral value and was reported already.
      if (!broken_.contains(item_of(problem))) add(problem);
    }
    stop_if_failed();
    return edl;
  }

 private:
  void add(const std::string& message) {
    if (errors_.size() >= kMaxErrors) return;
    errors_.push_back(file_diagnostic("E421", origin_, message,
                                      "mend the EDL; its format is docs/edl.schema.json"));
  }
  void fail(const std::string& where, const std::string& what) {
    broken_.insert(item_of(where));
    add(where + ": " + what);
  }
  /// "segments[3]" of "segments[3].join: ...".
  static std::string item_of(const std::string& where) {
    return where.substr(0, where.find_first_of(".:]"));
  }
  void stop_if_failed() const {
    if (!errors_.empty()) throw DataError(errors_);
  }

  void schema(const Table& table) {
    const Value* v = table.find("schema");
    if (v == nullptr) {
      fail("schema", "is missing; an EDL says \"schema\": \"" + std::string(kSchema) + "\"");
    } else if (!v->is_string() || v->as_string() != kSchema) {
      fail("schema", "is " + to_json(*v) + "; this version reads \"" + std::string(kSchema) + "\"");
    }
  }

  void keys(const Table& table, const std::string& where, const std::vector<std::string>& known) {
    const std::string prefix = where.empty() ? "" : where + ": ";
    for (const auto& [key, value] : table) {
      if (std::find(known.begin(), known.end(), key) != known.end()) continue;
      const auto guess = did_you_mean(key, known);
      add(prefix + "unknown key `" + key + "`" + (guess ? "; did you mean `" + *guess + "`?" : ""));
    }
  }

  const Table* as_table(const Value& v, const std::string& where) {
    if (v.is_table()) return &v.as_table();
    fail(where, "must be an object, got " + std::string(type_name(v.type())));
    return nullptr;
  }

  const Array* array(const Table& table, const std::string& key) {
    const Value* v = table.find(key);
    if (v != nullptr && v->is_array()) return &v->as_array();
    fail(key, v == nullptr ? "is missing" : "must be an array");
    return nullptr;
  }

  std::int64_t integer(const Value& v, const std::string& where) {
    if (v.is_int()) return v.as_int();
    // JSON has one kind of number: 441000.0 is an integer too.
    if (v.is_float() && v.as_double() == std::floor(v.as_double()) &&
        std::abs(v.as_double()) < kExactIntegers) {
      return static_cast<std::int64_t>(v.as_double());
    }
    fail(where, "must be a whole number, got " + to_json(v));
    return 0;
  }

  double number(const Value& v, const std::string& where) {
    if (v.is_number() && std::isfinite(v.as_double())) return v.as_double();
    fail(where, "must be a finite number, got " + to_json(v));
    return 0.0;
  }

  std::string text(const Value& v, const std::string& where) {
    if (v.is_string()) return v.as_string();
    fail(where, "must be a string, got " + to_json(v));
    return {};
  }

  std::int64_t integer_or(const Table& t, const std::string& where, const char* key,
                          std::int64_t fallback) {
    const Value* v = t.find(key);
    return v == nullptr ? fallback : integer(*v, where + "." + key);
  }
  double number_or(const Table& t, const std::string& where, const char* key, double fallback) {
    const Value* v = t.find(key);
    return v == nullptr ? fallback : number(*v, where + "." + key);
  }

  Curve curve_or(const Table& t, const std::string& where, Curve fallback) {
    const Value* v = t.find("curve");
    if (v == nullptr) return fallback;
    const std::string name = text(*v, where + ".curve");
    for (Curve c : {Curve::linear, Curve::equal_power, Curve::equal_gain, Curve::exponential}) {
      if (name == to_string(c)) return c;
    }
    fail(where + ".curve",
         "must be linear, equal_power, equal_gain or exponential, got " + to_json(*v));
    return fallback;
  }

  Op op_or(const Table& t, const std::string& where) {
    const Value* v = t.find("op");
    if (v == nullptr) return Op::copy;
    const std::string name = text(*v, where + ".op");
    for (Op o : {Op::copy, Op::loop_start, Op::loop_end, Op::skip, Op::fade_in, Op::fade_out}) {
      if (name == to_string(o)) return o;
    }
    fail(where + ".op",
         "must be COPY, LOOP_START, LOOP_END, SKIP, FADE_IN or FADE_OUT, got " + to_json(*v));
    return Op::copy;
  }

  EdlSource source(const Value& v, const std::string& where) {
    EdlSource s;
    const Table* t = as_table(v, where);
    if (t == nullptr) return s;
    keys(*t, where, {"path", "sample_rate", "channels", "samples", "sha256_pcm"});
    if (const Value* path = t->find("path")) {
      s.path = text(*path, where + ".path");
    } else {
      fail(where + ".path", "is missing");
    }
    s.sample_rate = number_or(*t, where, "sample_rate", 0.0);
    if (t->contains("sample_rate") && s.sample_rate <= 0.0) {
      fail(where + ".sample_rate", "must be positive");
    }
    s.channels = small_integer(*t, where, "channels", 0);
    if (t->contains("channels") && s.channels == 0) fail(where + ".channels", "must be positive");
    s.samples = integer_or(*t, where, "samples", -1);
    if (t->contains("samples") && s.samples < 0) fail(where + ".samples", "is negative");
    if (const Value* hash = t->find("sha256_pcm"))
      s.sha256_pcm = text(*hash, where + ".sha256_pcm");
    return s;
  }

  int small_integer(const Table& t, const std::string& where, const char* key, int fallback) {
    const std::int64_t v = integer_or(t, where, key, fallback);
    if (v >= 0 && v <= 1'000'000) return static_cast<int>(v);
    fail(where + "." + key, "is out of range: " + std::to_string(v));
    return fallback;
  }

  Segment segment(const Value& v, const std::string& where) {
    Segment s;
    const Table* t = as_table(v, where);
    if (t == nullptr) return s;
    s.op = op_or(*t, where);
    s.confidence = number_or(*t, where, "confidence", 1.0);
    if (const Value* join_value = t->find("join")) s.join = join(*join_value, where + ".join");
    if (const Value* gap = t->find("gap")) {
      keys(*t, where, {"gap", "op", "join", "confidence"});
      s.source = -1;
      s.gap = integer(*gap, where + ".gap");
      return s;
    }
    keys(*t, where,
         {"source", "begin", "end", "gap", "op", "gain_db", "fade_in", "fade_out", "rate", "pitch",
          "reverse", "effects", "join", "confidence"});
    if (!t->contains("begin") || !t->contains("end")) {
      fail(where, "needs `begin` and `end`, or `gap`");
    }
    s.source = small_integer(*t, where, "source", 0);
    s.begin = integer_or(*t, where, "begin", 0);
    s.end = integer_or(*t, where, "end", 1);
    s.rate = number_or(*t, where, "rate", 1.0);
    s.pitch = number_or(*t, where, "pitch", 0.0);
    if (const Value* gain_value = t->find("gain_db")) gain(*gain_value, where + ".gain_db", s);
    if (const Value* f = t->find("fade_in")) s.fade_in = fade(*f, where + ".fade_in", s.fade_in);
    if (const Value* f = t->find("fade_out"))
      s.fade_out = fade(*f, where + ".fade_out", s.fade_out);
    if (const Value* reverse = t->find("reverse")) {
      if (!reverse->is_bool()) fail(where + ".reverse", "must be true or false");
      s.reverse = reverse->is_bool() && reverse->as_bool();
    }
    if (const Value* list = t->find("effects")) effects(*list, where + ".effects", s);
    return s;
  }

  Fade fade(const Value& v, const std::string& where, Fade fallback) {
    const Table* t = as_table(v, where);
    if (t == nullptr) return fallback;
    keys(*t, where, {"samples", "curve"});
    return {integer_or(*t, where, "samples", 0), curve_or(*t, where, fallback.curve)};
  }

  Join join(const Value& v, const std::string& where) {
    const Fade f = fade(v, where, {0, Curve::equal_power});
    return {f.samples, f.curve};
  }

  void gain(const Value& v, const std::string& where, Segment& s) {
    if (!v.is_array()) {
      s.gain_db = number(v, where);
      return;
    }
    if (v.as_array().empty()) fail(where, "a gain curve needs at least one point");
    for (std::size_t i = 0; i < v.as_array().size(); ++i) {
      const Value& point = v.as_array()[i];
      const std::string at = where + "[" + std::to_string(i) + "]";
      if (!point.is_array() || point.as_array().size() != 2) {
        fail(at, "must be a pair [sample, dB]");
        continue;
      }
      s.gain_curve.emplace_back(integer(point.as_array()[0], at), number(point.as_array()[1], at));
    }
  }

  void effects(const Value& v, const std::string& where, Segment& s) {
    if (!v.is_array()) {
      fail(where, "must be an array");
      return;
    }
    for (std::size_t i = 0; i < v.as_array().size(); ++i) {
      const std::string at = where + "[" + std::to_string(i) + "]";
      const Table* t = as_table(v.as_array()[i], at);
      if (t == nullptr) continue;
      EdlEffect effect;
      for (const auto& [key, value] : *t) {
        if (key == "plugin") {
          effect.plugin = text(value, at + ".plugin");
        } else {
          effect.params[key] = value;  // checked against the effect's own schema by who plays it
        }
      }
      if (!t->contains("plugin")) fail(at, "needs `plugin`");
      s.effects.push_back(std::move(effect));
    }
  }

  std::string origin_;
  std::vector<Diagnostic> errors_;
  std::set<std::string> broken_;  ///< sources and segments with a value that could not be read
};

Value fade_value(std::int64_t samples, Curve curve) {
  Table t;
  t["samples"] = samples;
  t["curve"] = to_string(curve);
  return Value(std::move(t));
}

Value source_value(const EdlSource& s) {
  Table t;
  t["path"] = s.path;
  if (s.sample_rate > 0.0) {
    t["sample_rate"] = s.sample_rate == std::floor(s.sample_rate)
                           ? Value(static_cast<std::int64_t>(s.sample_rate))
                           : Value(s.sample_rate);
  }
  if (s.channels > 0) t["channels"] = s.channels;
  if (s.samples >= 0) t["samples"] = s.samples;
  if (!s.sha256_pcm.empty()) t["sha256_pcm"] = s.sha256_pcm;
  return Value(std::move(t));
}

Value gain_value(const Segment& s) {
  if (s.gain_curve.empty()) return Value(s.gain_db);
  Array points;
  for (const auto& [sample, db] : s.gain_curve) {
    points.push_back(Value(Array{Value(sample), Value(db)}));
  }
  return Value(std::move(points));
}

/// Neutral values are left out: a plain segment stays readable.
Value segment_value(const Segment& s) {
  Table t;
  if (s.is_gap()) {
    t["gap"] = s.gap;
  } else {
    t["source"] = s.source;
    t["begin"] = s.begin;
    t["end"] = s.end;
  }
  if (s.op != Op::copy) t["op"] = to_string(s.op);
  if (!s.is_gap()) {
    if (s.gain_db != 0.0 || !s.gain_curve.empty()) t["gain_db"] = gain_value(s);
    if (s.fade_in.samples != 0) t["fade_in"] = fade_value(s.fade_in.samples, s.fade_in.curve);
    if (s.fade_out.samples != 0) t["fade_out"] = fade_value(s.fade_out.samples, s.fade_out.curve);
    if (s.rate != 1.0) t["rate"] = s.rate;
    if (s.pitch != 0.0) t["pitch"] = s.pitch;
    if (s.reverse) t["reverse"] = true;
    Array effects;
    for (const EdlEffect& effect : s.effects) {
      Table e;
      e["plugin"] = effect.plugin;
      for (const auto& [key, value] : effect.params) e[key] = value;
      effects.push_back(Value(std::move(e)));
    }
    if (!effects.empty()) t["effects"] = Value(std::move(effects));
  }
  if (s.join.samples != 0) t["join"] = fade_value(s.join.samples, s.join.curve);
  if (s.confidence != 1.0) t["confidence"] = s.confidence;
  return Value(std::move(t));
}

/// One source and one segment per line, so that a diff of two files reads as a diff of two edits.
std::string file_text(const Edl& edl) {
  const Value value = to_value(edl);
  std::string text = "{\"schema\": \"" + std::string(kSchema) + "\"";
  for (const char* key : {"sources", "segments"}) {
    text += std::string(",\n \"") + key + "\": [";
    const char* separator = "\n  ";
    for (const Value& item : value.as_table().at(key).as_array()) {
      text += separator + to_json(item);
      separator = ",\n  ";
    }
    text += "]";
  }
  return text + "}\n";
}

}  // namespace

Value to_value(const Edl& edl) {
  Table t;
  t["schema"] = kSchema;
  Array sources;
  for (const EdlSource& s : edl.sources) sources.push_back(source_value(s));
  Array segments;
  for (const Segment& s : edl.segments) segments.push_back(segment_value(s));
  t["sources"] = Value(std::move(sources));
  t["segments"] = Value(std::move(segments));
  return Value(std::move(t));
}

Edl edl_from_value(const Value& value, const std::string& origin) {
  return Reader(origin).read(value);
}

Edl read_edl(const std::string& path) {
  return edl_from_value(parse_json(read_file(path), path), path);
}

void write_edl(const Edl& edl, const std::string& path) {
  std::vector<Diagnostic> errors;
  for (const std::string& problem : problems(edl)) {
    errors.push_back(file_diagnostic("E421", path, "the EDL to write is not sound: " + problem,
                                     "nothing was written"));
  }
  if (!errors.empty()) throw DataError(std::move(errors));
  write_file_atomic(path, file_text(edl));
}

}  // namespace retake

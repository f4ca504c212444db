// `retake edl show | diff | convert`: EDLs as text, against each other, and as arrays.

#include <algorithm>
#include <filesystem>

#include "command.hpp"
#include "data/npy.hpp"
#include "edit/metrics.hpp"
#include "edit/prototype_ops.hpp"
#include "edit/renderer.hpp"
#include "edl_files.hpp"
#include "retake/audio/source.hpp"
#include "retake/log.hpp"
#include "table_text.hpp"

namespace retake::cli {
namespace {

namespace fs = std::filesystem;

std::string option(const Arguments& a, const char* name) {
  return a.options.contains(name) ? a.options[name].as<std::string>() : std::string();
}

void source_option(po::options_description& o) {
  o.add_options()("source", po::value<std::string>()->value_name("RAW"),
                  "the recording, instead of the one that the EDL names");
}

// ---- show ----

std::string decibels(const Segment& s) {
  if (!s.gain_curve.empty()) return "curve";
  if (s.gain_db == 0.0) return "";
  char text[32];
  std::snprintf(text, sizeof text, "%+.1f", s.gain_db);
  return text;
}

std::string milliseconds(std::int64_t samples, double rate, Curve curve) {
  if (samples == 0) return "";
  char text[32];
  std::snprintf(text, sizeof text, "%.0f ms ", 1000.0 * static_cast<double>(samples) / rate);
  return text + std::string(to_string(curve));
}

std::string remarks(const Segment& s, double rate) {
  std::vector<std::string> words;
  if (s.fade_in.samples > 0) {
    words.push_back("fade in " + milliseconds(s.fade_in.samples, rate, s.fade_in.curve));
  }
  if (s.fade_out.samples > 0) {
    words.push_back("fade out " + milliseconds(s.fade_out.samples, rate, s.fade_out.curve));
  }
  if (s.rate != 1.0) words.push_back("rate " + format_double(s.rate));
  if (s.pitch != 0.0) words.push_back("pitch " + format_double(s.pitch));
  if (s.reverse) words.push_back("reverse");
  for (const EdlEffect& effect : s.effects) words.push_back(effect.plugin);
  return join(words);
}

std::string show_text(const Edl& edl) {
  const double rate = edl.sources.front().sample_rate;
  const auto time = [&](std::int64_t samples) {
    return clock_text(static_cast<double>(samples) / rate);
  };
  std::string text;
  for (std::size_t i = 0; i < edl.sources.size(); ++i) {
    const EdlSource& s = edl.sources[i];
    text += "source " + std::to_string(i) + "  " + s.path + "   " + time(s.samples) + "   " +
            std::to_string(static_cast<std::int64_t>(s.sample_rate)) + " Hz x" +
            std::to_string(s.channels) + "\n";
  }
  text += "edit      " + time(edl.output_samples()) + " in " + std::to_string(edl.segments.size()) +
          " segments\n\n";
  std::vector<std::vector<std::string>> rows;
  const auto starts = edl.output_starts();
  for (std::size_t i = 0; i < edl.segments.size(); ++i) {
    const Segment& s = edl.segments[i];
    const bool one = edl.sources.size() == 1;
    rows.push_back({std::to_string(i), time(starts[i]), time(s.output_samples()),
                    s.is_gap() ? "gap" : (one ? "" : std::to_string(s.source)),
                    s.is_gap() ? "" : time(s.begin), s.is_gap() ? "" : time(s.end),
                    std::string(to_string(s.op)), decibels(s),
                    milliseconds(s.join.samples, rate, s.join.curve),
                    s.confidence == 1.0 ? "" : format_double(s.confidence), remarks(s, rate)});
  }
  return text + columns({"segment", "at", "lasts", "source", "begin", "end", "op", "dB", "join",
                         "confidence", ""},
                        rows);
}

Value show_value(const Edl& edl) {
  Table t;
  t["edl"] = to_value(edl);
  t["samples"] = edl.output_samples();
  t["seconds"] = static_cast<double>(edl.output_samples()) / edl.sources.front().sample_rate;
  Array starts;
  for (std::int64_t start : edl.output_starts()) starts.push_back(Value(start));
  starts.pop_back();
  t["starts"] = Value(std::move(starts));
  return Value(std::move(t));
}

int run_show(const Arguments& a) {
  if (a.positional.size() != 1) {
    throw usage_error("one EDL is needed", "retake edl show song.edl.json");
  }
  Edl edl = read_edl(a.positional[0]);
  complete_sources(edl, a.positional[0], option(a, "source"));
  print_result(a, show_value(edl), [&] { return show_text(edl); });
  return 0;
}

// ---- diff ----

/// One line of JSON per segment: equal lines are equal segments.
std::vector<std::string> lines_of(const Edl& edl) {
  std::vector<std::string> lines;
  const Value value = to_value(edl);
  for (const Value& segment : value.as_table().at("segments").as_array()) {
    lines.push_back(to_json(segment));
  }
  return lines;
}

struct Change {
  char sign = ' ';  ///< ' ' in both, '-' only in A, '+' only in B
  std::string line;
};

/// Changes by the longest common subsequence of the lines between the parts that agree at both
/// ends; where that would be too large a table, all of A against all of B.
std::vector<Change> changes_of(const std::vector<std::string>& a,
                               const std::vector<std::string>& b) {
  constexpr std::size_t kMaxTable = 16'000'000;
  std::size_t head = 0;
  while (head < a.size() && head < b.size() && a[head] == b[head]) ++head;
  std::size_t tail = 0;
  while (tail < a.size() - head && tail < b.size() - head &&
         a[a.size() - 1 - tail] == b[b.size() - 1 - tail]) {
    ++tail;
  }
  const std::size_t n = a.size() - head - tail;
  const std::size_t m = b.size() - head - tail;
  std::vector<Change> changes;
  for (std::size_t i = 0; i < head; ++i) changes.push_back({' ', a[i]});
  // longest[i][j]: of the last n - i lines of A's part and the last m - j of B's.
  const bool fits = (n + 1) <= kMaxTable / (m + 1);
  std::vector<std::uint32_t> longest(fits ? (n + 1) * (m + 1) : 0, 0);
  const auto at = [&](std::size_t i, std::size_t j) -> std::uint32_t& {
    return longest[i * (m + 1) + j];
  };
  for (std::size_t i = fits ? n : 0; i-- > 0;) {
    for (std::size_t j = m; j-- > 0;) {
      at(i, j) =
          a[head + i] == b[head + j] ? at(i + 1, j + 1) + 1 : std::max(at(i + 1, j), at(i, j + 1));
    }
  }
  std::size_t i = 0;
  std::size_t j = 0;
  while (i < n || j < m) {
    if (fits && i < n && j < m && a[head + i] == b[head + j]) {
      changes.push_back({' ', a[head + i]});
      ++i;
      ++j;
    } else if (i < n && (j == m || !fits || at(i + 1, j) >= at(i, j + 1))) {
      changes.push_back({'-', a[head + i++]});
    } else {
      changes.push_back({'+', b[head + j++]});
    }
  }
  for (std::size_t k = a.size() - tail; k < a.size(); ++k) changes.push_back({' ', a[k]});
  return changes;
}

std::string diff_text(const std::vector<Change>& changes, bool same_sources,
                      const edit::Metrics& metrics) {
  std::string text;
  if (!same_sources) text += "the sources differ\n";
  std::size_t same = 0;
  const auto flush = [&] {
    if (same > 0) text += "  " + std::to_string(same) + " equal segments\n";
    same = 0;
  };
  for (const Change& change : changes) {
    if (change.sign == ' ') {
      ++same;
      continue;
    }
    flush();
    text += std::string(1, change.sign) + " " + change.line + "\n";
  }
  flush();
  std::vector<std::vector<std::string>> rows;
  for (const auto& [name, value] : metrics) {
    char number[32];
    std::snprintf(number, sizeof number, "%.3f", value);
    rows.push_back({name, number});
  }
  if (!rows.empty()) {
    text += "\n" + columns({"B against A", ""}, rows);
  } else {
    text += "\nnot measured: the EDLs are not of one recording whose rate and length are known\n";
  }
  return text;
}

/// Rate and length of the recording are not always written; without the recording they stay
/// unknown.
Edl completed(const std::string& file) {
  Edl edl = read_edl(file);
  try {
    complete_sources(edl, file, {});
  } catch (const DataError& e) {
    log_debug(e.what());
    return read_edl(file);
  }
  return edl;
}

int run_diff(const Arguments& a) {
  if (a.positional.size() != 2) {
    throw usage_error("two EDLs are needed", "retake edl diff a.edl.json b.edl.json");
  }
  const Edl first = completed(a.positional[0]);
  const Edl second = completed(a.positional[1]);
  const bool same_sources = have_same_sources(first, a.positional[0], second, a.positional[1]);
  const std::vector<Change> changes = changes_of(lines_of(first), lines_of(second));
  const bool equal = same_sources && std::all_of(changes.begin(), changes.end(),
                                                 [](const auto& c) { return c.sign == ' '; });
  // As edits of one recording they can be measured when both say which rate and length it has.
  const EdlSource& x = first.sources.front();
  const EdlSource& y = second.sources.front();
  edit::Metrics metrics;
  if (!equal && first.sources.size() == 1 && second.sources.size() == 1 && x.sample_rate > 0.0 &&
      x.sample_rate == y.sample_rate && x.samples > 0 && x.samples == y.samples) {
    metrics = edit::edit_metrics(first, second, x.samples);
  }
  Table result;
  result["equal"] = equal;
  result["same_sources"] = same_sources;
  for (const auto& [key, sign] : {std::pair{"removed", '-'}, std::pair{"added", '+'}}) {
    Array lines;
    for (const Change& change : changes) {
      if (change.sign == sign) lines.push_back(parse_json(change.line, key));
    }
    result[key] = Value(std::move(lines));
  }
  Table measured;
  for (const auto& [name, value] : metrics) measured[name] = value;
  result["metrics"] = Value(std::move(measured));
  print_result(a, Value(std::move(result)), [&] {
    return equal ? std::string("equal\n") : diff_text(changes, same_sources, metrics);
  });
  return 0;
}

// ---- convert ----

bool is_json(const fs::path& p) {
  return p.extension() == ".json";
}
bool is_npy(const fs::path& p) {
  return p.extension() == ".npy";
}

/// song_pointers.npy -> song_ops.npy; song.npy -> song_ops.npy.
fs::path ops_path(const fs::path& pointers) {
  std::string stem = pointers.stem().string();
  const std::string suffix = "_pointers";
  if (stem.ends_with(suffix)) stem.resize(stem.size() - suffix.size());
  return pointers.parent_path() / (stem + "_ops.npy");
}

template <class T, class From>
std::vector<T> cast(const std::vector<From>& values) {
  std::vector<T> result;
  result.reserve(values.size());
  for (From v : values) result.push_back(static_cast<T>(v));
  return result;
}

Table to_arrays(const Arguments& a, const fs::path& from, const fs::path& to, bool prototype) {
  Edl edl = read_edl(from.string());
  complete_sources(edl, from, option(a, "source"));
  if (edl.sources.size() != 1) {
    throw DataError(file_diagnostic("E428", from.string(),
                                    "pointers are frames of one recording, this EDL has " +
                                        std::to_string(edl.sources.size()) + " sources",
                                    "convert an EDL with one source"));
  }
  const EdlSource& source = edl.sources.front();
  const TimeGrid raw = frame_grid(source.samples, source.sample_rate);
  const TimeGrid out = frame_grid(edl.output_samples(), source.sample_rate);
  const std::vector<std::int64_t> pointer = pointers(edl, out, raw);
  const std::vector<std::int64_t> shape{out.rows};
  const fs::path second = ops_path(to);
  if (prototype) {
    data::write_npy(to, cast<std::int32_t>(pointer), shape);
    data::write_npy(second, cast<std::int32_t>(edit::prototype_ops(pointer)), shape);
  } else {
    data::write_npy(to, pointer, shape);
    data::write_npy(second, cast<std::int8_t>(ops(edl, out)), shape);
  }
  Table t;
  t["pointers"] = to.string();
  t["ops"] = second.string();
  t["frames"] = out.rows;
  return t;
}

/// The EDL of pointers into `source`. What is wrong is wrong with the file of the pointers.
Edl edl_of(const std::vector<std::int64_t>& pointer, const EdlSource& source, const fs::path& from,
           const std::string& raw) {
  TimeGrid grid;
  grid.rows = static_cast<std::int64_t>(pointer.size());
  try {
    return from_pointers(pointer, source, grid);
  } catch (const DataError& e) {
    std::vector<Diagnostic> all = e.diagnostics();
    for (Diagnostic& d : all) {
      if (d.place) d.place->file = from.string();
      d.facts.push_back("the recording is " + raw);
    }
    throw DataError(std::move(all));
  }
}

Table from_arrays(const Arguments& a, const fs::path& from, const fs::path& to, bool prototype) {
  const std::string raw = option(a, "source");
  if (raw.empty()) {
    throw usage_error("pointers alone don't say which recording they are of", "add  --source RAW");
  }
  const data::NpyArray array = data::read_npy(from);
  if (array.shape.size() != 1) {
    throw DataError(file_diagnostic("E425", from.string(), "pointers are an array of one dimension",
                                    "give a _pointers.npy file"));
  }
  if (array.dtype == "i1") {
    throw DataError(file_diagnostic("E425", from.string(),
                                    "this is an array of int8: operations, not pointers",
                                    "give the _pointers.npy file beside it"));
  }
  std::vector<std::int64_t> pointer = array.to_i64();
  const bool stop_marked = std::find(pointer.begin(), pointer.end(), -2) != pointer.end();
  if (stop_marked && !prototype) {
    throw DataError(file_diagnostic("E425", from.string(),
                                    "a pointer is -2, the stop mark of the prototype's files",
                                    "add  --dialect prototype"));
  }
  if (prototype) {  // there a stop mark may end the sequence
    pointer.erase(std::find(pointer.begin(), pointer.end(), -2), pointer.end());
  }
  EdlSource source;
  const auto audio = open_audio(raw);
  source.sample_rate = audio->info().sample_rate;
  source.channels = audio->info().channels;
  source.samples = audio->info().samples;
  std::error_code relative_failed;
  const fs::path relative = fs::relative(raw, fs::absolute(to).parent_path(), relative_failed);
  source.path =
      relative_failed || relative.empty() ? fs::absolute(raw).string() : relative.string();
  const Edl edl = edl_of(pointer, source, from, raw);
  write_edl(edl, to.string());
  Table t;
  t["edl"] = to.string();
  t["segments"] = static_cast<std::int64_t>(edl.segments.size());
  t["samples"] = edl.output_samples();
  return t;
}

Table between_edls(const Arguments& a, const fs::path& from, const fs::path& to) {
  Edl edl = read_edl(from.string());
  complete_sources(edl, from, option(a, "source"));
  merge_contiguous(edl);
  // Relative paths stay true from the new file's folder.
  for (EdlSource& source : edl.sources) {
    const fs::path path = from.parent_path() / source.path;
    if (fs::path(source.path).is_absolute()) continue;
    source.path = fs::relative(path, fs::absolute(to).parent_path()).string();
  }
  write_edl(edl, to.string());
  Table t;
  t["edl"] = to.string();
  t["segments"] = static_cast<std::int64_t>(edl.segments.size());
  t["samples"] = edl.output_samples();
  return t;
}

int run_convert(const Arguments& a) {
  if (a.positional.size() != 2) {
    throw usage_error("two files are needed: what to convert, and what to write",
                      "retake edl convert song.edl.json song_pointers.npy");
  }
  const fs::path from = a.positional[0];
  const fs::path to = a.positional[1];
  const std::string dialect = option(a, "dialect");
  if (!dialect.empty() && dialect != "retake" && dialect != "prototype") {
    throw usage_error("there is no dialect `" + dialect + "`", "dialects: retake, prototype");
  }
  const bool prototype = dialect == "prototype";
  Table result;
  if (is_json(from) && is_npy(to)) {
    result = to_arrays(a, from, to, prototype);
  } else if (is_npy(from) && is_json(to)) {
    result = from_arrays(a, from, to, prototype);
  } else if (is_json(from) && is_json(to)) {
    result = between_edls(a, from, to);
  } else {
    throw usage_error(
        "cannot convert `" + from.filename().string() + "` to `" + to.filename().string() + "`",
        "give .json (an EDL) and .npy (pointers), or the other way round");
  }
  print_result(a, Value(result), [&] {
    std::string text;
    for (const auto& [key, value] : result) {
      text += key + "  " + (value.is_string() ? value.as_string() : to_json(value)) + "\n";
    }
    return text;
  });
  return 0;
}

const RegisterCommand show({.name = "edl show",
                            .synopsis = "EDL [--source RAW]",
                            .summary = "Show an EDL as a table of segments",
                            .examples = {"retake edl show song.edl.json",
                                         "retake edl show song.edl.json --json"},
                            .options = source_option,
                            .run = run_show});

const RegisterCommand diff(
    {.name = "edl diff",
     .synopsis = "A B",
     .summary = "Compare two EDLs, segment by segment and by the common measures",
     .examples = {"retake edl diff truth.edl.json found.edl.json",
                  "retake edl diff a.edl.json b.edl.json --json"},
     .run = run_diff,
     .details = "Ends with 0 whether they differ or not; --json says \"equal\"."});

const RegisterCommand convert(
    {.name = "edl convert",
     .synopsis = "A B [--source RAW] [--dialect retake|prototype]",
     .summary = "Convert between EDLs (.json) and frame pointers with their ops (.npy)",
     .examples = {"retake edl convert song.edl.json song_pointers.npy",
                  "retake edl convert song_pointers.npy song.edl.json --source song_raw.wav"},
     .options =
         [](po::options_description& o) {
           source_option(o);
           o.add_options()("dialect", po::value<std::string>()->value_name("NAME"),
                           "of the arrays: retake (int64 pointers, int8 ops; the default) or "
                           "prototype (int32, zone ops, a -2 ends the sequence)");
         },
     .run = run_convert,
     .details =
         "Pointers are frames of 256 samples at 22,050 Hz. Beside NAME_pointers.npy the ops\n"
         "are written as NAME_ops.npy; ops are never read, the pointers imply them."});

}  // namespace
}  // namespace retake::cli

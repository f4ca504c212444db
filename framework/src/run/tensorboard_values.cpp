#include "run/tensorboard_values.hpp"

#include <algorithm>
#include <cmath>

namespace retake::run {
namespace {

// Field numbers of summary.proto, tensor.proto, and of the messages of the plugins.
namespace value {
constexpr protozero::pbf_tag_type tag = 1, tensor = 8, metadata = 9;
}
namespace metadata {
constexpr protozero::pbf_tag_type plugin_data = 1, data_class = 4;
}
namespace plugin {
constexpr protozero::pbf_tag_type name = 1, content = 2;
}
namespace tensor {
constexpr protozero::pbf_tag_type dtype = 1, shape = 2, float_val = 5, string_val = 8;
}
namespace shape {
constexpr protozero::pbf_tag_type dim = 2, size = 1;
}
namespace hparams {
constexpr protozero::pbf_tag_type session_start = 3, session_end = 4;
}
namespace session_start {
constexpr protozero::pbf_tag_type hparams = 1, group_name = 4, start_time = 5;
}
namespace session_end {
constexpr protozero::pbf_tag_type status = 1, end_time = 2;
}
namespace map_entry {
constexpr protozero::pbf_tag_type key = 1, value = 2;
}
namespace json_value {  // google.protobuf.Value
constexpr protozero::pbf_tag_type number = 2, string = 3, boolean = 4;
}
constexpr std::int32_t kFloat = 1;   // DT_FLOAT
constexpr std::int32_t kString = 7;  // DT_STRING
constexpr std::int32_t kWav = 11;    // AudioPluginData.Encoding.WAV
constexpr std::int32_t kSuccess = 1, kFailure = 2;

void write_tensor(protozero::pbf_writer& writer, const SummaryTensor& t) {
  writer.add_enum(tensor::dtype, t.strings.empty() ? kFloat : kString);
  {
    protozero::pbf_writer shape_writer(writer, tensor::shape);
    for (const std::int64_t size : t.shape) {
      std::string dim;
      protozero::pbf_writer(dim).add_int64(shape::size, size);
      shape_writer.add_message(shape::dim, dim);
    }
  }
  if (!t.floats.empty()) {
    writer.add_packed_float(tensor::float_val, t.floats.data(), t.floats.data() + t.floats.size());
  }
  for (const std::string& s : t.strings) writer.add_bytes(tensor::string_val, s.data(), s.size());
}

std::string json_message(const Value& v) {
  std::string out;
  protozero::pbf_writer writer(out);
  if (v.is_bool()) {
    writer.add_bool(json_value::boolean, v.as_bool());
  } else if (v.is_number()) {
    writer.add_double(json_value::number, v.as_double());
  } else {
    writer.add_string(json_value::string, v.is_string() ? v.as_string() : to_json(v));
  }
  return out;
}

void append_little(std::string& out, std::uint32_t v, int bytes) {
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(v >> (8 * i) & 0xff));
}

}  // namespace

void write_summary_value(protozero::pbf_writer& writer, const std::string& tag,
                         const SummaryTensor& t, const SummaryMetadata* m) {
  writer.add_string(value::tag, tag);
  {
    protozero::pbf_writer tensor_writer(writer, value::tensor);
    write_tensor(tensor_writer, t);
  }
  if (m == nullptr) return;
  protozero::pbf_writer meta_writer(writer, value::metadata);
  {
    protozero::pbf_writer data_writer(meta_writer, metadata::plugin_data);
    data_writer.add_string(plugin::name, m->plugin);
    if (!m->content.empty()) data_writer.add_bytes(plugin::content, m->content);
  }
  meta_writer.add_enum(metadata::data_class, m->data_class);
}

SummaryTensor pr_curve(const Decisions& d, int thresholds) {
  const auto n = static_cast<std::size_t>(thresholds);
  // Scores by the highest threshold that they reach, then summed from above.
  std::vector<double> positive(n, 0), negative(n, 0);
  for (std::size_t i = 0; i < d.scores.size(); ++i) {
    if (!std::isfinite(d.scores[i])) continue;
    const double s = std::clamp(static_cast<double>(d.scores[i]), 0.0, 1.0);
    const auto bin = static_cast<std::size_t>(s * static_cast<double>(n - 1));
    (d.truth[i] != 0 ? positive : negative)[bin] += 1;
  }
  double all_positive = 0, all_negative = 0;
  for (std::size_t k = 0; k < n; ++k) {
    all_positive += positive[k];
    all_negative += negative[k];
  }
  SummaryTensor out;
  out.shape = {6, thresholds};
  out.floats.resize(6 * n);
  double tp = 0, fp = 0;
  for (std::size_t k = n; k-- > 0;) {
    tp += positive[k];
    fp += negative[k];
    const double rows[6] = {tp,
                            fp,
                            all_negative - fp,
                            all_positive - tp,
                            tp + fp > 0 ? tp / (tp + fp) : 1.0,
                            all_positive > 0 ? tp / all_positive : 0.0};
    for (std::size_t r = 0; r < 6; ++r) out.floats[r * n + k] = static_cast<float>(rows[r]);
  }
  return out;
}

std::string pr_curve_content(int thresholds) {
  std::string out;
  protozero::pbf_writer(out).add_uint32(2, static_cast<std::uint32_t>(thresholds));
  return out;
}

std::string audio_content() {
  std::string out;
  protozero::pbf_writer(out).add_enum(2, kWav);
  return out;
}

std::string hparams_start_content(const std::map<std::string, Value>& parameters,
                                  const std::string& group, double start_seconds) {
  std::string info;
  protozero::pbf_writer writer(info);
  for (const auto& [name, v] : parameters) {
    if (v.is_null()) continue;
    std::string entry;
    protozero::pbf_writer entry_writer(entry);
    entry_writer.add_string(map_entry::key, name);
    entry_writer.add_message(map_entry::value, json_message(v));
    writer.add_message(session_start::hparams, entry);
  }
  writer.add_string(session_start::group_name, group);
  writer.add_double(session_start::start_time, start_seconds);
  std::string out;
  protozero::pbf_writer(out).add_message(hparams::session_start, info);
  return out;
}

std::string hparams_end_content(bool success, double end_seconds) {
  std::string info;
  protozero::pbf_writer writer(info);
  writer.add_enum(session_end::status, success ? kSuccess : kFailure);
  writer.add_double(session_end::end_time, end_seconds);
  std::string out;
  protozero::pbf_writer(out).add_message(hparams::session_end, info);
  return out;
}

std::string wav_bytes(const Sound& sound) {
  const auto rate = static_cast<std::uint32_t>(std::lround(sound.sample_rate));
  const auto bytes = static_cast<std::uint32_t>(2 * sound.samples.size());
  std::string out = "RIFF";
  append_little(out, 36 + bytes, 4);
  out += "WAVEfmt ";
  append_little(out, 16, 4);
  append_little(out, 1, 2);  // PCM
  append_little(out, 1, 2);  // channels
  append_little(out, rate, 4);
  append_little(out, 2 * rate, 4);
  append_little(out, 2, 2);
  append_little(out, 16, 2);
  out += "data";
  append_little(out, bytes, 4);
  for (const float v : sound.samples) {
    const float clipped = std::isfinite(v) ? std::clamp(v, -1.0F, 1.0F) : 0.0F;
    append_little(out, static_cast<std::uint16_t>(std::lround(clipped * 32767.0F)), 2);
  }
  return out;
}

}  // namespace retake::run

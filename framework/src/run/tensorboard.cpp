#include "run/tensorboard.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <boost/crc.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

#include "retake/error.hpp"
#include "retake/log.hpp"

namespace retake::run {

namespace fs = std::filesystem;

namespace {

// Field numbers.
namespace event {
constexpr protozero::pbf_tag_type wall_time = 1, step = 2, file_version = 3, summary = 5,
                                  session_log = 7, source_metadata = 10;
}
namespace session {
constexpr protozero::pbf_tag_type status = 1;
}
namespace source {
constexpr protozero::pbf_tag_type writer = 1;
}
namespace summary {
constexpr protozero::pbf_tag_type value = 1;
}
constexpr std::int32_t kSessionStart = 1;                          // SessionLog.START
constexpr int kScalarClass = 1, kTensorClass = 2, kBlobClass = 3;  // DataClass
constexpr int kThresholds = 201;
constexpr auto kFlushInterval = std::chrono::seconds(2);

double wall_time() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string little_endian(std::uint64_t number, int bytes) {
  std::string out;
  for (int i = 0; i < bytes; ++i) out.push_back(static_cast<char>(number >> (8 * i) & 0xff));
  return out;
}

/// Seconds after those of every file in the folder: files of a run are read in name order, and a
/// clock that was set back must not put a resumed run's points before the old ones.
long long next_seconds(const fs::path& folder) {
  long long seconds = static_cast<long long>(wall_time());
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    long long other = 0;
    const std::string name = entry.path().filename().string();
    if (std::sscanf(name.c_str(), "events.out.tfevents.%lld.", &other) == 1 && other >= seconds &&
        other < 9'999'999'999) {
      seconds = other + 1;
    }
  }
  return seconds;
}

}  // namespace

std::uint32_t masked_crc32c(std::string_view bytes) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  crc.process_bytes(bytes.data(), bytes.size());
  const std::uint32_t c = crc.checksum();
  return ((c >> 15) | (c << 17)) + 0xa282ead8u;
}

TensorBoardWriter::TensorBoardWriter(const fs::path& folder,
                                     std::optional<std::int64_t> resumed_from) {
  make_folders(folder);
  char host[256] = "";
  ::gethostname(host, sizeof host - 1);
  char seconds[32];
  std::snprintf(seconds, sizeof seconds, "%010lld", next_seconds(folder));
  for (int n = 0; !file_; ++n) {
    path_ = folder /
            ("events.out.tfevents." + std::string(seconds) + "." + (*host ? host : "localhost") +
             "." + std::to_string(::getpid()) + "." + std::to_string(n));
    file_ =
        Descriptor(::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666));
    if (!file_ && errno != EEXIST) fail_io(path_, "create the event file", errno);
  }
  std::string version;
  protozero::pbf_writer writer(version);
  writer.add_double(event::wall_time, wall_time());
  writer.add_string(event::file_version, "brain.Event:2");
  std::string source_metadata;
  protozero::pbf_writer(source_metadata).add_string(source::writer, "retake");
  writer.add_message(event::source_metadata, source_metadata);
  record(version);
  // Readers take the second such event as a restart, so a fresh run writes the first one.
  std::string log, start;
  protozero::pbf_writer(log).add_enum(session::status, kSessionStart);
  protozero::pbf_writer start_writer(start);
  start_writer.add_double(event::wall_time, wall_time());
  start_writer.add_int64(event::step, resumed_from.value_or(-1) + 1);  // forgotten from here on
  start_writer.add_message(event::session_log, log);
  record(start);
  flush();
}

TensorBoardWriter::~TensorBoardWriter() {
  try {
    flush();
  } catch (const Error& e) {
    log_warning(std::string("the last points for TensorBoard are lost: ") + e.what());
  }
}

bool TensorBoardWriter::first_of(const std::string& tag, std::int64_t step) {
  const auto [it, fresh] = last_step_.try_emplace(tag, step);
  if (!fresh && step <= it->second) {
    throw std::logic_error("TensorBoard: step " + std::to_string(step) + " of " + tag +
                           " after step " + std::to_string(it->second));
  }
  it->second = step;
  return fresh;
}

void TensorBoardWriter::add_value(protozero::pbf_writer& summary_writer, std::int64_t step,
                                  const std::string& tag, const SummaryTensor& tensor,
                                  const SummaryMetadata& meta) {
  const bool first = first_of(tag, step);
  protozero::pbf_writer value_writer(summary_writer, summary::value);
  write_summary_value(value_writer, tag, tensor, first ? &meta : nullptr);
}

template <class Fill>
void TensorBoardWriter::write_event(std::int64_t step, const Fill& fill) {
  event_.clear();
  protozero::pbf_writer writer(event_);
  writer.add_double(event::wall_time, wall_time());
  writer.add_int64(event::step, step);
  {
    protozero::pbf_writer summary_writer(writer, event::summary);
    fill(summary_writer);
  }
  record(event_);
  if (std::chrono::steady_clock::now() - last_flush_ >= kFlushInterval) flush();
}

void TensorBoardWriter::scalars(std::int64_t step, const std::map<std::string, double>& points) {
  if (points.empty()) return;
  const SummaryMetadata meta{"scalars", kScalarClass, ""};
  write_event(step, [&](protozero::pbf_writer& summary_writer) {
    for (const auto& [tag, number] : points) {
      add_value(summary_writer, step, tag, {{}, {static_cast<float>(number)}, {}}, meta);
    }
  });
}

void TensorBoardWriter::one(std::int64_t step, const std::string& tag, const SummaryTensor& tensor,
                            const SummaryMetadata& meta) {
  write_event(step, [&](protozero::pbf_writer& summary_writer) {
    add_value(summary_writer, step, tag, tensor, meta);
  });
}

void TensorBoardWriter::text(std::int64_t step, const std::string& tag, std::string_view markdown) {
  one(step, tag, {{}, {}, {std::string(markdown)}}, {"text", kTensorClass, ""});
}

void TensorBoardWriter::image(std::int64_t step, const std::string& tag, int width, int height,
                              std::string png) {
  const SummaryTensor tensor{
      {3}, {}, {std::to_string(width), std::to_string(height), std::move(png)}};
  one(step, tag, tensor, {"images", kBlobClass, ""});
}

void TensorBoardWriter::audio(std::int64_t step, const std::string& tag, const Sound& sound,
                              const std::string& label) {
  const SummaryTensor tensor{{1, 2}, {}, {wav_bytes(sound), label}};
  one(step, tag, tensor, {"audio", kBlobClass, audio_content()});
}

void TensorBoardWriter::decisions(std::int64_t step, const std::string& tag,
                                  const Decisions& decisions) {
  one(step, tag, pr_curve(decisions, kThresholds),
      {"pr_curves", kTensorClass, pr_curve_content(kThresholds)});
}

void TensorBoardWriter::hparams(const std::map<std::string, Value>& parameters,
                                const std::string& group) {
  one(0, "_hparams_/session_start_info", {{0}, {}, {}},
      {"hparams", kTensorClass, hparams_start_content(parameters, group, wall_time())});
}

void TensorBoardWriter::hparams_end(std::int64_t step, bool success) {
  one(step, "_hparams_/session_end_info", {{0}, {}, {}},
      {"hparams", kTensorClass, hparams_end_content(success, wall_time())});
}

void TensorBoardWriter::record(std::string_view event_text) {
  const std::string length = little_endian(event_text.size(), 8);
  pending_ += length + little_endian(masked_crc32c(length), 4);
  pending_ += event_text;
  pending_ += little_endian(masked_crc32c(event_text), 4);
}

void TensorBoardWriter::flush() {
  last_flush_ = std::chrono::steady_clock::now();
  // One write for all: readers take a torn tail for records that are not there yet.
  // Taken first: what could not be written (a full disk) is not written twice.
  const std::string records = std::exchange(pending_, {});
  write_all(file_.get(), records, path_);
}

}  // namespace retake::run

#pragma once
// TensorBoard event files: scalars, text, images, audio, precision-recall curves, HParams.
//
// Framing is TFRecord's: length, masked CRC32C of the length, data, masked CRC32C of the data. Each
// record is one protobuf message `Event`, encoded with protozero, so that no protobuf library has
// to live beside LibTorch's. Field numbers are those of tensorflow's event.proto, summary.proto and
// tensor.proto.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "run/io.hpp"
#include "run/tensorboard_values.hpp"

namespace retake::run {

/// CRC-32C with TFRecord's mask.
std::uint32_t masked_crc32c(std::string_view bytes);

/// Writes one event file. Every start and every resume opens a new one: a file cut mid-record and
/// then appended to can no longer be read beyond the cut, and later files replace the points of
/// steps they write again. Not thread-safe.
class TensorBoardWriter {
 public:
  /// Creates FOLDER/events.out.tfevents.SECONDS.HOST.PID.N, later in name order than those there.
  /// A run resumed from step n gives n: readers then forget earlier points of later steps (a
  /// session log with status START, as TensorFlow's own writers do). Throws DataError.
  explicit TensorBoardWriter(const std::filesystem::path& folder,
                             std::optional<std::int64_t> resumed_from = std::nullopt);
  /// Writes what is buffered; a failure is logged.
  ~TensorBoardWriter();
  TensorBoardWriter(const TensorBoardWriter&) = delete;
  TensorBoardWriter& operator=(const TensorBoardWriter&) = delete;

  /// One event with a point for each tag, as float32 (exact values are in metrics.jsonl). Within a
  /// tag steps must grow strictly, else TensorBoard drops points: throws std::logic_error.
  void scalars(std::int64_t step, const std::map<std::string, double>& points);
  /// Markdown, shown under "Text".
  void text(std::int64_t step, const std::string& tag, std::string_view markdown);
  /// A PNG.
  void image(std::int64_t step, const std::string& tag, int width, int height, std::string png);
  void audio(std::int64_t step, const std::string& tag, const Sound& sound,
             const std::string& label);
  /// A precision-recall curve at 201 thresholds.
  void decisions(std::int64_t step, const std::string& tag, const Decisions& decisions);
  /// What the run was made with; at its very start, before any step. Runs of one `group` (trials of
  /// a sweep that differ in their seed) are averaged.
  void hparams(const std::map<std::string, Value>& parameters, const std::string& group);
  /// The run has ended for good.
  void hparams_end(std::int64_t step, bool success);
  /// Hands the records to the system; they also go every two seconds.
  void flush();

  const std::filesystem::path& path() const { return path_; }

 private:
  void one(std::int64_t step, const std::string& tag, const SummaryTensor& tensor,
           const SummaryMetadata& meta);
  void add_value(protozero::pbf_writer& summary, std::int64_t step, const std::string& tag,
                 const SummaryTensor& tensor, const SummaryMetadata& meta);
  /// An event whose summary `fill` writes.
  template <class Fill>
  void write_event(std::int64_t step, const Fill& fill);
  void record(std::string_view event);
  bool first_of(const std::string& tag, std::int64_t step);

  std::filesystem::path path_;
  Descriptor file_;
  std::string event_;    ///< the one that is being made; keeps its memory
  std::string pending_;  ///< whole records
  std::chrono::steady_clock::time_point last_flush_;
  std::map<std::string, std::int64_t> last_step_;
};

}  // namespace retake::run

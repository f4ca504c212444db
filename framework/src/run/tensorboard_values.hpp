#pragma once
// One value of a TensorBoard summary as a protobuf message, and the contents that its plugins
// define.

#include <cstdint>
#include <map>
#include <protozero/pbf_writer.hpp>
#include <string>
#include <vector>

#include "retake/exhibit.hpp"
#include "retake/value.hpp"

namespace retake::run {

/// Floats (DT_FLOAT) or, when there are any, strings (DT_STRING), of this shape; empty: rank 0.
struct SummaryTensor {
  std::vector<std::int64_t> shape;
  std::vector<float> floats;
  std::vector<std::string> strings;
};

/// Says which plugin of TensorBoard shows a tag. Counts in the first record of the tag only.
struct SummaryMetadata {
  const char* plugin = "";
  int data_class = 0;   ///< 1 scalar, 2 tensor, 3 blob sequence
  std::string content;  ///< the plugin's own message
};

/// Writes the fields of message `Summary.Value`; `metadata` may be null.
void write_summary_value(protozero::pbf_writer& writer, const std::string& tag,
                         const SummaryTensor& tensor, const SummaryMetadata* metadata);

/// The six rows of a precision-recall curve (TP, FP, TN, FN, precision, recall) at `thresholds`
/// evenly spaced thresholds from 0 to 1; a score counts as positive when it is at least the
/// threshold. Shape [6, thresholds].
SummaryTensor pr_curve(const Decisions& decisions, int thresholds);
/// PrCurvePluginData.
std::string pr_curve_content(int thresholds);
/// AudioPluginData for WAV.
std::string audio_content();

/// HParamsPluginData with a SessionStartInfo. Numbers stay numbers, texts texts and flags flags;
/// nulls are left out, since a "None" among numbers would turn a column to text.
std::string hparams_start_content(const std::map<std::string, Value>& hparams,
                                  const std::string& group, double start_seconds);
/// HParamsPluginData with a SessionEndInfo.
std::string hparams_end_content(bool success, double end_seconds);

/// A WAV file of 16-bit mono samples; values beyond [-1, 1] are clipped.
std::string wav_bytes(const Sound& sound);

}  // namespace retake::run

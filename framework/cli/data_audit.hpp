#pragma once
// Labels and features of a corpus, looked at for what spoils a training.

#include <string>
#include <vector>

#include "retake/data/corpus.hpp"

namespace retake::cli {

struct AuditRow {
  std::string what;
  std::string detail;
  bool problem = false;
};

/// Songs by split, share kept, cuts per minute, alignment confidence; songs that keep nothing or
/// everything, and ids or groups in several splits.
std::vector<AuditRow> audit_labels(const Corpus& corpus);

/// Per feature block over all songs: range, mean, deviation; values that are not finite, columns
/// that never change.
std::vector<AuditRow> audit_features(const Corpus& corpus);

}  // namespace retake::cli

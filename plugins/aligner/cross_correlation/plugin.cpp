#include "retake/plugin.hpp"
#include "cross_correlation.hpp"

RETAKE_PLUGIN("cross_correlation", "0.1.0", registrar) {
  registrar.add<retake::xcorr::CrossCorrelation>(
      "cross_correlation",
      "Finds the runs an edit copies: whole-raw chunk correlation, Viterbi path, exact joins.");
}

#pragma once
// How a component of a run fails when it is told to.

#include <unistd.h>

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>

#include "retake/error.hpp"
#include "retake/plugin.hpp"

namespace hostile {

struct DefectParams {
  std::string defect = "none";
  std::int64_t at_call = 0;

  static void describe(retake::Schema<DefectParams>& s) {
    s.field(&DefectParams::defect, "defect", "how it fails")
        .one_of({"none", "throw", "throw_int", "crash", "abort", "divide", "hang", "nan", "exit",
                 "exit_now", "quick_exit", "code_ok", "silent", "torch", "prints", "vector",
                 // Of a schedule and a dataset.
                 "negative", "slash_ids", "leak",
                 // Of a trainer, a loss and an extractor.
                 "nan_metric", "undeclared", "writes", "twins", "spaces", "no_version",
                 "other_spec", "one_row_less"});
    s.field(&DefectParams::at_call, "at_call", "the call in which it does").min(0);
  }
};

inline volatile std::int64_t zero = 0;

/// True when the value is to be NaN; does not return from the other defects.
inline bool fails(const DefectParams& p, std::int64_t call) {
  if (call < p.at_call || std::getenv("RETAKE_TEST_TAME") != nullptr) return false;
  if (p.defect == "prints") std::puts("noise on standard output");
  if (p.defect == "throw") throw std::runtime_error("no more today");
  if (p.defect == "throw_int") throw 7;
  if (p.defect == "crash") *reinterpret_cast<volatile std::int64_t*>(zero + 8) = 1;
  if (p.defect == "abort") std::abort();
  if (p.defect == "exit") std::exit(0);
  if (p.defect == "exit_now") ::_exit(0);
  if (p.defect == "quick_exit") std::quick_exit(0);
  if (p.defect == "silent") throw retake::DataError(std::vector<retake::Diagnostic>{});
  if (p.defect == "code_ok") {
    retake::Diagnostic d;
    d.message = "all is well";
    throw retake::Error(retake::ExitCode::ok, d);
  }
  if (p.defect == "divide") zero = call / zero;
  while (p.defect == "hang") ::pause();
  return p.defect == "nan";
}

}  // namespace hostile

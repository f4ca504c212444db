#pragma once
// Where the time of a run goes: a Chrome trace (chrome://tracing, ui.perfetto.dev) and totals.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "retake/value.hpp"
#include "run/io.hpp"

namespace retake::run {

/// Writes spans as they end, in the Trace Event Format's JSON array form, whose end may be missing:
/// a killed run leaves a readable file. Not thread-safe.
class Profile {
 public:
  /// Creates the file; a later attempt of the same run gets a file of its own (profile-2.json).
  /// Throws DataError.
  explicit Profile(const std::filesystem::path& run_folder);
  /// Closes the array; a failure is logged.
  ~Profile();
  Profile(const Profile&) = delete;
  Profile& operator=(const Profile&) = delete;

  /// Microseconds since the loop began; `name` lives as long as the process. A few tens of
  /// nanoseconds: what is measured must not feel it. Spans beyond the first million are counted,
  /// not written.
  void add(const char* name, double begin_us, double end_us);

  /// Seconds by name, "profile" being the writing of this file and "engine" what of the time since
  /// the first span lies in none of the leaf spans: what the engine itself costs.
  std::map<std::string, double> seconds() const;
  std::int64_t steps() const { return steps_; }
  /// {"file", "steps", "seconds": {...}, "overhead_ms_per_step"}
  Value summary() const;
  /// "profile  data 3%  forward 41%  backward 39%  optimiser 5%  engine 0.06 ms a step   FILE"
  std::string text() const;

 private:
  struct Span {
    const char* name;
    double begin_us, end_us;
  };

  void flush();
  void total(std::map<std::string, double>& us) const;

  std::filesystem::path path_;
  Descriptor file_;
  std::vector<Span> spans_;  ///< not yet written
  std::int64_t written_ = 0;
  std::int64_t steps_ = 0;
  double first_us_ = -1;
  double last_us_ = 0;
  std::map<std::string, double> total_us_;  ///< of the written ones
};

}  // namespace retake::run

#include "disk.hpp"

#include "run/progress.hpp"

namespace retake::cli {

namespace fs = std::filesystem;

double free_bytes(fs::path folder) {
  folder = fs::absolute(folder);
  std::error_code error;
  while (!folder.empty() && !fs::exists(folder, error)) folder = folder.parent_path();
  const fs::space_info space = fs::space(folder, error);
  return error ? 0 : static_cast<double>(space.available);
}

double checkpoints_bytes(const config::TrainTable& train, std::int64_t one) {
  const double kept = static_cast<double>(train.keep.last + train.keep.best + 1);
  return kept * static_cast<double>(one);
}

std::optional<Diagnostic> disk_warning(double needed, double free) {
  if (needed <= free) return std::nullopt;
  Diagnostic d;
  d.severity = Severity::warning;
  d.id = "W32";
  d.message = "the run would need more disk than is free: " + format_bytes(needed) + " of " +
              format_bytes(free);
  d.help = "free some, keep fewer checkpoints (train.keep), or use another folder (run.dir)";
  return d;
}

std::string format_bytes(double bytes) {
  for (const char* unit : {"B", "kB", "MB", "GB"}) {
    if (bytes < 1000) return run::format_number(bytes) + " " + unit;
    bytes /= 1000;
  }
  return run::format_number(bytes) + " TB";
}

}  // namespace retake::cli

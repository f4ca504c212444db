#include "run/profile.hpp"

#include <fcntl.h>

#include <algorithm>
#include <cstdio>

#include "retake/log.hpp"
#include "run/progress.hpp"

namespace retake::run {
namespace {

constexpr std::int64_t kMostSpans = 1000000;
constexpr std::size_t kBuffer = 1 << 16;

/// Spans that hold others, or that the engine needs for itself.
bool is_leaf(const std::string& name) {
  return name != "step" && name != "log";
}

}  // namespace

Profile::Profile(const std::filesystem::path& run_folder) {
  for (int n = 1; !file_; ++n) {
    path_ = run_folder / (n == 1 ? "profile.json" : "profile-" + std::to_string(n) + ".json");
    if (!std::filesystem::exists(path_)) file_ = open_file(path_, O_WRONLY | O_CREAT | O_EXCL);
  }
  pending_ = "[\n{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"args\":{\"name\":\"retake\"}}";
}

Profile::~Profile() {
  try {
    pending_ += "\n]\n";
    flush();
  } catch (const std::exception& e) {
    log_warning(std::string("the profile is incomplete: ") + e.what());
  }
}

void Profile::add(const std::string& name, double begin_us, double end_us) {
  first_us_ = first_us_ < 0 ? begin_us : std::min(first_us_, begin_us);
  last_us_ = std::max(last_us_, end_us);
  total_us_[name] += end_us - begin_us;
  if (name == "step") ++steps_;
  if (++written_ > kMostSpans) return;
  char event[192];
  const int n = std::snprintf(
      event, sizeof event,
      ",\n{\"name\":\"%s\",\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":%.3f,\"dur\":%.3f}",
      name.c_str(), begin_us, end_us - begin_us);
  pending_.append(event, static_cast<std::size_t>(n));
  if (pending_.size() > kBuffer) flush();
}

void Profile::flush() {
  write_all(file_.get(), pending_, path_);
  pending_.clear();
}

std::map<std::string, double> Profile::seconds() const {
  std::map<std::string, double> out;
  double leaves = 0;
  for (const auto& [name, us] : total_us_) {
    if (!is_leaf(name)) continue;
    out[name] = us / 1e6;
    leaves += us;
  }
  out["engine"] = first_us_ < 0 ? 0 : (last_us_ - first_us_ - leaves) / 1e6;
  return out;
}

Value Profile::summary() const {
  Table out, parts;
  for (const auto& [name, value] : seconds()) parts[name] = value;
  out["file"] = path_.string();
  out["steps"] = steps_;
  out["overhead_ms_per_step"] =
      steps_ > 0 ? parts.at("engine").as_double() * 1e3 / static_cast<double>(steps_) : 0.0;
  out["seconds"] = std::move(parts);
  return out;
}

std::string Profile::text() const {
  const auto parts = seconds();
  double all = 0;
  for (const auto& [_, value] : parts) all += value;
  std::string text = "profile ";
  for (const auto& [name, value] : parts) {
    if (name == "engine" || all <= 0) continue;
    char share[64];
    std::snprintf(share, sizeof share, "  %s %.1f%%", name.c_str(), 100.0 * value / all);
    text += share;
  }
  const double ms = steps_ > 0 ? parts.at("engine") * 1e3 / static_cast<double>(steps_) : 0.0;
  return text + "   engine " + format_number(ms) + " ms a step   " + path_.string();
}

}  // namespace retake::run

#include "run/profile.hpp"

#include <fcntl.h>

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "retake/log.hpp"
#include "run/progress.hpp"

namespace retake::run {
namespace {

constexpr std::int64_t kMostSpans = 1000000;
constexpr std::size_t kBuffer = 8192;

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
  const std::string head =
      "[\n{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":1,\"args\":{\"name\":\"retake\"}}";
  write_all(file_.get(), head, path_);
  spans_.reserve(kBuffer);
}

Profile::~Profile() {
  try {
    flush();
    write_all(file_.get(), "\n]\n", path_);
  } catch (const std::exception& e) {
    log_warning(std::string("the profile is incomplete: ") + e.what());
  }
}

void Profile::add(const char* name, double begin_us, double end_us) {
  first_us_ = first_us_ < 0 ? begin_us : std::min(first_us_, begin_us);
  last_us_ = std::max(last_us_, end_us);
  if (std::string_view(name) == "step") ++steps_;
  spans_.push_back({name, begin_us, end_us});
  if (spans_.size() == kBuffer) flush();
}

void Profile::flush() {
  const auto begin = std::chrono::steady_clock::now();
  std::string text;
  for (const Span& span : spans_) {
    if (++written_ > kMostSpans) break;
    char event[192];
    const int n = std::snprintf(
        event, sizeof event,
        ",\n{\"name\":\"%s\",\"ph\":\"X\",\"pid\":1,\"tid\":1,\"ts\":%.3f,\"dur\":%.3f}", span.name,
        span.begin_us, span.end_us - span.begin_us);
    text.append(event, static_cast<std::size_t>(n));
  }
  total(total_us_);
  spans_.clear();
  write_all(file_.get(), text, path_);
  const std::chrono::duration<double, std::micro> own = std::chrono::steady_clock::now() - begin;
  total_us_["profile"] += own.count();
}

void Profile::total(std::map<std::string, double>& us) const {
  for (const Span& span : spans_) us[span.name] += span.end_us - span.begin_us;
}

std::map<std::string, double> Profile::seconds() const {
  std::map<std::string, double> all = total_us_, out;
  total(all);
  double leaves = 0;
  for (const auto& [name, us] : all) {
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

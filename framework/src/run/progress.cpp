#include "run/progress.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>

#include "core/log_sink.hpp"
#include "core/utf8.hpp"
#include "retake/value.hpp"

namespace retake::run {

namespace {

constexpr int kBarWidth = 20;
constexpr double kRateSeconds = 10.0;    // smoothing of the rate
constexpr double kMeasureSeconds = 0.2;  // shorter spans tell little
constexpr auto kTerminalInterval = std::chrono::milliseconds(100);
constexpr auto kLinesInterval = std::chrono::seconds(10);

std::string bar(double part) {
  const int filled = static_cast<int>(part * kBarWidth);
  std::string out = "[";
  for (int i = 0; i < kBarWidth; ++i) {
    out += i < filled - 1 || filled == kBarWidth ? '=' : i == filled - 1 ? '>' : ' ';
  }
  return out + "]";
}

std::string count(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.0f", value);
  return text;
}

std::size_t terminal_width(std::FILE* out) {
  winsize size{};
  if (::ioctl(::fileno(out), TIOCGWINSZ, &size) != 0 || size.ws_col == 0) return 80;
  return size.ws_col;
}

std::string json_line(const ProgressState& state, double rate) {
  Table inner, line;
  inner["what"] = state.what;
  inner["done"] = state.done;
  inner["total"] = state.total > 0 ? Value(state.total) : Value();
  inner["unit"] = state.unit;
  inner["rate"] = rate > 0 ? Value(rate) : Value();
  inner["details"] = state.details;
  line["progress"] = std::move(inner);
  return to_json(Value(std::move(line)));
}

std::string cut(std::string text, std::size_t width) {
  text.resize(byte_of_character(text, width));
  return text;
}

}  // namespace

std::string format_duration(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return {};
  const auto s = static_cast<long long>(seconds + 0.5);
  char text[48];
  if (s < 60) {
    std::snprintf(text, sizeof text, "%llds", s);
  } else if (s < 3600) {
    std::snprintf(text, sizeof text, "%lldm%02lld", s / 60, s % 60);
  } else if (s < 86400) {
    std::snprintf(text, sizeof text, "%lldh%02lldm", s / 3600, s / 60 % 60);
  } else {
    std::snprintf(text, sizeof text, "%lldd%02lldh", s / 86400, s / 3600 % 24);
  }
  return text;
}

std::string format_number(double value) {
  if (std::isnan(value)) return "NaN";
  char text[32];
  std::snprintf(text, sizeof text,
                std::abs(value) >= 1000 && std::abs(value) < 1e7 ? "%.0f" : "%.3g", value);
  return text;
}

std::string format_progress(const ProgressState& state, double rate, std::size_t width) {
  std::string head = state.what + " ";
  std::string tail;
  if (state.total > 0) {
    const std::string total = count(state.total);
    const std::string done = count(state.done);
    head.append(total.size() - std::min(total.size(), done.size()), ' ');
    const double part = std::clamp(state.done / state.total, 0.0, 1.0);
    head += done + "/" + total + " " + bar(part) + " " + count(std::floor(part * 100)) + "%";
  } else {
    head += count(state.done);
  }
  if (rate > 0 && !state.unit.empty()) {
    tail += "  " + format_number(rate) + " " + state.unit + "/s";
  }
  if (rate > 0 && state.total > state.done) {
    const std::string eta = format_duration((state.total - state.done) / rate);
    if (!eta.empty()) tail += "  eta " + eta;
  }
  std::string middle = state.details.empty() ? "" : "  " + state.details;
  if (width > 0) {
    const std::size_t fixed = count_characters(head) + count_characters(tail);
    middle = cut(middle, width > fixed ? width - fixed : 0);
    return cut(head + middle + tail, width);
  }
  return head + middle + tail;
}

ProgressLine::Mode ProgressLine::mode_of(std::FILE* out, bool quiet, bool json) {
  if (quiet) return Mode::off;
  if (json) return Mode::json;
  return ::isatty(::fileno(out)) ? Mode::terminal : Mode::lines;
}

ProgressLine::ProgressLine(Mode mode, std::FILE* out) : mode_(mode), out_(out) {
  if (mode_ == Mode::terminal) {
    set_before_log_line([this] {
      const std::scoped_lock lock(mutex_);
      clear();
    });
  }
}

ProgressLine::~ProgressLine() {
  if (mode_ == Mode::terminal) set_before_log_line({});
  finish();
}

void ProgressLine::measure(const ProgressState& state, Clock::time_point now) {
  if (!started_ || state.what != what_ || state.done < last_done_) {
    started_ = true;
    what_ = state.what;
    rate_ = 0;
    last_done_ = state.done;
    last_time_ = now;
    return;
  }
  const double seconds = std::chrono::duration<double>(now - last_time_).count();
  if (seconds < kMeasureSeconds || state.done == last_done_) return;
  const double current = (state.done - last_done_) / seconds;
  const double weight = rate_ == 0 ? 1.0 : 1.0 - std::exp(-seconds / kRateSeconds);
  rate_ += weight * (current - rate_);
  last_done_ = state.done;
  last_time_ = now;
}

void ProgressLine::update(const ProgressState& state, bool force, Clock::time_point now) {
  const std::scoped_lock lock(mutex_);
  measure(state, now);
  if (mode_ == Mode::off) return;
  const bool at_end = state.total > 0 && state.done >= state.total;
  const Clock::duration interval = mode_ == Mode::terminal ? Clock::duration(kTerminalInterval)
                                                           : Clock::duration(kLinesInterval);
  const bool first = last_shown_ == Clock::time_point{};
  if (!force && !at_end && !first && now - last_shown_ < interval) return;
  last_shown_ = now;
  show(state);
}

void ProgressLine::show(const ProgressState& state) {
  const bool terminal = mode_ == Mode::terminal;
  // One column less than there are: a full last column would wrap.
  const std::size_t width = terminal ? terminal_width(out_) - 1 : 0;
  const std::string line =
      mode_ == Mode::json ? json_line(state, rate_) : format_progress(state, rate_, width);
  std::fprintf(out_, terminal ? "\r%s\033[K" : "%s\n", line.c_str());
  std::fflush(out_);
  shown_ = terminal;
}

void ProgressLine::clear() {
  if (!shown_) return;
  std::fputs("\r\033[K", out_);
  std::fflush(out_);
  shown_ = false;
}

void ProgressLine::finish() {
  const std::scoped_lock lock(mutex_);
  if (!shown_) return;
  std::fputc('\n', out_);
  std::fflush(out_);
  shown_ = false;
}

double ProgressLine::rate() const {
  const std::scoped_lock lock(mutex_);
  return rate_;
}

}  // namespace retake::run

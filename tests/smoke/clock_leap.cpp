// Preloaded into a run: a wall clock that is set back by a day, and forward by two, again and
// again. The steady clock is left alone, as it is by whoever sets a machine's time.
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <ctime>

namespace {

std::atomic<long> reads{0};

time_t leap() {
  constexpr time_t kDay = 86400;
  constexpr time_t kLeaps[] = {0, -kDay, kDay};
  return kLeaps[(reads++ / 10) % 3];
}

}  // namespace

extern "C" {

int clock_gettime(clockid_t clock, timespec* now) noexcept {
  const long end = ::syscall(SYS_clock_gettime, clock, now);
  if (end == 0 && clock == CLOCK_REALTIME) now->tv_sec += leap();
  return static_cast<int>(end);
}

int gettimeofday(timeval* now, void*) noexcept {
  timespec t{};
  const int end = ::clock_gettime(CLOCK_REALTIME, &t);
  now->tv_sec = t.tv_sec;
  now->tv_usec = t.tv_nsec / 1000;
  return end;
}

time_t time(time_t* out) noexcept {
  timespec t{};
  ::clock_gettime(CLOCK_REALTIME, &t);
  if (out != nullptr) *out = t.tv_sec;
  return t.tv_sec;
}
}

#include "edit/runs.hpp"

#include <algorithm>
#include <map>

#include "edit/frames.hpp"

namespace retake::edit {
namespace {

std::int64_t enter_of(const Segment& s) {
  return s.reverse ? s.end : s.begin;
}
std::int64_t leave_of(const Segment& s) {
  return s.reverse ? s.begin : s.end;
}

/// Disjoint half-open ranges under union.
class Ranges {
 public:
  std::int64_t overlap(std::int64_t begin, std::int64_t end) const {
    std::int64_t sum = 0;
    auto it = ranges_.upper_bound(begin);
    if (it != ranges_.begin()) --it;
    for (; it != ranges_.end() && it->first < end; ++it) {
      sum += std::max<std::int64_t>(0, std::min(end, it->second) - std::max(begin, it->first));
    }
    return sum;
  }

  void add(std::int64_t begin, std::int64_t end) {
    auto it = ranges_.upper_bound(begin);
    if (it != ranges_.begin() && std::prev(it)->second >= begin) --it;
    while (it != ranges_.end() && it->first <= end) {
      begin = std::min(begin, it->first);
      end = std::max(end, it->second);
      it = ranges_.erase(it);
    }
    ranges_.emplace(begin, end);
  }

  const std::map<std::int64_t, std::int64_t>& all() const { return ranges_; }

 private:
  std::map<std::int64_t, std::int64_t> ranges_;
};

/// Groups segments into runs; moves and re-use are not known yet.
std::vector<Run> group(const Edl& edl, const FrameMath& frames) {
  const std::vector<std::int64_t> starts = edl.output_starts();
  std::vector<Run> runs;
  bool after_gap = false;
  for (std::size_t i = 0; i < edl.segments.size(); ++i) {
    const Segment& s = edl.segments[i];
    if (starts[i + 1] == starts[i]) continue;  // a rate can shrink a segment to nothing
    if (s.is_gap()) {
      after_gap = true;
      continue;
    }
    if (!runs.empty() && !after_gap) {
      Run& last = runs.back();
      if (last.source == s.source && last.reverse == s.reverse &&
          frames.to_frames(enter_of(s) - last.leave) == 0) {
        last.last_segment = i;
        last.out_end = starts[i + 1];
        last.leave = leave_of(s);
        continue;
      }
    }
    Run run;
    run.first_segment = run.last_segment = i;
    run.source = s.source;
    run.out_begin = starts[i];
    run.out_end = starts[i + 1];
    run.enter = enter_of(s);
    run.leave = leave_of(s);
    run.reverse = s.reverse;
    run.after_gap = after_gap;
    after_gap = false;
    runs.push_back(run);
  }
  return runs;
}

}  // namespace

std::vector<Run> copied_runs(const Edl& edl) {
  if (edl.segments.empty()) return {};
  const FrameMath frames(TimeGrid{}, edl_rate(edl));
  std::vector<Run> runs = group(edl, frames);
  std::vector<Ranges> used(edl.sources.size());
  for (std::size_t k = 0; k < runs.size(); ++k) {
    Run& run = runs[k];
    Ranges& mine = used[static_cast<std::size_t>(run.source)];
    std::int64_t again = 0;
    for (std::size_t i = run.first_segment; i <= run.last_segment; ++i) {
      again += mine.overlap(edl.segments[i].begin, edl.segments[i].end);
    }
    run.uses_again = 4.0 * static_cast<double>(again) >= frames.hop();
    for (std::size_t i = run.first_segment; i <= run.last_segment; ++i) {
      mine.add(edl.segments[i].begin, edl.segments[i].end);
    }
    if (k == 0) continue;
    const Run& last = runs[k - 1];
    const std::int64_t step = run.source != last.source ? run.source - last.source
                                                        : frames.to_frames(run.enter - last.leave);
    run.move = step == 0 ? Move::on : (step < 0 ? Move::backward : Move::forward);
  }
  return runs;
}

std::vector<std::pair<std::int64_t, std::int64_t>> used_ranges(const Edl& edl, int source) {
  Ranges used;
  for (const Segment& s : edl.segments) {
    if (s.source == source && s.output_samples() > 0) used.add(s.begin, s.end);
  }
  return {used.all().begin(), used.all().end()};
}

}  // namespace retake::edit

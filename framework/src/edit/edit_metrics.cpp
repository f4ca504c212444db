// Learned edits against the human's.

#include <algorithm>
#include <cmath>

#include "edit/frames.hpp"
#include "edit/metrics.hpp"
#include "edit/ranges.hpp"
#include "edit/runs.hpp"

namespace retake::edit {
namespace {

constexpr double kWide = 0.5;  // s: what `edit_f1` and jumps are measured at
/// Other tolerances of edit points, by the end of the metric's name.
constexpr std::pair<const char*, double> kTolerances[] = {
    {"_0.05s", 0.05}, {"_0.1s", 0.1}, {"_3s", 3.0}};

/// What the measures need of one edit, raw positions in seconds.
struct Facts {
  std::vector<Run> runs;
  Ranges used;
  std::vector<double> enters;
  std::vector<double> leaves;
  std::vector<Jump> all;
  std::vector<Jump> adjacent;
  std::vector<Jump> forward;
  std::vector<Jump> backward;
};

Facts facts_of(const Edl& edl, double rate, std::int64_t raw_samples) {
  Facts facts;
  facts.runs = copied_runs(edl);
  facts.used = used_ranges(edl);
  const double frame = 256.0 * rate / 22050.0;
  // Places at the very start and end of the recording are no decisions.
  const auto is_inside = [&](std::int64_t at) {
    return static_cast<double>(at) > frame &&
           static_cast<double>(at) < static_cast<double>(raw_samples) - frame;
  };
  for (std::size_t k = 0; k < facts.runs.size(); ++k) {
    const Run& run = facts.runs[k];
    if (is_inside(run.enter)) facts.enters.push_back(static_cast<double>(run.enter) / rate);
    if (is_inside(run.leave)) facts.leaves.push_back(static_cast<double>(run.leave) / rate);
    if (run.move != Move::forward && run.move != Move::backward) continue;
    const Run& last = facts.runs[k - 1];
    const Jump jump{static_cast<double>(last.leave) / rate, static_cast<double>(run.enter) / rate};
    facts.all.push_back(jump);
    if (run.move == Move::backward) {
      facts.backward.push_back(jump);
      continue;
    }
    facts.forward.push_back(jump);
    const auto between = static_cast<double>(overlap(facts.used, last.leave, run.enter));
    if (between < frame / 2.0) facts.adjacent.push_back(jump);
  }
  return facts;
}

Counts match_points(const Facts& truth, const Facts& edit, double tolerance) {
  Counts counts = match_places(truth.enters, edit.enters, tolerance);
  counts += match_places(truth.leaves, edit.leaves, tolerance);
  return counts;
}

void add_jumps(Metrics& m, const std::string& name, const std::vector<Jump>& truth,
               const std::vector<Jump>& edit) {
  const Counts counts = match_jumps(truth, edit, kWide);
  if (!counts.empty()) m[name] = counts.f1();
}

double contiguity(const Edl& edl, double rate, std::int64_t raw_samples, bool& known) {
  const TimeGrid raw = frame_grid(raw_samples, rate);
  const std::vector<std::int64_t> p = pointers(edl, frame_grid(edl.output_samples(), rate), raw);
  std::int64_t pairs = 0;
  std::int64_t contiguous = 0;
  for (std::size_t t = 1; t < p.size(); ++t) {
    if (p[t] < 0 || p[t - 1] < 0) continue;
    ++pairs;
    contiguous += p[t] == p[t - 1] + 1 ? 1 : 0;
  }
  known = pairs > 0;
  return known ? static_cast<double>(contiguous) / static_cast<double>(pairs) : 0.0;
}

/// Number of pairs i < j with values[i] > values[j], by merge sort.
std::int64_t inversions(std::vector<std::int64_t>& values, std::vector<std::int64_t>& scratch,
                        std::size_t begin, std::size_t end) {
  if (end - begin < 2) return 0;
  const std::size_t middle = begin + (end - begin) / 2;
  std::int64_t count =
      inversions(values, scratch, begin, middle) + inversions(values, scratch, middle, end);
  std::size_t i = begin;
  std::size_t j = middle;
  for (std::size_t k = begin; k < end; ++k) {
    if (j == end || (i < middle && values[i] <= values[j])) {
      scratch[k] = values[i++];
    } else {
      scratch[k] = values[j++];
      count += static_cast<std::int64_t>(middle - i);
    }
  }
  std::copy(scratch.begin() + static_cast<std::ptrdiff_t>(begin),
            scratch.begin() + static_cast<std::ptrdiff_t>(end),
            values.begin() + static_cast<std::ptrdiff_t>(begin));
  return count;
}

/// First edit frame of each raw frame; -1 where it is not used.
std::vector<std::int64_t> first_use(const Edl& edl, double rate, std::int64_t raw_samples) {
  const TimeGrid raw = frame_grid(raw_samples, rate);
  const auto p = pointers(edl, frame_grid(edl.output_samples(), rate), raw);
  std::vector<std::int64_t> first(static_cast<std::size_t>(raw.rows), -1);
  for (std::size_t t = p.size(); t-- > 0;) {
    if (p[t] >= 0) first[static_cast<std::size_t>(p[t])] = static_cast<std::int64_t>(t);
  }
  return first;
}

/// Kendall's tau of the order in which both edits first play the raw frames that both use.
void add_order(Metrics& m, const Edl& truth, const Edl& edit, double rate,
               std::int64_t raw_samples) {
  const auto a = first_use(truth, rate, raw_samples);
  const auto b = first_use(edit, rate, raw_samples);
  std::vector<std::pair<std::int64_t, std::int64_t>> both;
  for (std::size_t f = 0; f < a.size(); ++f) {
    if (a[f] >= 0 && b[f] >= 0) both.emplace_back(a[f], b[f]);
  }
  if (both.size() < 2) return;
  std::sort(both.begin(), both.end());
  std::vector<std::int64_t> order;
  for (const auto& pair : both) order.push_back(pair.second);
  std::vector<std::int64_t> scratch(order.size());
  const double n = static_cast<double>(order.size());
  const auto bad = static_cast<double>(inversions(order, scratch, 0, order.size()));
  m["order_tau"] = 1.0 - 4.0 * bad / (n * (n - 1.0));
}

void add_material(Metrics& m, const Facts& truth, const Facts& edit,
                  std::span<const MaterialRange> material) {
  const Ranges both = intersect(truth.used, edit.used);
  std::map<std::string, std::pair<std::int64_t, std::int64_t>> right_of_all;
  for (const MaterialRange& r : material) {
    const std::int64_t differs = overlap(truth.used, r.begin, r.end) +
                                 overlap(edit.used, r.begin, r.end) -
                                 2 * overlap(both, r.begin, r.end);
    auto& [right, all] = right_of_all[r.kind];
    right += r.end - r.begin - differs;
    all += r.end - r.begin;
  }
  for (const auto& [kind, counts] : right_of_all) {
    if (counts.second > 0) {
      m["accuracy/" + kind] =
          static_cast<double>(counts.first) / static_cast<double>(counts.second);
    }
  }
}

}  // namespace

Metrics edit_metrics(const Edl& truth, const Edl& edit, std::int64_t raw_samples,
                     std::span<const MaterialRange> material) {
  const double rate = edl_rate(truth);
  const Facts t = facts_of(truth, rate, raw_samples);
  const Facts e = facts_of(edit, rate, raw_samples);
  Metrics m;
  const Counts wide = match_points(t, e, kWide);
  m["edit_f1"] = wide.f1();
  if (wide.given > 0) m["edit_precision"] = wide.precision();
  if (wide.wanted > 0) m["edit_recall"] = wide.recall();
  for (const auto& [suffix, seconds] : kTolerances) {
    m[std::string("edit_f1") + suffix] = match_points(t, e, seconds).f1();
  }
  add_jumps(m, "jump_f1", t.all, e.all);
  add_jumps(m, "jump_f1_adjacent", t.adjacent, e.adjacent);
  add_jumps(m, "jump_f1_forward", t.forward, e.forward);
  add_jumps(m, "jump_f1_backward", t.backward, e.backward);
  const std::int64_t common = total(intersect(t.used, e.used));
  const std::int64_t either = total(t.used) + total(e.used) - common;
  m["kept_iou"] = either == 0 ? 1.0 : static_cast<double>(common) / static_cast<double>(either);
  const auto length = static_cast<double>(edit.output_samples());
  const auto true_length = static_cast<double>(truth.output_samples());
  if (raw_samples > 0) {
    m["keep_ratio"] = length / static_cast<double>(raw_samples);
    m["keep_ratio_error"] = std::abs(length - true_length) / static_cast<double>(raw_samples);
  }
  if (true_length > 0.0) m["length_error"] = std::abs(length - true_length) / true_length;
  const auto per_minute = [&](const Facts& facts, double samples) {
    return static_cast<double>(facts.runs.size()) / (samples / rate / 60.0);
  };
  if (length > 0.0) m["segments_per_minute"] = per_minute(e, length);
  if (true_length > 0.0) m["segments_per_minute_truth"] = per_minute(t, true_length);
  bool known = false;
  const double copied = contiguity(edit, rate, raw_samples, known);
  if (known) m["contiguity"] = copied;
  add_order(m, truth, edit, rate, raw_samples);
  add_material(m, t, e, material);
  return m;
}

}  // namespace retake::edit

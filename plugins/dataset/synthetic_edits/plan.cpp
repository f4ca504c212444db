#include "plan.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace retake::synthetic {

namespace {

/// A stretch of the song that one kept take covers.
struct Run {
  double begin = 0.0;  ///< song samples
  double end = 0.0;
};

double log_normal(Rng& rng, double median, double sigma) {
  return median * std::exp(sigma * rng.normal());
}

class Planner {
 public:
  Planner(const Params& params, Lengths lengths, const Music& music,
          const std::vector<std::string>& splices, Rng& rng)
      : p_(params), music_(music), splices_(splices), rng_(rng), rate_(music.audio.sample_rate) {
    const double song_s = static_cast<double>(music.audio.samples()) / rate_;
    const double edit_s = std::min(lengths.edit_s, 0.95 * song_s);
    raw_s_ = lengths.raw_s * edit_s / lengths.edit_s;
    cut_runs(edit_s);
  }

  Plan run() {
    order_.resize(runs_.size());
    std::iota(order_.begin(), order_.end(), 0);
    if (runs_.size() > 2 && rng_.chance(p_.out_of_order)) shuffle_some();
    const std::vector<double> gaps = draw_gaps();
    for (std::size_t k = 0; k <= order_.size(); ++k) {
      if (gaps[k] > 0.0) fill_gap(k, gaps[k]);
      if (k < order_.size()) take(order_[k]);
    }
    choose_splices();
    return finish();
  }

 private:
  // ---- runs ----

  /// The place near `s` (seconds of the song) where something begins most clearly.
  double snap(double s) const {
    const double reach = 0.75 * rate_;
    const double at = s * rate_;
    double best = at;
    double strength = 0.0;
    const auto first =
        std::lower_bound(music_.onsets.begin(), music_.onsets.end(), at - reach,
                         [](const Onset& o, double v) { return static_cast<double>(o.at) < v; });
    for (auto it = first; it != music_.onsets.end() && static_cast<double>(it->at) <= at + reach;
         ++it) {
      if (it->strength <= strength) continue;
      strength = it->strength;
      best = static_cast<double>(it->at);
    }
    return best;
  }

  void cut_runs(double edit_s) {
    const double song_s = static_cast<double>(music_.audio.samples()) / rate_;
    double at = snap(rng_.uniform() * (song_s - edit_s));
    const double end = std::min(at / rate_ + edit_s, song_s) * rate_;
    while (end - at > 2.0 * rate_ || runs_.empty()) {
      const double length =
          std::clamp(log_normal(rng_, p_.run_s, 0.5), 0.35 * p_.run_s, 4.0 * p_.run_s);
      double next = at / rate_ + length;
      if (end / rate_ - next < 0.4 * p_.run_s) next = end / rate_;
      const double cut =
          std::clamp(snap(next), at + 1.0 * rate_, static_cast<double>(music_.audio.samples()));
      runs_.push_back({at, cut});
      at = cut;
    }
  }

  void shuffle_some() {
    const auto i = static_cast<std::size_t>(rng_.below(order_.size() - 1));
    std::swap(order_[i], order_[i + 1]);
    out_of_order_ = true;
  }

  // ---- gaps ----

  /// Seconds of junk before each take and after the last; 0: the takes meet in a splice.
  std::vector<double> draw_gaps() {
    double kept_s = 0.0;
    for (const Run& r : runs_) kept_s += (r.end - r.begin) / rate_;
    const double junk_s = std::max(0.0, raw_s_ - kept_s);
    constexpr double least = 0.4;
    std::vector<double> weights(order_.size() + 1, 0.0);
    double sum = 0.0;
    for (std::size_t k = 0; k < weights.size(); ++k) {
      const bool edge = k == 0 || k + 1 == weights.size();
      if (edge ? rng_.chance(0.1) : rng_.chance(p_.punch_in)) continue;
      weights[k] = std::exp(p_.gap_spread * rng_.normal()) * (edge ? 0.6 : 1.0);
      sum += weights[k];
    }
    if (sum == 0.0) {
      weights[0] = sum = 1.0;
    }
    for (double& w : weights) w = w > 0.0 ? w * junk_s / sum : 0.0;
    for (double& w : weights) w = w < least ? 0.0 : w;
    return weights;
  }

  // ---- pieces ----

  Drift drift_at(double song) { return random_drift(rng_, song, p_.drift, rate_); }
  double vary_gain() { return std::pow(10.0, rng_.uniform(-1.0, 1.0) * p_.pass_gain_db / 20.0); }

  Piece& add(Piece piece) {
    piece.seed = rng_.next();
    piece.gain = vary_gain();
    pieces_.push_back(std::move(piece));
    return pieces_.back();
  }

  /// The kept take of run `r`.
  void take(int r) {
    const Run& run = runs_[static_cast<std::size_t>(r)];
    Piece piece;
    piece.is_pass = true;
    piece.run = r;
    piece.pass.drift = drift_at(run.begin);
    piece.parts.push_back({"kept", piece.pass.drift.length_to(run.end)});
    add(std::move(piece));
  }

  void add_pass(const std::string& kind, double begin, double end, Fault fault) {
    Piece piece;
    piece.is_pass = true;
    piece.pass.drift = drift_at(begin);
    const std::int64_t n = piece.pass.drift.length_to(end);
    spoil(piece.pass, fault, n, music_.audio.samples(), rate_, rng_);
    piece.parts.push_back({kind, n});
    add(std::move(piece));
  }

  double add_junk(const std::string& kind, double seconds) {
    Piece piece;
    piece.parts.push_back({kind, std::max<std::int64_t>(1, std::llround(seconds * rate_))});
    piece.level = kind == "silence" ? 0.0 : somewhere_level();
    add(std::move(piece));
    return seconds;
  }

  /// The level of a random place of the song among the louder ones: junk is as loud as music.
  double somewhere_level() {
    const auto n = static_cast<std::int64_t>(4.0 * rate_);
    const std::int64_t total = music_.audio.samples();
    for (int attempt = 0; attempt < 8; ++attempt) {
      const auto& run = runs_[rng_.below(runs_.size())];
      const double length = std::max(1.0, run.end - run.begin - static_cast<double>(n));
      const auto at = static_cast<std::int64_t>(run.begin + rng_.uniform() * length);
      double sum = 0.0;
      double count = 0.0;
      for (std::int64_t i = at; i < std::min(total, at + n); i += 7) {
        for (const auto& channel : music_.audio.channels) {
          const double x = channel[static_cast<std::size_t>(i)];
          sum += x * x;
          count += 1.0;
        }
      }
      const double level = count > 0.0 ? std::sqrt(sum / count) : 0.0;
      if (level > 0.1 * music_.level) return level;
    }
    return music_.level;
  }

  /// Fills `seconds` before the take of order_[k] (or after the last).
  void fill_gap(std::size_t k, double seconds) {
    const bool last = k == order_.size();
    double left = seconds;
    if (k > 0) left -= play_on(k, left);
    if (k > 0 && rng_.chance(p_.bad_after)) left -= spoilt_again(order_[k - 1], left);
    double count_in_s = 0.0;
    if (!last && left > 5.0 && rng_.chance(0.35)) {
      count_in_s = std::min(music_.beat_s * (rng_.chance(0.7) ? 4.0 : 8.0), 0.5 * left);
      left -= count_in_s;
    }
    while (left > 0.0) left -= something(k, left);
    if (count_in_s > 0.0) add_junk("count_in", count_in_s);
  }

  /// The players go on into the next run, which they will take again.
  double play_on(std::size_t k, double left) {
    const bool next_follows = k < order_.size() && order_[k] == order_[k - 1] + 1;
    if (!next_follows || left < 2.0 || !rng_.chance(0.3)) return 0.0;
    const Run& next = runs_[static_cast<std::size_t>(order_[k])];
    const double longest = std::min({8.0, 0.5 * left, 0.6 * (next.end - next.begin) / rate_});
    if (longest < 0.8) return 0.0;
    const double seconds = rng_.uniform(0.8, longest);
    pieces_.back().parts.push_back({"play_on", std::llround(seconds * rate_)});
    return seconds;
  }

  /// A spoilt pass of a run that has been taken already: told from a repeat by its faults alone.
  double spoilt_again(int r, double left) {
    const Run& run = runs_[static_cast<std::size_t>(r)];
    const double seconds = (run.end - run.begin) / rate_;
    if (seconds * 1.08 + 0.6 > left) return 0.0;
    const auto& [kind, fault] = faults()[rng_.below(3)];
    add_pass(kind, run.begin, run.end, fault);
    ++bad_after_;
    return static_cast<double>(pieces_.back().samples()) / rate_;
  }

  struct Bad {
    const char* kind;
    Fault fault;
  };
  static const std::array<Bad, 3>& faults() {
    static const std::array<Bad, 3> all = {
        {{"wobble", Fault::wobble}, {"layer", Fault::layer}, {"drop_out", Fault::drop_out}}};
    return all;
  }

  /// One more thing before the take of order_[k]; gives its seconds.
  double something(std::size_t k, double left) {
    enum { kRepeat, kBad, kFalseStart, kNoodling, kTalk, kSilence, kTuning };
    constexpr std::array<double, 7> weights = {0.2, 0.2, 0.16, 0.16, 0.16, 0.06, 0.06};
    const bool last = k == order_.size();
    const auto draw = [&](double median, double longest) {
      return std::clamp(log_normal(rng_, median, 0.6), 0.5, longest);
    };
    double seconds = 0.0;
    switch (rng_.weighted(weights)) {
      case kRepeat:
        if (!last) return whole_pass(k, left, true);
        [[fallthrough]];
      case kTalk:
        seconds = draw(4.0, 20.0);
        return add_junk("talk", fit(seconds, left));
      case kBad:
        if (!last) return whole_pass(k, left, false);
        [[fallthrough]];
      case kNoodling:
        seconds = draw(5.0, 20.0);
        return add_junk("noodling", fit(seconds, left));
      case kFalseStart:
        if (!last) return false_start(k, left);
        [[fallthrough]];
      case kSilence:
        seconds = draw(2.5, 20.0);
        return add_junk("silence", fit(seconds, left));
      default:
        seconds = draw(4.0, 12.0);
        return add_junk("tuning", fit(seconds, left));
    }
  }

  /// All of what is left, when little would remain.
  static double fit(double seconds, double left) { return left - seconds < 1.0 ? left : seconds; }

  /// The next run, or several that are all still to come, played through: well or badly.
  double whole_pass(std::size_t k, double left, bool good) {
    const auto r = static_cast<std::size_t>(order_[k]);
    std::size_t most = out_of_order_ ? 1 : 1 + rng_.below(4);
    most = std::min(most, runs_.size() - r);
    for (; most > 0; --most) {
      const double end = runs_[r + most - 1].end;
      // A little room, since the tempo drifts; what remains must be worth a piece of its own.
      if ((end - runs_[r].begin) / rate_ * 1.08 + 0.6 > left) continue;
      if (good) {
        add_pass("repeat", runs_[r].begin, end, Fault::none);
      } else {
        const auto& [kind, fault] = faults()[rng_.below(3)];
        add_pass(kind, runs_[r].begin, end, fault);
      }
      return static_cast<double>(pieces_.back().samples()) / rate_;
    }
    return false_start(k, left);
  }

  double false_start(std::size_t k, double left) {
    const Run& run = runs_[static_cast<std::size_t>(order_[k])];
    const double longest = std::min(7.0, 0.6 * (run.end - run.begin) / rate_);
    const double wanted = rng_.uniform(0.8, std::max(1.0, longest));
    if (wanted > longest || left - wanted < 0.5) {
      return add_junk("talk", fit(std::clamp(log_normal(rng_, 3.0, 0.6), 0.5, 10.0), left));
    }
    Piece piece;
    piece.is_pass = true;
    piece.pass.drift = drift_at(run.begin);
    piece.parts.push_back({"false_start", std::llround(wanted * rate_)});
    add(std::move(piece));
    return wanted;
  }

  // ---- splices ----

  /// One law for all boundaries, whatever stands on either side.
  void choose_splices() {
    for (std::size_t i = 0; i + 1 < pieces_.size(); ++i) {
      const std::string& kind = splices_[rng_.below(splices_.size())];
      const std::int64_t room =
          std::min(pieces_[i].parts.back().samples, pieces_[i + 1].parts.front().samples) / 3;
      pieces_[i].next = random_splice(kind, rate_, room, rng_);
    }
  }

  // ---- truth ----

  Plan finish() {
    Plan plan;
    std::vector<std::pair<int, Segment>> kept;
    for (const Piece& piece : pieces_) {
      for (const Piece::Part& part : piece.parts) {
        const std::int64_t end = plan.samples + part.samples;
        plan.material.push_back({plan.samples, end, part.kind});
        if (part.kind == "kept") {
          Segment s;
          s.begin = plan.samples;
          s.end = end;
          kept.emplace_back(piece.run, s);
        }
        plan.samples = end;
      }
    }
    std::sort(kept.begin(), kept.end(),
              [](const auto& a, const auto& b) { return a.first < b.first; });
    for (const auto& [run, segment] : kept) plan.truth.segments.push_back(segment);
    add_loops(plan.truth);
    merge_contiguous(plan.truth);
    polish(plan.truth, plan.samples);
    plan.facts = facts(plan);
    plan.pieces = std::move(pieces_);
    return plan;
  }

  void add_loops(Edl& edl) {
    const std::int64_t loops = p_.loops > 0 ? rng_.integer(0, p_.loops) : 0;
    for (std::int64_t i = 0; i < loops; ++i) {
      const std::size_t at = rng_.below(edl.segments.size());
      const Segment again = edl.segments[at];
      edl.segments.insert(edl.segments.begin() + static_cast<std::ptrdiff_t>(at), again);
    }
  }

  void polish(Edl& edl, std::int64_t raw_samples) {
    const double gain = rng_.uniform(-1.0, 1.0) * p_.edit_gain_db;
    for (std::size_t i = 0; i < edl.segments.size(); ++i) {
      Segment& s = edl.segments[i];
      s.gain_db = std::round(gain * 100.0) / 100.0;
      if (i + 1 == edl.segments.size()) continue;
      const Segment& next = edl.segments[i + 1];
      const std::int64_t wanted =
          std::llround(rng_.uniform(p_.join_ms_min, p_.join_ms_max) / 1000.0 * rate_);
      // A join borrows from outside both segments, so there must be something.
      s.join.samples = std::min({wanted, (s.end - s.begin) / 4, (next.end - next.begin) / 4,
                                 raw_samples - s.end, next.begin});
    }
    if (!p_.fades) return;
    const double edit_s = static_cast<double>(edl.output_samples()) / rate_;
    Segment& first = edl.segments.front();
    Segment& last = edl.segments.back();
    first.fade_in = {fade_samples(0.02, 1.0, edit_s, first), Curve::linear};
    last.fade_out = {fade_samples(0.1, 5.0, edit_s, last), Curve::equal_power};
  }

  std::int64_t fade_samples(double least, double most, double edit_s, const Segment& s) {
    const double seconds = rng_.uniform(least, std::min(most, std::max(least, 0.05 * edit_s)));
    return std::min<std::int64_t>(std::llround(seconds * rate_), (s.end - s.begin) / 3);
  }

  Table facts(const Plan& plan) const {
    Table t;
    Array used;
    for (const std::string& s : splices_) used.emplace_back(s);
    t["splices"] = Value(std::move(used));
    t["runs"] = Value(static_cast<std::int64_t>(runs_.size()));
    t["out_of_order"] = Value(out_of_order_);
    t["bad_after"] = Value(bad_after_);
    t["pieces"] = Value(static_cast<std::int64_t>(pieces_.size()));
    t["keep"] =
        Value(static_cast<double>(plan.truth.output_samples()) / static_cast<double>(plan.samples));
    return t;
  }

  const Params& p_;
  const Music& music_;
  const std::vector<std::string>& splices_;
  Rng& rng_;
  double rate_;
  double raw_s_ = 0.0;
  std::vector<Run> runs_;
  std::vector<int> order_;
  std::vector<Piece> pieces_;
  bool out_of_order_ = false;
  int bad_after_ = 0;
};

}  // namespace

std::int64_t Piece::samples() const {
  std::int64_t n = 0;
  for (const Part& part : parts) n += part.samples;
  return n;
}

Lengths draw_lengths(const Params& params, Rng& rng) {
  Lengths lengths;
  const double spread = std::log(params.minutes_spread);
  lengths.raw_s = 60.0 * params.minutes * std::exp(rng.uniform(-spread, spread));
  double keep = params.keep;
  if (keep == 0.0) {
    do {
      keep = rng.beta(1.6, 3.4);
    } while (keep < 0.1 || keep > 0.75);
  }
  lengths.edit_s = keep * lengths.raw_s;
  return lengths;
}

Plan make_plan(const Params& params, Lengths lengths, const Music& music,
               const std::vector<std::string>& splices, Rng& rng) {
  return Planner(params, lengths, music, splices, rng).run();
}

}  // namespace retake::synthetic

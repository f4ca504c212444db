// Self-similarity: does this material come again, later or earlier in the recording?

#include <algorithm>
#include <cmath>

#include "chance.hpp"
#include "front_end.hpp"
#include "retake/kinds/feature_extractor.hpp"
#include "retake/plugin.hpp"
#include "search.hpp"

namespace self_similarity {

namespace {

struct Params {
  std::vector<double> windows = {1.2, 4.0, 10.0};
  double min_lag = 2.0;
  double max_lag = 10800.0;
  std::int64_t bands = 64;
  std::int64_t components = 32;

  static void describe(retake::Schema<Params>& s) {
    s.field(&Params::windows, "windows", "lengths of the stretches that are compared")
        .range(0.4, 120.0)
        .unit("s");
    s.field(&Params::min_lag, "min_lag", "nearest match that counts").range(0.4, 60.0).unit("s");
    s.field(&Params::max_lag, "max_lag",
            "farthest match that is looked for; bounds the time beyond this length")
        .range(60.0, 86400.0)
        .unit("s");
    s.field(&Params::bands, "bands", "mel bands").range(16, 128).unit("bands");
    s.field(&Params::components, "components", "principal components that are compared")
        .range(4, 128)
        .at_most(&Params::bands);
  }
  static void check(const Params& p, retake::Problems& problems) {
    if (p.windows.empty()) problems.add("windows", "no window length", "windows = [1.2, 4, 10]");
  }
};

/// Matches below this are noise: their lags tell nothing.
constexpr float kMinMatch = 0.2F;

/// 0 for no match, about 0.15 at 2 s, 0.5 at a minute, 1 at an hour.
float scaled_lag(std::int32_t rows) {
  const double seconds = static_cast<double>(rows) * kHop / kRate;
  return static_cast<float>(std::log1p(seconds) / std::log1p(3600.0));
}

/// Each row gets the windows that start at it, then those that end at it.
class SelfSimilarity final : public retake::FeatureExtractor {
 public:
  using Params = self_similarity::Params;
  explicit SelfSimilarity(const Params& params) : params_(params) {}

  std::string algorithm_version() const override { return "2"; }

  std::vector<retake::FeatureBlock> blocks() const override {
    const auto width = static_cast<std::int64_t>(2 * params_.windows.size());
    return {{"later", 0, width, "1 = exact, 0 = chance", true},
            {"later_lag", width, width, "log s, 1 = 1 h", true},
            {"earlier", 2 * width, width, "1 = exact, 0 = chance", true},
            {"earlier_lag", 3 * width, width, "log s, 1 = 1 h", true}};
  }

  retake::FeatureTable extract(retake::AudioSource& source,
                               const retake::Context& context) const override {
    const retake::AudioInfo& info = source.info();
    const retake::TimeGrid grid = retake::frame_grid(info.samples, info.sample_rate, kHop, kRate);
    const std::vector<float> rows = whiten(slow_log_mel(source, context, grid.rows, params_.bands),
                                           params_.bands, params_.components);
    const SearchOptions options = search_options();
    std::vector<Matches> matches =
        search(rows, params_.components, options,
               [&](std::size_t n, const std::function<void(std::size_t, std::size_t)>& body) {
                 context.parallel_for(n, 1, body);
               });
    for (std::size_t w = 0; w < matches.size(); ++w) {
      remove_chance(matches[w], options.windows[w], options, kMinMatch);
    }
    return {grid, blocks(), columns(matches, grid.rows), spec()};
  }

  static retake::Traits traits() {
    retake::Traits t;
    t.outputs = {{"later", "f32", "N, 2*W", "best match later in the recording"},
                 {"later_lag", "f32", "N, 2*W", "how much later"},
                 {"earlier", "f32", "N, 2*W", "best match earlier in the recording"},
                 {"earlier_lag", "f32", "N, 2*W", "how much earlier"}};
    return t;
  }

 private:
  SearchOptions search_options() const {
    auto rows = [](double seconds) {
      return std::max<std::int64_t>(1, std::llround(seconds * kRate / kHop));
    };
    SearchOptions o;
    for (double w : params_.windows) o.windows.push_back(rows(w));
    o.min_lag = rows(params_.min_lag);
    o.max_lag = rows(params_.max_lag);
    return o;
  }

  std::vector<float> columns(const std::vector<Matches>& matches, std::int64_t rows) const {
    const std::size_t windows = matches.size(), width = 8 * windows;
    const std::vector<std::int64_t> lengths = search_options().windows;
    std::vector<float> values(static_cast<std::size_t>(rows) * width, 0.0F);
    for (std::int64_t t = 0; t < rows; ++t) {
      float* row = values.data() + static_cast<std::size_t>(t) * width;
      for (std::size_t w = 0; w < windows; ++w) {
        const std::int64_t starts[2] = {t, t - lengths[w] + 1};
        for (std::size_t side = 0; side < 2; ++side) {
          if (starts[side] < 0) continue;
          const auto s = static_cast<std::size_t>(starts[side]);
          float* cell = row + side * windows + w;
          cell[0] = matches[w].later[s];
          cell[2 * windows] = scaled_lag(matches[w].later_lag[s]);
          cell[4 * windows] = matches[w].earlier[s];
          cell[6 * windows] = scaled_lag(matches[w].earlier_lag[s]);
        }
      }
    }
    return values;
  }

  retake::FeatureSpec spec() const {
    retake::FeatureSpec s{"self_similarity", algorithm_version(), {}};
    retake::Array windows;
    for (double w : params_.windows) windows.emplace_back(w);
    s.params["windows"] = std::move(windows);
    s.params["min_lag"] = params_.min_lag;
    s.params["max_lag"] = params_.max_lag;
    s.params["bands"] = params_.bands;
    s.params["components"] = params_.components;
    return s;
  }

  Params params_;
};

}  // namespace

}  // namespace self_similarity

RETAKE_PLUGIN("self_similarity", "0.1.0", registrar) {
  registrar.add<self_similarity::SelfSimilarity>(
      "self_similarity", "Best diagonal match of each stretch, later and earlier, with its lag.");
}

// Experiment files with bases and overrides. Parts of the input: exp.toml, a.toml, b.toml,
// overrides.

#include <map>

#include "config/experiment.hpp"
#include "retake/schema.hpp"
#include "scratch.hpp"

using namespace retake;

namespace {

struct Layer {
  std::int64_t width = 4;
  static void describe(Schema<Layer>& s) { s.field(&Layer::width, "width", "w").range(1, 64); }
};
struct ModelParams {
  std::int64_t d_model = 64;
  std::int64_t n_heads = 4;
  double dropout = 0.1;
  std::string mode = "fast";
  std::vector<double> edges = {1.0};
  std::vector<std::string> frames;
  Layer layer;
  static void describe(Schema<ModelParams>& s) {
    s.version(2);
    s.renamed(1, "width", "d_model");
    s.field(&ModelParams::d_model, "d_model", "d")
        .range(1, 4096)
        .multiple_of(&ModelParams::n_heads);
    s.field(&ModelParams::n_heads, "n_heads", "h").range(1, 64);
    s.field(&ModelParams::dropout, "dropout", "p").range(0, 1).open_max();
    s.field(&ModelParams::mode, "mode", "m").one_of({"fast", "slow"});
    s.field(&ModelParams::edges, "edges", "e").range(-1e9, 1e9);
    s.field(&ModelParams::frames, "frames", "f").path();
    s.field(&ModelParams::layer, "layer", "l");
  }
};
struct LossParams {
  double margin = 1.0;
  static void describe(Schema<LossParams>& s) { s.field(&LossParams::margin, "margin", "m"); }
};

class SmallCatalog final : public config::Catalog {
 public:
  SmallCatalog() {
    add("model", "net", Schema<ModelParams>::make().info());
    add("model", "other", Schema<LossParams>::make().info());
    add("loss", "hinge", Schema<LossParams>::make().info());
  }
  std::vector<std::string> kinds() const override { return {"loss", "model", "trainer"}; }
  const ComponentInfo* find(std::string_view kind, std::string_view name) const override {
    const auto at = all_.find(std::string(kind) + "/" + std::string(name));
    return at == all_.end() ? nullptr : &at->second;
  }
  std::vector<std::string> names(std::string_view kind) const override {
    std::vector<std::string> out;
    for (const auto& [key, info] : all_) {
      if (info.kind == kind) out.push_back(info.name);
    }
    return out;
  }
  std::vector<std::string> looked_in() const override { return {}; }
  std::vector<std::string> load_problems() const override { return {}; }

 private:
  void add(const std::string& kind, const std::string& name, SchemaInfo schema) {
    ComponentInfo info;
    info.kind = kind;
    info.name = name;
    info.version = "1.2.0";
    info.schema = std::move(schema);
    MetricInfo metric;
    metric.name = "val/loss*";
    info.traits.metrics = {metric};
    all_[kind + "/" + name] = info;
  }
  std::map<std::string, ComponentInfo> all_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const SmallCatalog catalog;
  const std::vector<std::string> parts = fuzz::parts(fuzz::text(data, size));
  const auto file = fuzz::put("exp.toml", parts[0]);
  fuzz::put("a.toml", parts.size() > 1 ? parts[1] : "");
  fuzz::put("b.toml", parts.size() > 2 ? parts[2] : "");
  config::LoadOptions options;
  options.environment = [](const std::string& name) -> std::optional<std::string> {
    return name.size() % 2 == 0 ? std::optional<std::string>(name) : std::nullopt;
  };
  std::string line;
  for (const char c : parts.size() > 3 ? parts[3] : std::string()) {
    if (c != '\n') {
      line += c;
      continue;
    }
    const bool unset = line.starts_with("--unset ");
    options.overrides.push_back({unset ? line.substr(8) : line, 3, unset});
    line.clear();
  }
  const bool resolved = fuzz::tolerant([&] {
    const auto e = config::resolve_experiment(file, catalog, options);
    // The resolved file is an experiment of its own with the same identity.
    const std::string toml = config::resolved_toml(e);
    const auto again = config::resolve_experiment_text(toml, "resolved", catalog, {});
    fuzz::require(config::config_hash(again) == config::config_hash(e), "same hash when resolved");
  });
  if (resolved) config::merge_experiment(file, options);  // asks less, so it must go too
  return 0;
}

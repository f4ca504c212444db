#include "nn/inference.hpp"

#include "nn/device.hpp"
#include "nn/parameters.hpp"
#include "nn/tensor_io.hpp"
#include "nn/wiring.hpp"
#include "retake/error.hpp"

namespace retake::nn {
namespace {

[[noreturn]] void does_not_fit(const std::filesystem::path& checkpoint, const std::string& why) {
  throw DataError(file_diagnostic(
      "E607", checkpoint.string(), "the checkpoint does not fit this installation: " + why,
      "install the plugin versions it was made with (its run's bin/ folder holds them): "
      "--plugin-path RUN/bin"));
}

class LoadedModel final : public Inference {
 public:
  LoadedModel(const std::filesystem::path& folder, plugin::Registry& registry, Context& context)
      : context_(context) {
    const run::Checkpoint checkpoint = run::Checkpoint::open(folder);
    step_ = checkpoint.step();
    const Table& facts = read_facts(checkpoint);
    config::LoadOptions load;  // what only trains need not be here
    load.needed_kinds = {FeatureExtractor::kind, Model::kind, Editor::kind};
    experiment_ = config::resolve_experiment_text(facts.at("config").as_string(),
                                                  (folder / "retake.json").string() + "#config",
                                                  registry, load);
    make_extractors(registry, facts.at("features").as_array(), folder);
    const config::ResolvedComponent* model = experiment_.find(Model::kind);
    const config::ResolvedComponent* editor = experiment_.find(Editor::kind);
    if (model == nullptr) does_not_fit(folder, "its experiment has no [model]");
    if (editor == nullptr) {
      throw DataError(file_diagnostic("E607", folder.string(),
                                      "the run's experiment has no [editor], so it makes no edits",
                                      "use a run of an experiment with an [editor]"));
    }
    model_ = &build_model(*model, model_inputs(extractors_), registry, arena_, context);
    load_module_state(model_->module(), with_prefix(checkpoint.model(), ""), folder.string());
    model_->module().eval();
    editor_ = &registry.create<Editor>(arena_, *editor, context);
  }

  const std::vector<NamedExtractor>& extractors() const override { return extractors_; }
  const config::ResolvedExperiment& experiment() const override { return experiment_; }
  std::int64_t step() const override { return step_; }

  EditResult edit(const EditRequest& request) override {
    const at::NoGradGuard no_grad;
    seed_torch(context_.seed("torch/edit"));
    return editor_->edit(model_, request, context_);
  }

 private:
  static const Table& read_facts(const run::Checkpoint& checkpoint) {
    const Value& value = checkpoint.retake();
    const Value* schema = value.is_table() ? value.as_table().find("schema") : nullptr;
    if (schema == nullptr || !schema->is_string() || schema->as_string() != "retake.checkpoint/1") {
      does_not_fit(checkpoint.path(), "retake.json is not of schema retake.checkpoint/1");
    }
    for (const char* key : {"config", "features"}) {
      if (!value.as_table().contains(key)) {
        does_not_fit(checkpoint.path(), "retake.json lacks `" + std::string(key) + "`");
      }
    }
    return value.as_table();
  }

  void make_extractors(plugin::Registry& registry, const Array& recorded,
                       const std::filesystem::path& folder) {
    for (const Value& item : recorded) {
      const Table& feature = item.as_table();
      NamedExtractor named;
      named.name = feature.at("table").as_string();
      named.plugin = feature.at("extractor").as_string();
      named.params = feature.at("params").as_table();
      const FeatureExtractor& made =
          registry.create<FeatureExtractor>(arena_, named.plugin, named.params, context_);
      named.extractor = &made;
      if (made.algorithm_version() != feature.at("version").as_string()) {
        does_not_fit(folder, "it was trained on features of " + named.plugin + " " +
                                 feature.at("version").as_string() + ", the installed one is " +
                                 made.algorithm_version());
      }
      const Array& blocks = feature.at("blocks").as_array();
      const auto have = made.blocks();
      bool same = blocks.size() == have.size();
      for (std::size_t i = 0; same && i < have.size(); ++i) {
        const Table& block = blocks[i].as_table();
        same = block.at("name").as_string() == have[i].name &&
               block.at("width").as_int() == have[i].width;
      }
      if (!same) does_not_fit(folder, named.plugin + " gives other feature blocks now");
      named.spec =
          data::spec_of(registry.info(FeatureExtractor::kind, named.plugin), made, named.params);
      extractors_.push_back(std::move(named));
    }
  }

  Context& context_;
  plugin::Arena arena_;
  config::ResolvedExperiment experiment_;
  std::vector<NamedExtractor> extractors_;
  Model* model_ = nullptr;
  Editor* editor_ = nullptr;
  std::int64_t step_ = 0;
};

}  // namespace

std::unique_ptr<Inference> load_inference(const std::filesystem::path& checkpoint,
                                          plugin::Registry& registry, Context& context) {
  return std::make_unique<LoadedModel>(checkpoint, registry, context);
}

}  // namespace retake::nn

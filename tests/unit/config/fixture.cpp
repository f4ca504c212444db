#include "fixture.hpp"

#include <unistd.h>

#include <atomic>

namespace config_test {
namespace {

struct PointerNetwork {
  int d_model = 64;
  int n_heads = 4;
  int encoder_layers = 3;
  int decoder_layers = 2;
  double dropout = 0.1;
  bool use_jump = true;
  std::string activation = "gelu";
  static void describe(Schema<PointerNetwork>& s) {
    s.field(&PointerNetwork::d_model, "d_model", "width of the hidden layers")
        .range(8, 1024)
        .multiple_of(&PointerNetwork::n_heads)
        .synonyms({"hidden_size", "embed_dim"});
    s.field(&PointerNetwork::n_heads, "n_heads", "attention heads").range(1, 64);
    s.field(&PointerNetwork::encoder_layers, "encoder_layers", "layers of the encoder")
        .range(1, 24)
        .synonyms({"depth"});
    s.field(&PointerNetwork::decoder_layers, "decoder_layers", "layers of the decoder")
        .range(1, 24)
        .at_most(&PointerNetwork::encoder_layers);
    s.field(&PointerNetwork::dropout, "dropout", "share of units dropped").range(0, 1).open_max();
    s.field(&PointerNetwork::use_jump, "use_jump", "two-stage jumps");
    s.field(&PointerNetwork::activation, "activation", "nonlinearity")
        .one_of({"relu", "gelu", "silu"});
  }
};

struct KeepCut {
  int kernel = 5;
  int hidden = 32;
  bool smooth = false;
  static void describe(Schema<KeepCut>& s) {
    s.field(&KeepCut::kernel, "kernel", "width of the convolution")
        .range(1, 101)
        .odd()
        .unit("frames");
    s.field(&KeepCut::hidden, "hidden", "channels").range(1, 4096);
    s.field(&KeepCut::smooth, "smooth", "smooth the curve").requires_(&KeepCut::hidden, 64);
  }
};

struct AdamW {
  double lr = 3e-4;
  std::vector<double> betas = {0.9, 0.999};
  double weight_decay = 0.01;
  static void describe(Schema<AdamW>& s) {
    s.field(&AdamW::lr, "lr", "base learning rate")
        .range(0, 1)
        .open_min()
        .log_scale()
        .synonyms({"learning_rate"});
    s.field(&AdamW::betas, "betas", "decay of the two moments").range(0, 1).open_max();
    s.field(&AdamW::weight_decay, "weight_decay", "decoupled decay").min(0);
  }
};

struct PairedAudio {
  std::vector<std::string> roots;
  double min_seconds = 1;
  double max_seconds = 7200;
  int workers = 2;
  static void describe(Schema<PairedAudio>& s) {
    s.field(&PairedAudio::roots, "roots", "folders of pairs").path().required();
    s.field(&PairedAudio::min_seconds, "min_seconds", "shorter pairs are left out")
        .min(0)
        .unit("s")
        .less_than(&PairedAudio::max_seconds);
    s.field(&PairedAudio::max_seconds, "max_seconds", "longer pairs are left out").unit("s");
    s.field(&PairedAudio::workers, "workers", "reading threads")
        .range(1, 64)
        .affects_results(false);
  }
};

struct LogMel {
  int sample_rate = 22050;
  int hop_length = 256;
  int n_mels = 128;
  std::string root = "${not interpolated}";
  static void describe(Schema<LogMel>& s) {
    s.version(2);
    s.renamed(1, "hop", "hop_length");
    s.field(&LogMel::sample_rate, "sample_rate", "rate of analysis").range(1000, 192000).unit("Hz");
    s.field(&LogMel::hop_length, "hop_length", "step").range(1, 65536).unit("samples");
    s.field(&LogMel::n_mels, "n_mels", "bands").range(1, 512);
    s.field(&LogMel::root, "root", "a text that looks like an interpolation");
  }
};

struct StopBce {
  double label_smoothing = 0;
  double smoothing = 0;
  static void describe(Schema<StopBce>& s) {
    s.field(&StopBce::label_smoothing, "label_smoothing", "share given to other classes")
        .range(0, 1);
    s.field(&StopBce::smoothing, "smoothing", "old").deprecated("label_smoothing");
  }
};

struct Window {
  int length = 512;
  std::string shape = "hann";
  static void describe(Schema<Window>& s) {
    s.field(&Window::length, "length", "length").range(2, 65536).unit("samples");
    s.field(&Window::shape, "shape", "shape").one_of({"hann", "hamming"});
  }
};

struct PointerDecode {
  double min_segment_s = 0.5;
  Window window;
  std::vector<Window> stages;
  std::vector<std::string> marks = {"a"};
  static void describe(Schema<PointerDecode>& s) {
    s.field(&PointerDecode::min_segment_s, "min_segment_s", "shortest segment").min(0).unit("s");
    s.field(&PointerDecode::window, "window", "smoothing window");
    s.field(&PointerDecode::stages, "stages", "further windows");
    s.field(&PointerDecode::marks, "marks", "marks");
  }
};

MetricInfo metric(const char* name) {
  MetricInfo m;
  m.name = name;
  return m;
}

}  // namespace

template <class P>
ComponentInfo& FakeCatalog::add(const std::string& kind, const std::string& name) {
  ComponentInfo info;
  info.kind = kind;
  info.name = name;
  info.plugin = name;
  info.version = "1.2.0";
  info.file = "build/plugins/lib" + name + ".so";
  info.schema = Schema<P>::make().info();
  return all_[kind + "/" + name] = std::move(info);
}

FakeCatalog::FakeCatalog() {
  add<PointerNetwork>("model", "pointer_network");
  add<KeepCut>("model", "keep_cut");
  add<NoParams>("model", "mel_unet");
  add<AdamW>("optimizer", "adamw");
  add<PairedAudio>("dataset", "paired_audio");
  add<LogMel>("feature_extractor", "log_mel");
  add<StopBce>("loss", "stop_bce");
  add<StopBce>("loss", "delta_cross_entropy");
  add<PointerDecode>("editor", "pointer_decode");
  add<NoParams>("trainer", "pointer").traits.metrics = {metric("val/edit_f1"), metric("val/loss"),
                                                        metric("val/keep_ratio"),
                                                        metric("actions/type_*")};
}

std::vector<std::string> FakeCatalog::kinds() const {
  return {"action_space", "aligner",     "augmentation", "dataset",   "editor", "feature_extractor",
          "loss",         "lr_schedule", "model",        "optimizer", "reward", "trainer"};
}

const ComponentInfo* FakeCatalog::find(std::string_view kind, std::string_view name) const {
  const auto it = all_.find(std::string(kind) + "/" + std::string(name));
  return it == all_.end() ? nullptr : &it->second;
}

std::vector<std::string> FakeCatalog::names(std::string_view kind) const {
  std::vector<std::string> out;
  for (const auto& [key, info] : all_) {
    if (info.kind == kind) out.push_back(info.name);
  }
  return out;
}

const FakeCatalog& catalog() {
  static const FakeCatalog one;
  return one;
}

Folder::Folder() {
  static std::atomic<int> counter{0};
  path_ = std::filesystem::temp_directory_path() /
          ("retake-config-" + std::to_string(::getpid()) + "-" + std::to_string(counter++));
  std::filesystem::create_directories(path_);
}

Folder::~Folder() {
  std::error_code error;
  std::filesystem::remove_all(path_, error);
}

std::filesystem::path Folder::write(const std::string& name, const std::string& text) const {
  const auto file = path_ / name;
  std::filesystem::create_directories(file.parent_path());
  std::ofstream(file, std::ios::binary) << text;
  return file;
}

const char* const kGood = R"([experiment]
name = "small"
seed = 7

[dataset]
plugin = "paired_audio"
roots = ["pairs"]

[feature_extractor.mel]
plugin = "log_mel"

[model]
plugin = "pointer_network"
d_model = 128

[trainer]
plugin = "pointer"

[editor]
plugin = "pointer_decode"

[loss.stop]
plugin = "stop_bce"
weight = 0.5

[loss.delta]
plugin = "delta_cross_entropy"

[optimizer]
plugin = "adamw"
lr = 3e-4
)";

LoadOptions with_overrides(const std::vector<std::string>& overrides) {
  LoadOptions options;
  int index = 3;
  for (const std::string& text : overrides) {
    const bool unset = text.starts_with("--unset ");
    options.overrides.push_back({unset ? text.substr(8) : text, index++, unset});
  }
  return options;
}

ResolvedExperiment resolve(const std::string& toml, const std::vector<std::string>& overrides) {
  const Folder folder;
  return resolve_experiment(folder.write("small.toml", toml), catalog(), with_overrides(overrides));
}

std::vector<Diagnostic> errors_of_file(const std::filesystem::path& file,
                                       const LoadOptions& options) {
  try {
    resolve_experiment(file, catalog(), options);
  } catch (const Error& e) {
    return e.diagnostics();
  }
  return {};
}

std::vector<Diagnostic> errors_of(const std::string& toml,
                                  const std::vector<std::string>& overrides) {
  const Folder folder;
  return errors_of_file(folder.write("small.toml", toml), with_overrides(overrides));
}

std::string shown(const std::vector<Diagnostic>& diagnostics) {
  return render(diagnostics, false);
}

std::vector<std::string> ids(const std::vector<Diagnostic>& diagnostics) {
  std::vector<std::string> out;
  for (const Diagnostic& d : diagnostics) out.push_back(d.id);
  return out;
}

}  // namespace config_test

// What `retake plugins check` asks of models.

#include <algorithm>
#include <cmath>
#include <limits>

#include "nn/device.hpp"
#include "nn/parameters.hpp"
#include "nn/probe_tensors.hpp"
#include "plugin/probe.hpp"
#include "retake/kinds/model.hpp"
#include "retake/nn/inputs.hpp"
#include "retake/nn/torch.hpp"

namespace retake::nn {
namespace {

using plugin::expect;
using plugin::Subject;
using plugin::Symbols;

constexpr std::int64_t kBlockWidth = 4;
constexpr std::int64_t kBatch = 2, kFrames = 64, kOutputFrames = 16, kWindows = 2, kRows = 5;

/// A model that is built, in evaluation mode, with the sizes that its inputs have.
struct Built {
  std::unique_ptr<Model> model;
  Symbols symbols;
};

std::int64_t width_of(std::size_t blocks) {
  return static_cast<std::int64_t>(blocks) * kBlockWidth;
}

Built build(const Subject& subject) {
  Built built{subject.make<Model>(), plugin::symbols_of(subject.params)};
  std::vector<std::string> wanted = built.model->wanted_features();
  if (wanted.empty()) wanted = {"mel.mel"};
  ModelInputs inputs;
  for (const std::string& block : wanted) inputs.feature_widths.emplace_back(block, kBlockWidth);
  seed_torch(1);
  built.model->build(inputs);
  built.model->module().eval();
  built.symbols["B"] = kBatch;
  built.symbols["S"] = kFrames;
  built.symbols["T"] = kOutputFrames;
  built.symbols["W"] = kWindows;
  built.symbols["N"] = kRows;
  const auto* reader = dynamic_cast<ReadsRecording*>(built.model.get());
  built.symbols["F"] = width_of(reader != nullptr ? reader->layout().frames.size() : wanted.size());
  built.symbols["C"] = reader != nullptr ? width_of(reader->layout().slow.size()) : kBlockWidth;
  return built;
}

/// Inputs as declared; of the optional ones those that `optional` admits. A port that this model
/// has no columns for is left out.
TensorMap random_inputs(const Subject& subject, Built& built, bool optional) {
  at::manual_seed(2);
  TensorMap inputs;
  for (const PortInfo& port : subject.info.traits.inputs) {
    if (port.is_list) continue;
    const bool features = !port.optional || port.shape.find('C') != std::string::npos;
    if (!features && !optional) continue;
    const at::Tensor tensor = random_port(port, built.symbols);
    if (tensor.numel() > 0) inputs.set(port.name, tensor);
  }
  return inputs;
}

TensorMap forward(const Subject& subject, const Built& built, const TensorMap& inputs) {
  TensorMap out;
  declared_only(subject, [&] { out = built.model->forward(inputs); });
  return out;
}

TensorMap forward(const Subject& subject, bool optional) {
  const at::NoGradGuard no_grad;
  Built built = build(subject);
  return forward(subject, built, random_inputs(subject, built, optional));
}

void require_declared(const Subject& subject, const TensorMap& outputs, Symbols symbols,
                      bool complete) {
  for (const auto& [name, tensor] : outputs) {
    const auto& ports = subject.info.traits.outputs;
    const auto port = std::find_if(ports.begin(), ports.end(),
                                   [&, n = name](const PortInfo& p) { return p.name == n; });
    expect(port != ports.end(), "it gives `" + name + "`, which it does not declare",
           "add it to traits().outputs");
    require_port(*port, tensor, symbols);
    expect(bad_value(tensor).empty(), "`" + name + "` holds " + bad_value(tensor),
           "finite inputs in [0, 1] must give finite outputs");
  }
  expect(outputs.size() > 0, "it gives no output", "give what traits().outputs declares");
  for (const PortInfo& port : subject.info.traits.outputs) {
    expect(!complete || port.optional || outputs.contains(port.name),
           "it does not give `" + port.name + "`, which it declares",
           "give it, or declare it as optional");
  }
}

void declared_outputs(const Subject& subject) {
  Built built = build(subject);
  const at::NoGradGuard no_grad;
  const TensorMap some = forward(subject, built, random_inputs(subject, built, false));
  require_declared(subject, some, built.symbols, false);
  const TensorMap all = forward(subject, built, random_inputs(subject, built, true));
  require_declared(subject, all, built.symbols, true);
}

void one_frame(const Subject& subject) {
  const at::NoGradGuard no_grad;
  Built built = build(subject);
  built.symbols["B"] = built.symbols["S"] = built.symbols["N"] = 1;
  require_declared(subject, forward(subject, built, random_inputs(subject, built, false)),
                   built.symbols, false);
}

void same_bits(const Subject& subject) {
  if (!subject.info.traits.deterministic) {
    throw plugin::ProbeSkipped("it declares that it is not deterministic");
  }
  expect(equal_bits(forward(subject, true), forward(subject, true)),
         "the same seed and inputs gave other bits",
         "take random numbers from LibTorch's generator, or declare traits().deterministic = "
         "false");
}

void gradients(const Subject& subject) {
  Built built = build(subject);
  const TensorMap outputs = forward(subject, built, random_inputs(subject, built, true));
  at::Tensor sum = at::zeros({});
  for (const auto& [name, tensor] : outputs) {
    if (!tensor.is_floating_point() || !tensor.requires_grad()) continue;
    sum = sum + (tensor * at::rand_like(tensor)).mean();
  }
  expect(sum.requires_grad(), "no output has a gradient", "give outputs that depend on parameters");
  sum.backward();
  for (const auto& item : built.model->module().named_parameters()) {
    if (!item.value().requires_grad()) continue;
    const at::Tensor& gradient = item.value().grad();
    const std::string bad = gradient.defined() ? bad_value(gradient) : "";
    expect(bad.empty(), "the gradient of the parameter `" + item.key() + "` holds " + bad,
           "keep divisions, roots and logarithms away from 0");
    expect(gradient.defined() && gradient.abs().sum().item<double>() > 0,
           "no gradient reaches the parameter `" + item.key() + "`",
           "use it in an output, or do not register it");
  }
}

/// The part of a tensor that has these sizes, from its start.
at::Tensor corner(const at::Tensor& tensor, at::IntArrayRef sizes) {
  at::Tensor part = tensor;
  for (std::int64_t d = 0; d < part.dim(); ++d) {
    part = part.narrow(d, 0, std::min(part.size(d), sizes[static_cast<std::size_t>(d)]));
  }
  return part;
}

void require_close(const TensorMap& alone, const TensorMap& together, const char* what) {
  for (const auto& [name, tensor] : alone) {
    if (!tensor.is_floating_point()) continue;
    if (const std::string bad = bad_value(tensor); !bad.empty()) {
      throw plugin::ProbeSkipped("`" + name + "` holds " + bad + ", which another probe tells");
    }
    const at::Tensor other = corner(together.at(name), tensor.sizes());
    const double off = (other - tensor).abs().max().item<double>();
    expect(off <= 1e-5, "`" + name + "` changes by " + format_double(off) + " with " + what,
           "let masks keep padding and other items out of every sum and norm");
  }
}

/// Leading symbol of the first input: what items of a batch are counted by.
std::string batch_symbol(const Subject& subject) {
  const auto& inputs = subject.info.traits.inputs;
  if (inputs.empty()) throw plugin::ProbeSkipped("it declares no input");
  const auto dimensions = plugin::dimensions(inputs.front().shape);
  return dimensions.empty() ? "" : dimensions.front();
}

void batch_mates(const Subject& subject) {
  const at::NoGradGuard no_grad;
  Built built = build(subject);
  const std::string symbol = batch_symbol(subject);
  const TensorMap inputs = random_inputs(subject, built, true);
  TensorMap first;
  for (const auto& [name, tensor] : inputs) {
    const bool batched = tensor.dim() > 0 && tensor.size(0) == built.symbols[symbol];
    first.set(name, batched ? tensor.narrow(0, 0, 1) : tensor);
  }
  require_close(forward(subject, built, first), forward(subject, built, inputs),
                "another batch mate");
}

/// The symbol that a mask of the recording has besides the batch's: "S" of frame_mask [B, S].
std::string padded_symbol(const Subject& subject) {
  for (const PortInfo& port : subject.info.traits.inputs) {
    const auto dimensions = plugin::dimensions(port.shape);
    if (port.dtype == "bool" && !port.optional && dimensions.size() == 2) return dimensions[1];
  }
  throw plugin::ProbeSkipped("it declares no input mask [B, S]: nothing is padded");
}

void padding(const Subject& subject) {
  const at::NoGradGuard no_grad;
  Built built = build(subject);
  const std::string symbol = padded_symbol(subject);
  const TensorMap inputs = random_inputs(subject, built, false);
  Built longer{nullptr, built.symbols};
  longer.symbols[symbol] += 32;
  TensorMap padded;
  for (const auto& [name, tensor] : random_inputs(subject, longer, false)) {
    const at::Tensor wide = at::zeros_like(tensor);
    corner(wide, inputs.at(name).sizes()).copy_(inputs.at(name));
    padded.set(name, wide);
  }
  require_close(forward(subject, built, inputs), forward(subject, built, padded), "padding");
}

/// NaN may go through to the loss, where training stops and says so; it may not crash.
void nan_inputs(const Subject& subject) {
  const at::NoGradGuard no_grad;
  Built built = build(subject);
  TensorMap inputs;
  for (const auto& [name, tensor] : random_inputs(subject, built, true)) {
    inputs.set(name, tensor.is_floating_point() ? at::full_like(tensor, std::nan("")) : tensor);
  }
  plugin::result_or_error([&] { built.model->forward(inputs); });
}

void weights_round_trip(const Subject& subject) {
  const at::NoGradGuard no_grad;
  Built first = build(subject), second = build(subject);
  for (at::Tensor& parameter : second.model->module().parameters()) parameter.add_(1.0);
  load_module_state(second.model->module(), module_state(first.model->module()), "the probe");
  const TensorMap inputs = random_inputs(subject, first, true);
  expect(equal_bits(first.model->forward(inputs), second.model->forward(inputs)),
         "a model with the weights of another gives other results",
         "keep all state in registered parameters and buffers");
}

const plugin::RegisterProbes registered(
    Model::kind,
    {{"outputs are declared, have the declared shapes and are finite", declared_outputs},
     {"one item of one frame works", one_frame},
     {"the same seed and inputs give the same bits", same_bits},
     {"gradients reach every parameter", gradients},
     {"results do not depend on batch mates", batch_mates},
     {"results do not depend on padding", padding},
     {"NaN inputs do not crash it", nan_inputs},
     {"weights saved and loaded give the same results", weights_round_trip}});

}  // namespace
}  // namespace retake::nn

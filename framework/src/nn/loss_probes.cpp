// What `retake plugins check` asks of losses.

#include <cmath>

#include "nn/probe_tensors.hpp"
#include "plugin/probe.hpp"
#include "retake/kinds/loss.hpp"
#include "retake/nn/torch.hpp"

namespace retake::nn {
namespace {

using plugin::expect;
using plugin::Subject;

/// Tensors as declared. A name that is declared twice, once of integers, is a model's output and a
/// target of the same name.
struct Tensors {
  TensorMap outputs;  ///< f32, with gradients
  TensorMap batch;    ///< everything; integers win
};

Tensors tensors(const Subject& subject) {
  at::manual_seed(3);
  plugin::Symbols symbols = plugin::symbols_of(subject.params);
  Tensors t;
  for (const PortInfo& port : subject.info.traits.inputs) {
    const at::Tensor tensor = random_port(port, symbols, 6);
    if (tensor.is_floating_point()) {
      const at::Tensor leaf = tensor.clone().requires_grad_(true);
      t.outputs.set(port.name, leaf);
      if (!t.batch.contains(port.name)) t.batch.set(port.name, tensor);
    } else {
      t.batch.set(port.name, tensor);
    }
  }
  return t;
}

at::Tensor compute(const Subject& subject, const Loss& loss, const TensorMap& outputs,
                   const TensorMap& batch) {
  at::Tensor out;
  declared_only(subject, [&] { out = loss.compute(outputs, batch); });
  return out;
}

double value_of(const at::Tensor& loss) {
  expect(loss.defined() && loss.dim() == 0 && loss.is_floating_point(),
         "it gives a tensor of shape " + (loss.defined() ? shape_text(loss) : "(undefined)"),
         "reduce to one number, with the masked mean of retake/nn/masked.hpp");
  return loss.item<double>();
}

void require_inputs(const Subject& subject) {
  if (subject.info.traits.inputs.empty()) {
    throw plugin::ProbeSkipped("it declares no inputs", "declare them in traits().inputs");
  }
}

void scalar_and_finite(const Subject& subject) {
  require_inputs(subject);
  const Tensors t = tensors(subject);
  const double value = value_of(compute(subject, *subject.make<Loss>(), t.outputs, t.batch));
  expect(std::isfinite(value), "finite inputs gave " + format_double(value),
         "compute in fp32, away from log(0) and 0/0");
}

void differentiable(const Subject& subject) {
  require_inputs(subject);
  const Tensors t = tensors(subject);
  const at::Tensor loss = compute(subject, *subject.make<Loss>(), t.outputs, t.batch);
  expect(loss.requires_grad(), "it has no gradient", "depend on a model's output, undetached");
  loss.backward();
  bool any = false;
  for (const auto& [name, tensor] : t.outputs) {
    const at::Tensor& gradient = tensor.grad();
    if (!gradient.defined()) continue;
    expect(bad_value(gradient).empty(),
           "the gradient of `" + name + "` holds " + bad_value(gradient),
           "where() passes NaN of the branch not taken on: mask before computing");
    any = any || gradient.abs().sum().item<double>() > 0;
  }
  expect(any, "every gradient is zero", "depend on a model's output");
}

void same_in_threads(const Subject& subject) {
  require_inputs(subject);
  const auto loss = subject.make<Loss>();
  const Tensors t = tensors(subject);
  const at::NoGradGuard no_grad;
  const double first = value_of(compute(subject, *loss, t.outputs, t.batch));
  plugin::require_finite_first(first);
  plugin::in_threads([&](int) {
    const at::NoGradGuard inner;  // of this thread
    expect(value_of(compute(subject, *loss, t.outputs, t.batch)) == first,
           "the same tensors gave another loss",
           "const methods are thread-safe, and a loss draws no random numbers");
  });
}

/// The other losses of a step, and the trainer after them, read the same tensors.
void leaves_tensors(const Subject& subject) {
  require_inputs(subject);
  const Tensors given = tensors(subject), same = tensors(subject);
  const at::NoGradGuard no_grad;  // which allows writing into the model's outputs, too
  compute(subject, *subject.make<Loss>(), given.outputs, given.batch);
  const auto require_unwritten = [](const TensorMap& now, const TensorMap& then,
                                    const std::string& whose) {
    for (const auto& [name, tensor] : then) {
      TensorMap before, after;
      before.set(name, tensor);
      after.set(name, now.at(name));
      expect(equal_bits(before, after), "it writes into `" + name + "` of the " + whose,
             "compute with copies: no functions that end with _ on what it was given");
    }
  };
  require_unwritten(given.outputs, same.outputs, "outputs");
  require_unwritten(given.batch, same.batch, "batch");
}

/// The mask among the declared inputs; masks by negative classes show in no declaration.
const PortInfo& mask_port(const Subject& subject) {
  for (const PortInfo& port : subject.info.traits.inputs) {
    if (port.dtype == "bool") return port;
  }
  throw plugin::ProbeSkipped("it declares no mask");
}

void masked_positions(const Subject& subject) {
  const PortInfo& port = mask_port(subject);
  const auto loss = subject.make<Loss>();
  const Tensors t = tensors(subject);
  const at::Tensor& mask = t.batch.at(port.name);
  const auto hidden = [&](const TensorMap& from, double value) {
    TensorMap out;
    for (const auto& [name, tensor] : from) {
      const bool covers =
          tensor.is_floating_point() && tensor.dim() >= mask.dim() &&
          tensor.sizes().slice(0, static_cast<std::size_t>(mask.dim())) == mask.sizes();
      at::Tensor wide = mask;
      while (covers && wide.dim() < tensor.dim()) wide = wide.unsqueeze(-1);
      out.set(name, covers ? at::where(wide, tensor.detach(), at::full({}, value, at::kFloat))
                           : tensor.detach());
    }
    return out;
  };
  const auto value_with = [&](double value) {
    return value_of(compute(subject, *loss, hidden(t.outputs, value), hidden(t.batch, value)));
  };
  const double first = value_with(0.3);
  plugin::require_finite_first(first);
  const double other = value_with(0.8);
  expect(first == other, "values under a false mask change the loss", "use the masked mean");
  const double with_nan = value_with(std::nan(""));
  expect(with_nan == first, "NaN under a false mask changes the loss to " + format_double(with_nan),
         "use the masked mean of retake/nn/masked.hpp, which never reads masked values");
}

void nothing_valid(const Subject& subject) {
  mask_port(subject);
  Tensors t = tensors(subject);
  for (const PortInfo& port : subject.info.traits.inputs) {
    if (port.dtype == "bool") t.batch.set(port.name, at::zeros_like(t.batch.at(port.name)));
  }
  const double value = value_of(compute(subject, *subject.make<Loss>(), t.outputs, t.batch));
  expect(std::isfinite(value), "without any valid position it is " + format_double(value),
         "give 0 then, as the masked mean does");
}

/// NaN of a model may show in the loss, where training stops and says so; it may not crash.
void nan_outputs(const Subject& subject) {
  require_inputs(subject);
  const Tensors t = tensors(subject);
  TensorMap outputs;
  for (const auto& [name, tensor] : t.outputs) {
    outputs.set(name, at::full_like(tensor, std::nan("")));
  }
  plugin::result_or_error([&] { value_of(subject.make<Loss>()->compute(outputs, t.batch)); });
}

const plugin::RegisterProbes registered(
    Loss::kind, {{"is one finite number for the declared inputs", scalar_and_finite},
                 {"is differentiable, with finite gradients", differentiable},
                 {"the same tensors give the same loss, in several threads", same_in_threads},
                 {"outputs and batch stay as they are", leaves_tensors},
                 {"positions under a false mask do not matter", masked_positions},
                 {"no valid position gives a finite loss", nothing_valid},
                 {"NaN outputs do not crash it", nan_outputs}});

}  // namespace
}  // namespace retake::nn

#include "nn/parameters.hpp"

#include <cmath>

#include "retake/error.hpp"

namespace retake::nn {
namespace {

/// Names of parameters that belong to an embedding, whatever their shape.
std::vector<std::string> embedding_prefixes(torch::nn::Module& module) {
  std::vector<std::string> out;
  for (const auto& item : module.named_modules()) {
    if (item.value()->as<torch::nn::EmbeddingImpl>() != nullptr) out.push_back(item.key() + ".");
  }
  return out;
}

bool owns(const NamedOptimizer& optimizer, const std::string& parameter) {
  return optimizer.name == "main" || parameter.starts_with(optimizer.name + ".");
}

std::string shape_text(at::IntArrayRef shape) {
  std::string out = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    out += (i > 0 ? ", " : "") + std::to_string(shape[i]);
  }
  return out + "]";
}

}  // namespace

void attach_optimizers(torch::nn::Module& module, std::vector<NamedOptimizer>& optimizers) {
  const auto embeddings = embedding_prefixes(module);
  std::vector<std::vector<NamedParameter>> groups(optimizers.size());
  std::vector<std::string> faults;
  for (auto& item : module.named_parameters()) {
    at::Tensor& tensor = item.value();
    if (!tensor.requires_grad()) continue;
    const std::string& name = item.key();
    bool decay = tensor.dim() >= 2;
    for (const std::string& prefix : embeddings) decay = decay && !name.starts_with(prefix);
    int owners = 0;
    for (std::size_t i = 0; i < optimizers.size(); ++i) {
      if (!owns(optimizers[i], name)) continue;
      ++owners;
      optimizers[i].parameters.push_back(tensor);
      groups[i].push_back({name, nullptr, decay});
    }
    if (owners != 1) {
      faults.push_back(name + (owners == 0 ? ": owned by no optimizer" : ": owned by several"));
    }
  }
  if (!faults.empty()) {
    Diagnostic d;
    d.id = "E153";
    d.message = "the [optimizer] tables do not divide the model's parameters";
    d.facts = std::move(faults);
    d.help = "use one [optimizer], or [optimizer.NAME] tables named after the model's submodules";
    throw ConfigError(std::move(d));
  }
  for (std::size_t i = 0; i < optimizers.size(); ++i) {
    for (std::size_t k = 0; k < groups[i].size(); ++k) {
      groups[i][k].tensor = &optimizers[i].parameters[k];
    }
    optimizers[i].optimizer->attach(std::move(groups[i]));
  }
}

TensorMap module_state(torch::nn::Module& module) {
  TensorMap out;
  for (const auto& item : module.named_parameters()) out.set(item.key(), item.value());
  for (const auto& item : module.named_buffers()) out.set(item.key(), item.value());
  return out;
}

void load_module_state(torch::nn::Module& module, const TensorMap& state,
                       const std::string& origin) {
  const at::NoGradGuard no_grad;
  const TensorMap own = module_state(module);
  std::vector<std::string> faults;
  for (const auto& [name, tensor] : own) {
    const at::Tensor* saved = state.find(name);
    if (saved == nullptr) {
      faults.push_back("missing in the checkpoint: " + name);
    } else if (saved->sizes() != tensor.sizes()) {
      faults.push_back(name + ": the checkpoint has " + shape_text(saved->sizes()) +
                       ", the model " + shape_text(tensor.sizes()));
    }
  }
  for (const auto& [name, tensor] : state) {
    if (!own.contains(name)) faults.push_back("unknown to the model: " + name);
  }
  if (!faults.empty()) {
    Diagnostic d = file_diagnostic("E607", origin, "the checkpoint does not fit the model",
                                   "use the configuration and plugin versions it was made with");
    if (faults.size() > 10) {
      const std::size_t more = faults.size() - 10;
      faults.resize(10);
      faults.push_back("... and " + std::to_string(more) + " more");
    }
    d.facts = std::move(faults);
    throw DataError(std::move(d));
  }
  for (const auto& [name, tensor] : own) at::Tensor(tensor).copy_(state.at(name));
}

double clip_gradients(const std::vector<NamedOptimizer>& optimizers, double max_norm) {
  const at::NoGradGuard no_grad;
  std::vector<at::Tensor> gradients;
  for (const NamedOptimizer& o : optimizers) {
    for (const at::Tensor& p : o.parameters) {
      if (p.grad().defined()) gradients.push_back(p.grad());
    }
  }
  if (gradients.empty()) return 0.0;
  const auto norms = at::_foreach_norm(gradients, 2);
  const double norm = at::stack(norms).norm(2).item<double>();
  if (max_norm > 0 && std::isfinite(norm) && norm > max_norm) {
    at::_foreach_mul_(gradients, max_norm / (norm + 1e-6));
  }
  return norm;
}

AveragedWeights::AveragedWeights(torch::nn::Module& module, double decay) : decay_(decay) {
  if (!on()) return;
  for (const auto& item : module.named_parameters()) {
    names_.push_back(item.key());
    live_.push_back(item.value());
    average_.push_back(item.value().detach().clone());
  }
}

void AveragedWeights::update() {
  if (!on()) return;
  const at::NoGradGuard no_grad;
  at::_foreach_lerp_(average_, live_, 1.0 - decay_);
}

void AveragedWeights::swap() {
  if (!on()) return;
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < live_.size(); ++i) {
    const at::Tensor kept = live_[i].detach().clone();
    live_[i].copy_(average_[i]);
    average_[i].copy_(kept);
  }
}

TensorMap AveragedWeights::state() const {
  TensorMap out;
  for (std::size_t i = 0; i < average_.size(); ++i) out.set(names_[i], average_[i]);
  return out;
}

void AveragedWeights::load(const TensorMap& state) {
  const at::NoGradGuard no_grad;
  for (std::size_t i = 0; i < average_.size(); ++i) average_[i].copy_(state.at(names_[i]));
}

}  // namespace retake::nn

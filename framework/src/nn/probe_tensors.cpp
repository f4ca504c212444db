#include "nn/probe_tensors.hpp"

#include <cstring>

#include "plugin/probe.hpp"
#include "retake/nn/torch.hpp"

namespace retake::nn {
namespace {

at::ScalarType type_of(const PortInfo& port) {
  if (port.dtype == "f32") return at::kFloat;
  if (port.dtype == "i64") return at::kLong;
  if (port.dtype == "bool") return at::kBool;
  if (port.dtype == "c64") return at::kComplexFloat;
  throw plugin::ProbeFailure("port `" + port.name + "` has the dtype `" + port.dtype + "`",
                             "declare f32, i64, bool or c64");
}

}  // namespace

std::string shape_text(const at::Tensor& tensor) {
  std::string out = "[";
  for (std::int64_t i = 0; i < tensor.dim(); ++i) {
    out += (i > 0 ? ", " : "") + std::to_string(tensor.size(i));
  }
  return out + "]";
}

at::Tensor random_port(const PortInfo& port, plugin::Symbols& symbols, std::int64_t otherwise) {
  const std::vector<std::int64_t> sizes = plugin::sizes_of(port.shape, symbols, otherwise);
  const at::ScalarType type = type_of(port);
  if (type == at::kLong) return at::randint(0, 2, sizes, at::kLong);
  if (type != at::kBool) return at::rand(sizes, type);
  at::Tensor mask = at::ones(sizes, at::kBool);
  if (!sizes.empty() && sizes.back() >= 3) {
    const std::int64_t from = sizes.back() - sizes.back() / 3;
    mask.narrow(-1, from, sizes.back() - from).fill_(false);
  }
  return mask;
}

void require_port(const PortInfo& port, const at::Tensor& tensor, plugin::Symbols& symbols) {
  const std::string what = "`" + port.name + "`";
  plugin::expect(tensor.defined(), what + " is an undefined tensor", "give a tensor");
  plugin::expect(tensor.scalar_type() == type_of(port),
                 what + " is " + at::toString(tensor.scalar_type()) + ", declared is " + port.dtype,
                 "give what traits() declares, or declare what is given");
  const std::vector<std::int64_t> sizes(tensor.sizes().begin(), tensor.sizes().end());
  const std::string difference = plugin::shape_difference(port.shape, sizes, symbols);
  plugin::expect(difference.empty(), what + " " + difference,
                 "give what traits() declares, or declare what is given");
}

void declared_only(const plugin::Subject& subject, const std::function<void()>& foreign) {
  try {
    foreign();
  } catch (const Error& e) {
    const Diagnostic& d = e.diagnostics().front();
    if (d.id != "E151") throw;
    const std::size_t begin = d.message.find('`') + 1;
    const std::string name = d.message.substr(begin, d.message.find('`', begin) - begin);
    for (const PortInfo& port : subject.info.traits.inputs) {
      if (port.name != name) continue;
      throw plugin::ProbeFailure("it reads `" + name + "` where it was not given",
                                 "ask contains() before reading what is optional, and read inputs "
                                 "and targets from the batch, outputs from the model's");
    }
    throw plugin::ProbeFailure("it reads `" + name + "`, which it does not declare",
                               "declare it in traits().inputs");
  }
}

std::string bad_value(const at::Tensor& tensor) {
  if (!tensor.is_floating_point()) return {};
  const at::Tensor bad = at::isfinite(tensor).logical_not();
  if (!bad.any().item<bool>()) return {};
  return format_double(tensor.masked_select(bad)[0].item<double>());
}

bool equal_bits(const TensorMap& a, const TensorMap& b) {
  if (a.size() != b.size()) return false;
  for (const auto& [name, tensor] : a) {
    const at::Tensor* other = b.find(name);
    // The bits, not the values: NaN equals itself here.
    if (other == nullptr || tensor.scalar_type() != other->scalar_type() ||
        tensor.sizes() != other->sizes()) {
      return false;
    }
    const at::Tensor x = tensor.detach().cpu().contiguous(), y = other->detach().cpu().contiguous();
    if (x.nbytes() > 0 && std::memcmp(x.const_data_ptr(), y.const_data_ptr(), x.nbytes()) != 0) {
      return false;
    }
  }
  return true;
}

}  // namespace retake::nn

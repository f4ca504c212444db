#pragma once
// Tensors as declared, for the probes of models and losses.

#include <functional>
#include <string>
#include <vector>

#include "plugin/probe.hpp"
#include "plugin/shape.hpp"
#include "retake/component.hpp"
#include "retake/nn/tensor_map.hpp"

namespace retake::nn {

/// A random tensor of a port: f32 and c64 in [0, 1), i64 zeros and ones (classes and indices that
/// every range holds), bool true but for the last third of the last dimension. Free symbols of the
/// shape become `otherwise`.
at::Tensor random_port(const PortInfo& port, plugin::Symbols& symbols, std::int64_t otherwise = 4);

/// Throws ProbeFailure when a tensor has not the port's dtype and shape; binds free symbols.
void require_port(const PortInfo& port, const at::Tensor& tensor, plugin::Symbols& symbols);

/// Calls the component's code. A tensor that it asks a TensorMap for in vain (E151) is a
/// ProbeFailure: it was given all that it declares, so that the declaration is what lacks.
void declared_only(const plugin::Subject& subject, const std::function<void()>& foreign);

/// The first value of a floating tensor that is not finite, as "NaN"; empty when all are.
std::string bad_value(const at::Tensor& tensor);

/// Whether all tensors have the same names, shapes and bits.
bool equal_bits(const TensorMap& a, const TensorMap& b);

/// [2, 3]
std::string shape_text(const at::Tensor& tensor);

}  // namespace retake::nn

#include "nn/device.hpp"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <ATen/autocast_mode.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <dlfcn.h>
#include <torch/version.h>

#include <charconv>
#include <optional>

#include "nn/cuda_probe.hpp"
#include "retake/error.hpp"
#include "retake/nn/torch.hpp"

namespace retake::nn {

namespace {

/// The device, once a kernel of this build has run on it: better now than in the midst of a run.
std::string usable(const at::Device& device) {
#ifdef RETAKE_CUDA_KERNELS
  if (const std::string wrong = cuda_probe(device.index()); !wrong.empty()) {
    Diagnostic d;
    d.id = "E162";
    d.message = "the CUDA kernels of this build do not run on " + device.str() + ": " + wrong;
    d.help = "build with -DCMAKE_CUDA_ARCHITECTURES=native on this machine, or use run.device=cpu";
    throw ConfigError(std::move(d));
  }
#endif
  return device.str();
}

/// N of "cuda:N", 0 of "cuda"; nothing for any other word.
std::optional<int> cuda_index(const std::string& wanted) {
  if (wanted == "cuda") return 0;
  if (!wanted.starts_with("cuda:")) return std::nullopt;
  int index = -1;
  const char* end = wanted.data() + wanted.size();
  const auto [at, error] = std::from_chars(wanted.data() + 5, end, index);
  if (error != std::errc() || at != end || index < 0) return std::nullopt;
  return index;
}

}  // namespace

std::string choose_device(const std::string& wanted) {
  const std::int64_t count =
      at::hasCUDA() ? static_cast<std::int64_t>(at::detail::getCUDAHooks().deviceCount()) : 0;
  if (wanted == "cpu" || (wanted == "auto" && count == 0)) return "cpu";
  const std::optional<int> index = wanted == "auto" ? 0 : cuda_index(wanted);
  if (index && *index < count) {
    return usable(at::Device(at::kCUDA, static_cast<at::DeviceIndex>(*index)));
  }
  Diagnostic d;
  d.id = "E152";
  if (index) {
    d.message = "device `" + wanted + "` is not there: LibTorch " TORCH_VERSION " sees " +
                std::to_string(count) + " CUDA devices";
    d.facts = {at::hasCUDA() ? "LibTorch was built with CUDA" : "this LibTorch is a CPU build"};
    d.help = "use auto, or build with a CUDA LibTorch on a machine with an NVIDIA driver";
  } else {
    d.message = "`" + wanted + "` is no device";
    d.help = "it is auto, cpu, cuda or cuda:N (--device, or run.device of an experiment)";
  }
  throw ConfigError(std::move(d));
}

void configure_torch(int threads, bool deterministic) {
  at::set_num_threads(threads);
  at::globalContext().setDeterministicAlgorithms(deterministic, /*warn_only=*/false);
  at::globalContext().setBenchmarkCuDNN(!deterministic);
  at::globalContext().setAllowTF32CuBLAS(false);
}

void seed_torch(std::uint64_t seed) {
  at::manual_seed(seed);  // CPU, and every CUDA device when there are any
}

Table torch_environment() {
  Table t;
  t["libtorch"] = TORCH_VERSION;
  t["cpu_capability"] = at::get_cpu_capability();
  Table blas;
  blas["name"] = at::hasMKL() ? "mkl" : "other";
  blas["version"] = at::hasMKL() ? at::get_mkl_version() : at::show_config();
  t["blas"] = std::move(blas);
  Table threads;
  threads["intra"] = at::get_num_threads();
  threads["inter"] = static_cast<std::int64_t>(at::get_num_interop_threads());
  auto* omp = reinterpret_cast<int (*)()>(dlsym(RTLD_DEFAULT, "omp_get_max_threads"));
  threads["omp"] = omp == nullptr ? Value() : Value(omp());
  t["threads"] = std::move(threads);
  Array gpus;
  if (at::hasCUDA()) {
    for (int i = 0; i < at::detail::getCUDAHooks().deviceCount(); ++i) {
      gpus.emplace_back("cuda:" + std::to_string(i));
    }
    t["cuda"] = std::to_string(at::detail::getCUDAHooks().versionCUDART());
  }
  t["gpu"] = std::move(gpus);
  return t;
}

AutocastGuard::AutocastGuard(const std::string& precision, const std::string& device)
    : cuda_(device.starts_with("cuda")) {
  on_ = precision == "bf16" || (precision == "auto" && cuda_);
  if (!on_) return;
  const at::DeviceType type = cuda_ ? at::kCUDA : at::kCPU;
  before_ = at::autocast::is_autocast_enabled(type);
  at::autocast::set_autocast_dtype(type, at::kBFloat16);
  at::autocast::set_autocast_enabled(type, true);
  at::autocast::increment_nesting();
}

AutocastGuard::~AutocastGuard() {
  if (!on_) return;
  if (at::autocast::decrement_nesting() == 0) at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(cuda_ ? at::kCUDA : at::kCPU, before_);
}

}  // namespace retake::nn

#include "nn_door.hpp"

#include <boost/dll/runtime_symbol_info.hpp>
#include <boost/dll/shared_library.hpp>
#include <cstdlib>

#include "retake/error.hpp"

namespace retake::cli {
namespace {

/// Beside the executable's lib/ in a build folder and in an installation alike; in a run's archive
/// beside the executable itself.
boost::dll::fs::path library_path() {
  const auto folder = boost::dll::program_location().parent_path();
  const auto sibling = folder.parent_path() / "lib" / "libretake_nn.so";
  return boost::dll::fs::exists(sibling) ? sibling : folder / "libretake_nn.so";
}

}  // namespace

nn::Room& open_nn_room() {
  const auto path = library_path();
  // Read by the OpenMP runtime when it is loaded. Threads that spin while they wait starve each
  // other as soon as a machine has more work than cores; a user's own setting wins.
  setenv("OMP_WAIT_POLICY", "PASSIVE", 0);
  try {
    // Kept for the life of the process: tensors and modules made in there outlive any scope.
    static auto* library = new boost::dll::shared_library(
        path, boost::dll::load_mode::rtld_now | boost::dll::load_mode::rtld_local);
    return *library->get<nn::Room*()>("retake_nn_room")();
  } catch (const boost::dll::fs::system_error& e) {
    Diagnostic d =
        file_diagnostic("E240", path.string(), "the LibTorch half cannot be opened",
                        "build with LibTorch (third_party/setup.sh build); LibTorch must "
                        "still lie where it was at build time");
    d.facts = {e.what()};
    throw PluginError(std::move(d));
  }
}

}  // namespace retake::cli

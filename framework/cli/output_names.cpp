#include "output_names.hpp"

#include "command.hpp"

namespace retake::cli {
namespace {

namespace fs = std::filesystem;

/// One spelling for a place, whether there is something or not.
fs::path spelled(const fs::path& path) {
  std::error_code error;
  const fs::path folder = fs::weakly_canonical(fs::absolute(path).parent_path(), error);
  return (error ? fs::absolute(path).parent_path() : folder) / path.filename();
}

}  // namespace

void OutputNames::add(const std::string& input, const fs::path& output, bool any_extension) {
  auto& names = any_extension ? stems_ : whole_;
  const auto [other, fresh] = names.emplace(spelled(output), input);
  if (fresh || other->second == input) return;
  throw usage_error("the outputs of " + other->second + " and " + input +
                        " would both be written to " + output.string(),
                    "call the command once for each, with another -o");
}

void OutputNames::keep(const fs::path& file) const {
  const fs::path place = spelled(file);
  auto found = whole_.find(place);
  bool taken = found != whole_.end();
  if (!taken) {
    found = stems_.find(place.parent_path() / place.stem());
    taken = found != stems_.end();
  }
  if (!taken) return;
  throw usage_error("the output of " + found->second + " would be written over " + file.string() +
                        ", which this command reads",
                    "choose another folder with -o");
}

}  // namespace retake::cli

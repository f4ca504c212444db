// retake version: what this build is made of.

#include "command.hpp"
#include "core/build_commit.hpp"
#include "core/build_info.hpp"

namespace retake::cli {
namespace {

int run(const Arguments& arguments) {
  if (!arguments.positional.empty())
    throw usage_error("`retake version` takes no arguments", "retake version [--json]");
  Table facts;
  facts["version"] = build_info::version;
  const BuildCommit commit = build_commit();
  facts["git"] = *commit.hash != '\0' ? Value(commit.hash) : Value();
  facts["dirty"] = commit.dirty;
  facts["compiler"] = build_info::compiler;
  facts["flags"] = build_info::flags;
  facts["libtorch"] = build_info::libtorch_version;
  facts["libtorch_flavour"] = build_info::libtorch_flavour;
  print_result(arguments, Value(facts), [&] {
    std::string text = std::string("retake ") + build_info::version + "\n";
    if (*commit.hash != '\0') {
      text += std::string("commit    ") + commit.hash + (commit.dirty ? " with changes\n" : "\n");
    }
    text += std::string("compiler  ") + build_info::compiler + "\n";
    text += std::string("flags     ") + build_info::flags + "\n";
    const std::string torch = build_info::libtorch_version;
    text += "libtorch  " + (torch.empty() ? std::string("none (built without the training half)")
                                          : torch + " " + build_info::libtorch_flavour);
    return text;
  });
  return 0;
}

const RegisterCommand registered({.name = "version",
                                  .synopsis = "",
                                  .summary = "Show the version and what this build is made of",
                                  .examples = {"retake version", "retake version --json"},
                                  .run = run});

}  // namespace
}  // namespace retake::cli

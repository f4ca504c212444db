// retake verify: does a run's folder still hold what its manifest says?

#include "run/verify.hpp"
#include "command.hpp"
#include "retake/audio/hash.hpp"
#include "retake/audio/source.hpp"
#include "run/run_find.hpp"
#include "table_text.hpp"

namespace retake::cli {
namespace {

void options(po::options_description& o) {
  auto add = o.add_options();
  add("rehash", po::bool_switch(), "read every data file, whatever the hash cache remembers");
  add("dir", po::value<std::string>()->default_value("runs")->value_name("DIR"),
      "where runs are looked for");
}

Table as_value(const run::RunFolder& folder, const std::vector<run::VerifyPart>& parts,
               bool equal) {
  Table out;
  out["run"] = folder.id();
  out["dir"] = folder.path().string();
  out["verified"] = equal;
  Array list;
  for (const run::VerifyPart& part : parts) {
    Table t;
    t["part"] = part.name;
    t["compared"] = part.compared;
    t["absent"] = part.absent.empty() ? Value() : Value(part.absent);
    Array differences;
    for (const std::string& d : part.differences) differences.emplace_back(d);
    t["differences"] = std::move(differences);
    list.emplace_back(std::move(t));
  }
  out["parts"] = std::move(list);
  return out;
}

std::string as_text(const run::RunFolder& folder, const std::vector<run::VerifyPart>& parts,
                    bool equal) {
  std::vector<std::vector<std::string>> rows;
  for (const run::VerifyPart& part : parts) {
    const auto equal_ones = part.compared - static_cast<std::int64_t>(part.differences.size());
    rows.push_back({part.name,
                    part.absent.empty() ? std::to_string(equal_ones) + "/" +
                                              std::to_string(part.compared) + " equal"
                                        : "-",
                    part.absent});
    for (const std::string& d : part.differences) rows.push_back({"", "", d});
  }
  return columns({"part", "", ""}, rows) + (equal ? "VERIFIED  " : "DIFFERS  ") + folder.id() +
         "\n";
}

int run(const Arguments& a) {
  if (a.positional.size() != 1) {
    throw usage_error("verify takes one run",
                      "name it by id, path or `last`; retake runs lists them");
  }
  const run::RunFolder folder =
      run::find_run(a.positional.front(), a.options["dir"].as<std::string>());
  const auto parts = run::verify_run(
      folder,
      [](const std::filesystem::path& audio) { return sha256_pcm(*open_audio(audio.string())); },
      a.options["rehash"].as<bool>());
  bool equal = true;
  for (const run::VerifyPart& part : parts) equal = equal && part.differences.empty();
  print_result(a, as_value(folder, parts, equal), [&] { return as_text(folder, parts, equal); });
  return static_cast<int>(equal ? ExitCode::ok : ExitCode::differs);
}

const RegisterCommand registered(
    {.name = "verify",
     .synopsis = "RUN [--rehash]",
     .summary = "Check that a run's files, binaries and data are still what its manifest says",
     .examples = {"retake verify last", "retake verify k7q2m4xa --rehash --json"},
     .options = options,
     .run = run,
     .details =
         "Nothing is run again. Metrics, trace and JSON are compared as values, audio as decoded "
         "PCM, checkpoints\nagainst their own hashes, archived binaries, code snapshot and data "
         "files by content. Exit code 6 when\nanything differs."});

}  // namespace
}  // namespace retake::cli

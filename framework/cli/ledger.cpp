#include "ledger.hpp"

#include "core/files.hpp"
#include "core/hash.hpp"
#include "retake/log.hpp"
#include "retake/value.hpp"

namespace retake::cli {

namespace fs = std::filesystem;

namespace {

/// A file as it is now: changed ones are done again.
std::string mark(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  const auto time = fs::last_write_time(file, error).time_since_epoch().count();
  return fs::absolute(file).string() + '|' + std::to_string(size) + '|' + std::to_string(time);
}

}  // namespace

Ledger::Ledger(const fs::path& folder, const std::string& name, const std::string& call,
               const std::vector<fs::path>& files) {
  if (files.size() < 2) return;
  std::string key = call + '\n';
  for (const fs::path& file : files) key += fs::absolute(file).string() + '\n';
  record_ = folder / ("." + name + "-" + sha256_hex(key).substr(0, 16) + ".json");
  std::error_code error;
  if (!fs::exists(record_, error)) return;
  try {
    const Value stored = parse_json(read_file(record_), record_.string());
    for (const Value& done : stored.as_array()) done_.insert(done.as_string());
    log_info("going on with unfinished work: " + std::to_string(done_.size()) + " of " +
             std::to_string(files.size()) + " files are done");
  } catch (const std::exception& problem) {
    log_warning("the record of unfinished work is not used: " + std::string(problem.what()));
  }
}

bool Ledger::has(const fs::path& file) const {
  return !done_.empty() && done_.contains(mark(file));
}

void Ledger::add(const fs::path& file) {
  if (record_.empty()) return;
  done_.insert(mark(file));
  Array all;
  for (const std::string& m : done_) all.push_back(Value(m));
  write_file_atomic(record_, to_json(Value(std::move(all))));
}

void Ledger::finish() const {
  std::error_code error;
  if (!record_.empty()) fs::remove(record_, error);
}

}  // namespace retake::cli

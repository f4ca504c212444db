#include "ledger.hpp"

#include <algorithm>

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

std::string path_in(const std::string& mark) {
  return mark.substr(0, mark.rfind('|', mark.rfind('|') - 1));
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
    for (const Value& item : stored.as_array()) {
      const Table& t = item.as_table();
      Done done;
      for (const Value& file : t.at("made").as_array()) done.made.push_back(file.as_string());
      done.results = t.at("results").as_array();
      done_[t.at("file").as_string()] = std::move(done);
    }
    log_info("going on with unfinished work: " + std::to_string(done_.size()) + " of " +
             std::to_string(files.size()) + " files are done");
  } catch (const std::exception& problem) {
    log_warning("the record of unfinished work is not used: " + std::string(problem.what()));
  }
}

const Array* Ledger::find(const fs::path& file) const {
  if (done_.empty()) return nullptr;
  const auto at = done_.find(mark(file));
  if (at == done_.end()) return nullptr;
  const auto& made = at->second.made;
  const bool whole = std::all_of(made.begin(), made.end(), [](const std::string& then) {
    return then == mark(path_in(then));
  });
  return whole ? &at->second.results : nullptr;
}

void Ledger::add(const fs::path& file, const std::vector<fs::path>& made, const Array& results) {
  if (record_.empty()) return;
  Done done{{}, results};
  for (const fs::path& path : made) done.made.push_back(mark(path));
  done_[mark(file)] = std::move(done);
  Array all;
  for (const auto& [name, entry] : done_) {
    Table t;
    t["file"] = name;
    t["made"] = Array(entry.made.begin(), entry.made.end());
    t["results"] = entry.results;
    all.emplace_back(std::move(t));
  }
  write_file_atomic(record_, to_json(Value(std::move(all))));
}

void Ledger::finish() const {
  std::error_code error;
  if (!record_.empty()) fs::remove(record_, error);
}

}  // namespace retake::cli

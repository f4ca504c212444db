#include "data/pair_checks.hpp"

#include <cmath>
#include <filesystem>
#include <map>
#include <set>

#include "config/host_tables.hpp"

namespace retake::data {
namespace {

namespace fs = std::filesystem;

class PairList {
 public:
  void check(const Pair& pair) {
    name_ = "pair `" + pair.id + "`";
    if (pair.id.empty() || !config::is_folder_name(pair.id)) {
      problem("has an id that cannot name a file");
    }
    if (!ids_.insert(pair.id).second) problem("is listed twice");
    if (pair.split != "train" && pair.split != "val" && pair.split != "test") {
      problem("is in the split `" + pair.split + "`, not in train, val or test");
    }
    if (!pair.group.empty()) keep_apart("group `" + pair.group + "`", pair.split);
    for (const fs::path& file : {pair.raw, pair.edit}) {
      std::error_code error;
      if (!file.is_absolute() || !fs::is_regular_file(file, error)) {
        problem("names " + file.string() + ", which is no absolute path of a file");
      }
    }
    keep_apart("recording " + pair.raw.string(), pair.split);
    for (const double seconds : {pair.raw_seconds, pair.edit_seconds}) {
      if (!std::isfinite(seconds) || seconds < 0) problem("has a length that is none");
    }
  }

  std::vector<std::string> problems;

 private:
  void problem(const std::string& what) { problems.push_back(name_ + " " + what); }

  void keep_apart(const std::string& what, const std::string& split) {
    const auto [at, fresh] = splits_.emplace(what, split);
    if (!fresh && at->second != split) {
      problems.push_back(what + " is in two splits, " + at->second + " and " + split);
    }
  }

  std::string name_;
  std::set<std::string> ids_;
  std::map<std::string, std::string> splits_;
};

}  // namespace

std::vector<std::string> pair_list_problems(const PairSet& set) {
  PairList list;
  for (const Pair& pair : set.pairs) list.check(pair);
  return std::move(list.problems);
}

}  // namespace retake::data

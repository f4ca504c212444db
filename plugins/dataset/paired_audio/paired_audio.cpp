// Dataset `paired_audio`: folders of recordings and their edits.

#include <algorithm>
#include <set>

#include "retake/kinds/dataset.hpp"
#include "retake/plugin.hpp"

namespace retake {
namespace {

class PairedAudio final : public Dataset {
 public:
  struct Params {
    std::vector<std::string> roots;
    std::vector<std::string> only;
    std::vector<std::string> exclude;
    double test = 0.2;
    double val = 0.1;
    std::string by = "group";
    std::int64_t split_seed = 0;

    static void describe(Schema<Params>& s) {
      s.field(&Params::roots, "roots",
              "folders with input/{id}_raw.* and desired_output/{id}_edit.* (or {id}.*)")
          .path()
          .required()
          .synonyms({"root", "path", "folder", "dir"});
      s.field(&Params::only, "only", "ids of the pairs to use; empty: all");
      s.field(&Params::exclude, "exclude", "ids of pairs to leave out");
      s.field(&Params::test, "test",
              "share of the pairs for test, where a folder has no splits.toml")
          .range(0, 1)
          .open_max();
      s.field(&Params::val, "val",
              "share of the pairs for validation, where a folder has no splits.toml")
          .range(0, 1)
          .open_max();
      s.field(&Params::by, "by",
              "what stays together: group (song or session), id, or prefix:X (the id up to the "
              "first X)");
      s.field(&Params::split_seed, "split_seed", "of the order in which groups are drawn").min(0);
    }

    static void check(const Params& p, Problems& problems) {
      if (p.roots.empty()) problems.add("roots", "no folder is named", "roots = [\"data/pairs\"]");
      if (p.test + p.val >= 1.0)
        problems.add("test", "test and val leave nothing for train", "let their sum be below 1");
      const bool prefix = p.by.starts_with("prefix:") && p.by.size() > 7;
      if (p.by != "group" && p.by != "id" && !prefix) {
        problems.add("by", "`" + p.by + "` is not group, id or prefix:X");
      }
    }
  };

  explicit PairedAudio(const Params& params) : p_(params) {}

  PairSet pairs(const Context&) override {
    SplitRule rule;
    rule.test = p_.test;
    rule.val = p_.val;
    rule.by = p_.by;
    rule.seed = static_cast<std::uint64_t>(p_.split_seed);
    PairSet all;
    std::vector<Diagnostic> wrong;
    for (const std::string& root : p_.roots) {
      PairSet one;
      try {
        one = read_pair_set(root, rule);
      } catch (const DataError& e) {
        wrong.insert(wrong.end(), e.diagnostics().begin(), e.diagnostics().end());
        continue;
      }
      if (all.root.empty()) all.root = one.root;
      for (Pair& pair : one.pairs) all.pairs.push_back(std::move(pair));
    }
    if (!wrong.empty()) throw DataError(std::move(wrong));
    std::sort(all.pairs.begin(), all.pairs.end(),
              [](const Pair& a, const Pair& b) { return a.id < b.id; });
    refuse_twice(all);
    choose(all);
    return all;
  }

 private:
  static void refuse_twice(const PairSet& all) {
    std::vector<Diagnostic> wrong;
    for (std::size_t i = 1; i < all.pairs.size(); ++i) {
      if (all.pairs[i].id != all.pairs[i - 1].id) continue;
      wrong.push_back(file_diagnostic("E505", all.pairs[i].raw.string(),
                                      "two folders have a pair `" + all.pairs[i].id + "`",
                                      "rename one of the two"));
      wrong.back().facts.push_back("the other is " + all.pairs[i - 1].raw.string());
    }
    if (!wrong.empty()) throw DataError(std::move(wrong));
  }

  void choose(PairSet& all) const {
    std::set<std::string> known;
    for (const Pair& pair : all.pairs) known.insert(pair.id);
    std::vector<Diagnostic> wrong;
    for (const auto* list : {&p_.only, &p_.exclude}) {
      for (const std::string& id : *list) {
        if (known.count(id) != 0) continue;
        wrong.push_back(file_diagnostic("E506", all.root.string(), "there is no pair `" + id + "`",
                                        "retake pairs " + all.root.string() + "  lists them"));
      }
    }
    if (!wrong.empty()) throw DataError(std::move(wrong));
    const auto has = [](const std::vector<std::string>& list, const std::string& id) {
      return std::find(list.begin(), list.end(), id) != list.end();
    };
    std::erase_if(all.pairs, [&](const Pair& pair) {
      return has(p_.exclude, pair.id) || (!p_.only.empty() && !has(p_.only, pair.id));
    });
  }

  Params p_;
};

}  // namespace
}  // namespace retake

RETAKE_PLUGIN("paired_audio", "0.1.0", registrar) {
  registrar.add<retake::PairedAudio>("paired_audio",
                                     "Recordings and their edits in folders of the usual layout.");
}

// What `retake plugins check` asks of datasets and editors.

#include <algorithm>
#include <filesystem>

#include "data/pair_checks.hpp"
#include "plugin/probe.hpp"
#include "retake/edit/edl.hpp"
#include "retake/kinds/dataset.hpp"
#include "retake/kinds/editor.hpp"

namespace retake {
namespace {

namespace fs = std::filesystem;
using plugin::expect;
using plugin::Subject;

// ---- dataset ----

void require_sound(const PairSet& set) {
  expect(!set.pairs.empty(), "it lists no pair", "give its parameters as key=value");
  const auto problems = data::pair_list_problems(set);
  expect(problems.empty(), problems.empty() ? "" : problems.front(),
         "see retake/kinds/dataset.hpp for what a list of pairs must keep");
  for (std::size_t i = 1; i < set.pairs.size(); ++i) {
    expect(set.pairs[i - 1].id < set.pairs[i].id, "pair `" + set.pairs[i].id + "` is out of order",
           "sort the pairs by id");
  }
}

bool equal(const PairSet& a, const PairSet& b) {
  return std::equal(a.pairs.begin(), a.pairs.end(), b.pairs.begin(), b.pairs.end(),
                    [](const Pair& x, const Pair& y) {
                      return x.id == y.id && x.split == y.split && x.group == y.group &&
                             x.raw == y.raw && x.edit == y.edit && x.truth == y.truth;
                    });
}

void lists_pairs(const Subject& subject) {
  const auto dataset = subject.make<Dataset>();
  const PairSet first = dataset->pairs(subject.context);
  require_sound(first);
  expect(equal(first, dataset->pairs(subject.context)) &&
             equal(first, subject.make<Dataset>()->pairs(subject.context)),
         "the second listing differs from the first",
         "let the list depend on parameters and files alone; creating pairs is idempotent");
}

/// What a generator writes must be there a second time, unchanged.
void generates(const Subject& subject) {
  const auto dataset = subject.make<Dataset>();
  auto* generator = dynamic_cast<PairGenerator*>(dataset.get());
  if (generator == nullptr) throw plugin::ProbeSkipped("it does not generate pairs");
  const fs::path root = subject.scratch / "made";
  const PairSet first = generator->generate(root, subject.context);
  require_sound(first);
  const auto written = fs::last_write_time(first.pairs.front().raw);
  expect(equal(first, generator->generate(root, subject.context)) &&
             fs::last_write_time(first.pairs.front().raw) == written,
         "generating a second time changed what was there",
         "keep pairs that are there and complete");
}

const plugin::RegisterProbes datasets(Dataset::kind,
                                      {{"lists sound pairs, the same each time", lists_pairs},
                                       {"generates pairs once, and keeps them", generates}});

// ---- editor ----

EditRequest request_without_features() {
  EditRequest request;
  request.source.path = "probe.wav";
  request.source.sample_rate = 22050;
  request.source.channels = 1;
  request.source.samples = 22050;
  return request;
}

/// An editor that needs a model says so; one that needs none gives a sound edit.
void without_model(const Subject& subject) {
  for (const char* mode : {"best", "greedy", "sample"}) {
    EditRequest request = request_without_features();
    request.mode = mode;
    const auto editor = subject.make<Editor>();
    plugin::result_or_error([&] {
      const EditResult result = editor->edit(nullptr, request, subject.context);
      const auto wrong = problems(result.edl);
      expect(wrong.empty(), "its EDL is unsound: " + (wrong.empty() ? "" : wrong.front()),
             "give segments inside the source");
    });
  }
}

const plugin::RegisterProbes editors(Editor::kind, {{"without a model: a sound edit or an error",
                                                     without_model}});

}  // namespace
}  // namespace retake

// Edit decision lists as JSON.

#include "retake/edit/edl.hpp"
#include "scratch.hpp"

using namespace retake;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::tolerant([&] {
    const Value value = parse_json(fuzz::text(data, size), "x.edl.json");
    const Edl edl = edl_from_value(value, "x.edl.json");
    fuzz::require(problems(edl).empty(), "what was read is sound");
    fuzz::require(edl.output_samples() >= 0, "a length");
    const Edl again = edl_from_value(to_value(edl), "again");
    fuzz::require(to_canonical_json(to_value(again)) == to_canonical_json(to_value(edl)),
                  "written and read again it is the same");
  });
  return 0;
}

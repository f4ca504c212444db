// Registers a component that cannot be had.
#include "steady.hpp"

RETAKE_PLUGIN("null_factory", "1.0.0", registrar) {
  retake::Registration r;
  r.info.kind = "lr_schedule";
  r.info.name = "null_factory";
  r.info.doc = "Never used.";
  r.create = [](const retake::Table&, retake::Context&) {
    return std::unique_ptr<retake::Component>();
  };
  registrar.add(std::move(r));
}

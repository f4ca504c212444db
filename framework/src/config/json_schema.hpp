#pragma once
// The JSON Schema of experiment files, for editors: made of the host's tables and of the schemas of
// every installed plugin.

#include "config/catalog.hpp"
#include "retake/value.hpp"

namespace retake::config {

/// JSON Schema draft 7 (what Taplo reads) of experiments and of the fragments that they extend:
/// nothing is required, so a table without `plugin` must fit one plugin of its kind, and one with
/// `plugin` that plugin. Unknown tables and keys are flagged. Rules across fields, interpolations
/// and wiring are left to `retake check`; so is `[sweep.params]`, whose keys are paths.
Value experiment_schema(const Catalog& catalog);

}  // namespace retake::config

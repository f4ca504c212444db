#pragma once
// What components need of each other, told from their declarations alone.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "config/experiment.hpp"
#include "config/findings.hpp"

namespace retake::config {

/// Whether a declared name, in which `*` stands for any run of characters, covers a metric.
bool matches_metric(std::string_view pattern, std::string_view metric);

/// E142 when no enabled component declares `train.metric`; what the engine measures itself is known
/// of training steps only. `written`: where it stands, null when it is the default.
void check_metric(const std::string& metric, const Origin* written,
                  const std::vector<ResolvedComponent>& components, Findings& findings);

/// Throws ConfigError E150 when a validation gave no such metric.
void require_metric(const std::string& metric, const std::map<std::string, double>& given);

/// The same as check_metric, the engine's own included, for a name under [watch], as a warning
/// (W15): it would never trip.
void check_watched(const std::string& metric, const Origin* written,
                   const std::vector<ResolvedComponent>& components, Findings& findings);

/// E156: the experiment has no table of a kind that a command needs.
Diagnostic missing_table(std::string_view kind);

/// What keeps these components from being trained, as far as declarations tell: tables that are
/// missing (E156) or too many (E155), and tensors that a loss or the trainer asks for and nothing
/// gives (E151).
std::vector<Diagnostic> training_faults(const std::vector<ResolvedComponent>& components);

}  // namespace retake::config

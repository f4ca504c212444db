#pragma once
// Why a value of an experiment is what it is: every writing of it, and what was taken away.

#include <optional>
#include <string>
#include <vector>

#include "config/experiment.hpp"

namespace retake::config {

/// The component whose table `path` names or lies in; null in host tables.
const ResolvedComponent* component_at(const ResolvedExperiment& experiment,
                                      const std::string& path);

/// The declaration of the parameter or host key at `path`, or of the list whose item it is;
/// nullopt for tables that are no group of a schema.
std::optional<FieldInfo> field_at(const ResolvedExperiment& experiment, const std::string& path);

/// Every path of a resolved tree in its order: tables, groups and values, no items of arrays.
std::vector<std::string> tree_paths(const Table& tree);

struct Explanation {
  std::string path;                ///< canonical, under its present name
  std::string renamed_from;        ///< the old name that was asked for; else empty
  Value value;                     ///< as resolved
  std::optional<FieldInfo> field;  ///< nullopt for tables of components and of the host
  const ResolvedComponent* component = nullptr;  ///< owner; null in host tables
  std::vector<Origin> writings;       ///< newest first; empty where only the default holds
  std::vector<Dropped> dropped;       ///< at or below the path, newest first
  std::vector<std::string> children;  ///< of a table: paths of what it holds, values only
  std::string interpolated;           ///< the text that became the value; empty when none did
};

/// Throws UsageError E114 with did-you-mean when the experiment has no such key.
Explanation explain(const ResolvedExperiment& experiment, const std::string& path);

/// One path at which two experiments differ; nullopt where one lacks it.
struct Difference {
  std::string path;
  std::optional<Value> left;
  std::optional<Value> right;
};

/// Values of two resolved trees that differ, in the order of the left one, then what only the right
/// one has. Arrays are compared whole. Empty tables count as absent.
std::vector<Difference> differences(const Table& left, const Table& right);

}  // namespace retake::config

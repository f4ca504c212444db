#pragma once
// The animals of the zoo, and how they get a table that the build would not give them.

#include <filesystem>
#include <string>

#include "support.hpp"

namespace zoo {

/// The library of this defect, without a table.
std::filesystem::path animal(const std::string& defect);

/// A table that says the plugin holds one schedule of this name.
std::string table_of_one(const std::string& name, const std::string& plugin);

/// A copy of an animal with that table, as only a forger could make it.
std::filesystem::path with_table(const test::Folder& folder, const std::string& defect,
                                 const std::string& table);

/// The same with a table that says what the animal registers: one schedule of its own name.
std::filesystem::path complete(const test::Folder& folder, const std::string& defect);

/// A sound plugin, made of the one that only lacks its table.
std::filesystem::path sound(const test::Folder& folder);

/// Replaces bytes of a file by as many others, everywhere they stand.
void replace_bytes(const std::filesystem::path& file, const std::string& from,
                   const std::string& to);

/// `retake WORDS`, its stdout and stderr together.
test::Output retake(const std::string& words);

}  // namespace zoo

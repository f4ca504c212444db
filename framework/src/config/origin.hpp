#pragma once
// Where every value of an experiment came from.

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "retake/error.hpp"
#include "retake/value.hpp"

namespace retake::config {

/// A text that the user wrote, kept for the source lines of diagnostics.
struct SourceText {
  std::string name;  ///< as shown: "experiments/small.toml"
  std::vector<std::string> lines;
};

/// A stretch of one line. Columns count characters from 1, as editors do.
struct Span {
  int line = 0;
  int column = 0;
  int length = 1;
};

/// One writing of a value: in a file or on the command line.
struct Origin {
  std::shared_ptr<const SourceText> source;  ///< null on the command line
  Span key;                                  ///< of the key that names it
  Span value;                                ///< of what stands after `=`
  std::string via;                           ///< "inherited by experiments/small.toml:2"
  int argv_index = 0;                        ///< of an override, else 0
  std::string argument;                      ///< the override as typed
  Value written;                             ///< what was written there (null for tables)
  int layer = 0;                             ///< grows with precedence; the command line is one
};

/// Path -> every writing of it, the one that holds last. Tables, values and array items all have
/// entries; a path without one has its schema's default.
using OriginMap = std::map<std::string, std::vector<Origin>>;

/// A value that a file or override gave and that a later one took away without giving another.
struct Dropped {
  std::string path;
  Origin written;   ///< the writing that no longer counts
  Place by;         ///< what took it away
  std::string why;  ///< "model.plugin changed to `keep_cut`", "merge.delete", "--unset"
};

/// "configs/base.toml:30", "argv[3]".
std::string describe(const Origin& origin);
/// The place of the key, or of the value.
Place key_place(const Origin& origin);
Place value_place(const Origin& origin);

/// "configs/base.toml:30:1", "argv[3]: optimizer.lr=1e-4".
std::string describe(const Place& place);

/// Adds writings to a history and what was dropped to a list, less those already there: bases that
/// two ways lead to would double them with every level.
void add_origins(const std::vector<Origin>& more, std::vector<Origin>& history);
void add_dropped(const Dropped& dropped, std::vector<Dropped>& list);

/// Notes every value at and below `path` as taken away; call before erase_origins.
void note_dropped(const OriginMap& origins, const std::string& path, const Place& by,
                  const std::string& why, std::vector<Dropped>& dropped);

/// The writing that holds; null when the path has the default.
const Origin* origin_of(const OriginMap& origins, const std::string& path);
/// As above for the nearest enclosing path that was written.
const Origin* nearest_origin(const OriginMap& origins, const std::string& path);

/// Forgets a path and everything below it.
void erase_origins(OriginMap& origins, const std::string& path);
/// Copies what lies at and below `from` in `source` to `to` in `target`, after what `to` had.
void copy_origins(const OriginMap& source, const std::string& from, OriginMap& target,
                  const std::string& to);

}  // namespace retake::config

#include "config/origin.hpp"

#include <algorithm>

namespace retake::config {
namespace {

Place place(const Origin& origin, const Span& span) {
  Place p;
  if (origin.source == nullptr) {
    p.file = "argv[" + std::to_string(origin.argv_index) + "]: " + origin.argument;
    return p;
  }
  p.file = origin.source->name;
  p.line = span.line;
  p.column = span.column;
  p.length = span.length;
  p.via = origin.via;
  if (span.line >= 1 && static_cast<std::size_t>(span.line) <= origin.source->lines.size()) {
    p.source_line = origin.source->lines[static_cast<std::size_t>(span.line) - 1];
  }
  return p;
}

/// Calls `visit(iterator)` on every entry strictly below `path`; `visit` returns the next one.
template <class Map, class Visit>
void below(Map& origins, const std::string& path, Visit visit) {
  for (const char separator : {'.', '['}) {
    const std::string prefix = path + separator;
    for (auto it = origins.lower_bound(prefix);
         it != origins.end() && it->first.starts_with(prefix);) {
      it = visit(it);
    }
  }
}

}  // namespace

std::string describe(const Origin& origin) {
  if (origin.source == nullptr) return "argv[" + std::to_string(origin.argv_index) + "]";
  return origin.source->name + ":" + std::to_string(origin.key.line);
}

Place key_place(const Origin& origin) {
  return place(origin, origin.key);
}
Place value_place(const Origin& origin) {
  return place(origin, origin.value);
}

std::string describe(const Place& place) {
  std::string out = place.file;
  if (place.line > 0) out += ":" + std::to_string(place.line);
  if (place.line > 0 && place.column > 0) out += ":" + std::to_string(place.column);
  return out;
}

namespace {

bool same_writing(const Origin& a, const Origin& b) {
  return a.source == b.source && a.key.line == b.key.line && a.key.column == b.key.column &&
         a.argv_index == b.argv_index && a.via == b.via;
}

}  // namespace

void add_origins(const std::vector<Origin>& more, std::vector<Origin>& history) {
  for (const Origin& origin : more) {
    // The latest one holds, so an earlier one of the same gives way.
    std::erase_if(history, [&](const Origin& other) { return same_writing(origin, other); });
    history.push_back(origin);
  }
}

void add_dropped(const Dropped& dropped, std::vector<Dropped>& list) {
  const bool known = std::any_of(list.begin(), list.end(), [&](const Dropped& other) {
    return other.path == dropped.path && other.why == dropped.why &&
           describe(other.by) == describe(dropped.by) &&
           same_writing(other.written, dropped.written);
  });
  if (!known) list.push_back(dropped);
}

void note_dropped(const OriginMap& origins, const std::string& path, const Place& by,
                  const std::string& why, std::vector<Dropped>& dropped) {
  const auto note = [&](const std::string& at, const std::vector<Origin>& history) {
    const bool item = at.find('[') != std::string::npos;
    if (item) return;
    for (const Origin& origin : history) {
      if (!origin.written.is_null()) add_dropped({at, origin, by, why}, dropped);
    }
  };
  if (const auto it = origins.find(path); it != origins.end()) note(path, it->second);
  below(origins, path, [&](auto it) {
    note(it->first, it->second);
    return ++it;
  });
}

const Origin* origin_of(const OriginMap& origins, const std::string& path) {
  const auto it = origins.find(path);
  return it == origins.end() || it->second.empty() ? nullptr : &it->second.back();
}

const Origin* nearest_origin(const OriginMap& origins, const std::string& path) {
  std::string at = path;
  for (;;) {
    if (const Origin* found = origin_of(origins, at)) return found;
    const std::size_t cut = at.find_last_of(".[");
    if (cut == std::string::npos) return nullptr;
    at.resize(cut);
  }
}

void erase_origins(OriginMap& origins, const std::string& path) {
  below(origins, path, [&](auto it) { return origins.erase(it); });
  origins.erase(path);
}

void copy_origins(const OriginMap& source, const std::string& from, OriginMap& target,
                  const std::string& to) {
  const auto add = [&](const std::string& path, const std::vector<Origin>& list) {
    add_origins(list, target[path]);
  };
  if (const auto it = source.find(from); it != source.end()) add(to, it->second);
  below(source, from, [&](auto it) {
    add(to + it->first.substr(from.size()), it->second);
    return ++it;
  });
}

}  // namespace retake::config

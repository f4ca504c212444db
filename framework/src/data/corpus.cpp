#include "retake/data/corpus.hpp"

namespace retake {

std::vector<const Song*> Corpus::split(const std::string& name) const {
  std::vector<const Song*> out;
  for (const Song& song : songs_) {
    if (song.pair.split == name) out.push_back(&song);
  }
  return out;
}

}  // namespace retake

#pragma once
// Writing pairs with exact truth: what a generator of pairs gets from the host.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "retake/data/pair_set.hpp"
#include "retake/edit/edl.hpp"

namespace retake {

/// What the edit file suffers after rendering. All off: the edit is render(truth), bit for bit.
struct EditDamage {
  std::string codec = "none";  ///< none, vorbis, mp3
  double quality = 0.5;        ///< of the codec, 0..1
  double snr_db = 0.0;         ///< white noise this far below the edit's level; 0: none
  double eq_db = 0.0;          ///< three bands, each off by up to this much; 0: none
  double gain_db = 0.0;        ///< level change on top of the truth's own gain; 0: none
  double sample_rate = 0.0;    ///< Hz of the edit file; 0: the raw's
  std::uint64_t seed = 0;

  bool any() const;
};

/// SHA-256, 64 hex digits, of a text, and of the bytes of files one after another (DataError when
/// one cannot be read).
std::string hash_text(const std::string& text);
std::string hash_files(const std::vector<std::filesystem::path>& files);

/// What is known of a pair before it is made.
struct PairDraft {
  std::string id;  ///< becomes file names
  std::string group;
  std::string split;     ///< "train", "val", "test", or empty
  std::string identity;  ///< changes whenever the pair would be another; see PairWriter::has
  double sample_rate = 0.0;
  int channels = 0;
  std::int64_t samples = 0;       ///< of the raw: exactly so many will be appended
  std::string container = "wav";  ///< wav or flac
  EditDamage damage;
};

/// What is known once the raw has been produced.
struct PairTruth {
  Edl edl;                             ///< segments only: the writer fills in the source
  std::vector<MaterialSpan> material;  ///< must cover the raw exactly
  Table recipe;                        ///< kept in the pair's meta file
};

/// Writes pairs under a root in the guide's layout: input/{id}_raw.wav (PCM 16),
/// desired_output/{id}_edit.wav, truth/{id}.edl.json, .material.json and .meta.json. A pair is
/// there when its meta file is, which is written last; every file is written beside its place and
/// renamed. Thread-safe: several pairs may be under way, in several processes too.
class PairWriter {
 public:
  explicit PairWriter(std::filesystem::path root);

  /// Sets Pair::split of the pairs that are to be made (id and group are known): as splits.toml
  /// says for groups it has, the others by the rule. Writes splits.toml.
  void place(std::vector<Pair>& pairs, const SplitRule& rule) const;

  /// True when the pair is there, complete and of this identity. Throws DataError when a pair of
  /// this id is there that was made otherwise.
  bool has(const std::string& id, const std::string& identity) const;

  /// One pair under way. Nothing stays on disk when it is destroyed before `finish`.
  class Session {
   public:
    ~Session();
    Session(Session&&) noexcept;
    /// Appends samples to the raw: one span per channel, all of one length, clipped to [-1, 1] and
    /// rounded to 16 bits.
    void append(std::span<const std::span<const float>> channels);
    std::int64_t samples() const;
    /// Closes the raw, renders the truth through the renderer, damages the edit where asked, and
    /// puts all files in place.
    void finish(PairTruth truth);

   private:
    friend class PairWriter;
    struct Impl;
    explicit Session(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
  };
  Session begin(PairDraft draft) const;

 private:
  std::filesystem::path root_;
};

}  // namespace retake

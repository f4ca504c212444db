#pragma once
// What happens in a session, decided before any sound is made.
//
// The policy, the same in every session: of each stretch of the song the last complete good take is
// kept. Takes before it are repeats (good ones) or spoilt ones, playing on past a take's end is cut
// because that stretch comes again, and everything between takes is cut.

#include <cstdint>
#include <string>
#include <vector>

#include "params.hpp"
#include "pass.hpp"
#include "retake/data/pair_set.hpp"
#include "retake/edit/edl.hpp"
#include "splice.hpp"
#include "tracks.hpp"

namespace retake::synthetic {

/// A stretch recorded in one go.
struct Piece {
  struct Part {
    std::string kind;  ///< one of material_kinds()
    std::int64_t samples = 0;
  };
  std::vector<Part> parts;  ///< a take and, perhaps, the playing on after it
  bool is_pass = false;     ///< a pass of the song, else junk of the first part's kind
  Pass pass;
  std::uint64_t seed = 0;  ///< of junk, and of the equaliser
  double level = 0.0;      ///< RMS of junk
  double gain = 1.0;
  int run = -1;  ///< index of the kept run, in song order
  Splice next;   ///< how the following piece is joined on

  std::int64_t samples() const;
};

struct Plan {
  std::vector<Piece> pieces;
  std::int64_t samples = 0;  ///< of the raw
  Edl truth;                 ///< segments with joins, fades and gain; the source is filled in later
  std::vector<MaterialSpan> material;
  Table facts;  ///< what the meta file says of the session
};

/// Wanted lengths of a session.
struct Lengths {
  double raw_s = 0.0;
  double edit_s = 0.0;
};
/// Draws them: minutes within its spread, keep as given or ~ Beta(1.6, 3.4) within [0.1, 0.75].
Lengths draw_lengths(const Params& params, Rng& rng);

/// Decides a session on `music`. Where the song is shorter than the wanted edit, the edit takes all
/// of it and the raw is shortened to keep the ratio.
Plan make_plan(const Params& params, Lengths lengths, const Music& music,
               const std::vector<std::string>& splices, Rng& rng);

}  // namespace retake::synthetic

#pragma once
// What a component shows beside numbers: text, pictures, sounds, precision-recall curves.

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace retake {

/// Rows from top to bottom, three bytes a pixel: width * height * 3 of them.
struct Picture {
  int width = 0;
  int height = 0;
  std::vector<std::uint8_t> rgb;
};

/// Mono samples in [-1, 1].
struct Sound {
  double sample_rate = 0.0;  ///< Hz
  std::vector<float> samples;
};

/// Scores in [0, 1] and what was true of each; both have one entry per decision.
struct Decisions {
  std::vector<float> scores;
  std::vector<std::uint8_t> truth;  ///< 0 or 1
};

/// `tag` is where it is filed ("val/keep"): one of a kind per tag and step. A string is Markdown.
struct Exhibit {
  std::string tag;
  std::variant<std::string, Picture, Sound, Decisions> content;
};

}  // namespace retake

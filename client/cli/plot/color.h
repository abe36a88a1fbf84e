// Color, and the few colours that every picture uses.
#pragma once

namespace sluice::plot {

// Components in [0, 1], not premultiplied.
struct Color {
  double r = 0, g = 0, b = 0, a = 1;
};

inline constexpr Color kWhite{1, 1, 1};
inline constexpr Color kInk{0.13, 0.13, 0.15};    // Text and frames.
inline constexpr Color kFaint{0.88, 0.88, 0.90};  // Grid lines.
inline constexpr Color kMuted{0.45, 0.45, 0.48};  // Notes.
// Apart for every common colour blindness, and next to viridis.
inline constexpr Color kBlue{0.12, 0.40, 0.66};
inline constexpr Color kOrange{0.90, 0.42, 0.05};

}  // namespace sluice::plot

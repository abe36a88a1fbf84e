// A grid in colours, and the bar that says what they mean.
#pragma once

#include <string>

#include "client/cli/plot/axes.h"
#include "client/cli/plot/grid.h"

namespace sluice::plot {

void DrawHeatmap(const Axes& axes, const Grid& grid, double most, bool smooth);

// Colours from 0 to `most`, with ticks and a label on the right: needs about 70
// units beyond `bar`. An arrow tip on top says that larger values share its colour.
void DrawColorbar(Canvas* canvas, Rect bar, double most, const std::string& label, double text);

// What the brightest colour should stand for: a high quantile of the values that are
// not next to nothing, so that a single spike does not darken the rest. Never 0.
inline constexpr double kOfFunction = 0.997;
inline constexpr double kOfHistogram = 0.95;  // Its cells are noisy.
double BrightestOf(const Grid& grid, double quantile = kOfFunction);

}  // namespace sluice::plot

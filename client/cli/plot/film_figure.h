// A model learning: one picture per snapshot, in an animated GIF.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "client/cli/plot/grid.h"
#include "client/cli/plot/loss_figure.h"
#include "sluice/result.h"

namespace sluice::plot {

// A density over two coordinates, or samples.
using FilmImage = std::variant<Grid, Matrix>;

struct FilmFrame {
  std::string label;  // "epoch 12"
  int64_t epoch = 0;  // Its place on the loss curve.
  FilmImage image;
};

struct Film {
  std::string title;
  std::string reference_title;  // "data: wow"
  FilmImage reference;
  bool exact_reference = false;    // A known density: it sets the scale of colours.
  std::vector<FilmFrame> frames;   // At least one, all of the reference's kind.
  std::vector<Range> ranges;       // One per coordinate shown: 1, 2 or 3.
  std::vector<std::string> names;  // Of the coordinates.
  LossHistory losses;              // No curve is drawn where it is empty.
};

// GIF of some 900 pixels' width. The last frame is held.
Result<std::string> DrawFilm(const Film& film);

// PNG of one frame, at twice the size.
std::string DrawFilmFrame(const Film& film, size_t frame);

}  // namespace sluice::plot

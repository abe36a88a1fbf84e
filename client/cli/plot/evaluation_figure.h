// How well a model fits: where rows rank among draws, and the tail of weights.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace sluice::plot {

struct RankCurve {
  std::string name;             // May be empty.
  std::vector<int64_t> counts;  // Of equal bins over the ranks.
};

struct RankPanel {
  std::string title;
  std::string x_label, y_label;
  double count = 0;  // Of rows, as sure as those of one sample: the width of what chance makes.
  std::vector<RankCurve> curves;
};

// Curves on the diagonal where all is well, and a band that chance keeps them in.
struct CalibrationPicture {
  std::string title, note;
  std::vector<RankPanel> panels;
};
// PNG.
std::string DrawCalibration(const CalibrationPicture& picture);

struct WeightPicture {
  std::string title, note;
  int64_t draws = 0;
  std::vector<double> log_weights;  // The largest, relative to the mean one, descending.
};
// PNG.
std::string DrawWeights(const WeightPicture& picture);

}  // namespace sluice::plot

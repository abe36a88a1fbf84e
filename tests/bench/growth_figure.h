// How the cost of a call grows with one thing at a time, as a picture.
#pragma once

#include <string>
#include <vector>

namespace sluiced::bench {

struct GrowthCurve {
  std::string name;
  bool training = false;  // Or scoring: the colour.
  bool engine = false;    // Or LibTorch: solid, or dashed.
  struct At {
    double size, microseconds;
  };
  std::vector<At> points;  // By size.
};

struct GrowthPanel {
  std::string title;
  std::vector<GrowthCurve> curves;
};

// PNG: two panels a row, both axes logarithmic.
std::string DrawGrowth(const std::vector<GrowthPanel>& panels);

}  // namespace sluiced::bench

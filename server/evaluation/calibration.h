// Whether a flow is as sure as it may be: simulation-based calibration (Talts et al.
// 2018, arXiv:1804.06788) and the coverage of its highest-density regions. No LibTorch
// here.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "server/evaluation/mean_error.h"
#include "server/evaluation/ranks.h"

namespace sluiced::evaluation {

// Of places in [0, 1], uniform where all is well.
struct Uniformity {
  KsTest ks;
  std::vector<int64_t> counts;  // Of kRankBins equal bins.
};
Uniformity UniformityOf(std::vector<double> places);

// Regions of highest density that should hold `level` of the rows.
struct Coverage {
  struct Level {
    double level = 0;
    MeanError covered;  // The share of rows inside.
  };
  std::vector<Level> levels;  // 50, 68, 90 and 95 %.
  Uniformity regions;         // Of the mass of the smallest region that holds a row.
};
// `masses`: of each row the share of draws with a higher density than its own.
Coverage CoverageOf(std::vector<double> masses);

}  // namespace sluiced::evaluation

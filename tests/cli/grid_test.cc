#include "client/cli/plot/grid.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "client/cli/plot/colormap.h"

namespace sluice::plot {
namespace {

double Mass(const Grid& grid) {
  return std::accumulate(grid.values.begin(), grid.values.end(), 0.0) * grid.cell_area();
}

TEST(Grid, HistogramIntegratesToTheShareInside) {
  const Matrix data{4, 2, {0.5, 0.5, 1, 1, 0, 0, 5, 5}, DType::kFloat32};
  Grid grid = SquareGrid({0, 1}, {0, 1}, 100);
  FillHistogram(data, 0, 1, &grid);
  EXPECT_NEAR(Mass(grid), 0.75, 1e-12);
}

TEST(Grid, RowsThatAreNotFiniteCountNowhere) {
  const Matrix data{2, 2, {NAN, 0.5, 0.5, INFINITY}, DType::kFloat32};
  Grid grid = SquareGrid({0, 1}, {0, 1}, 100);
  FillHistogram(data, 0, 1, &grid);
  EXPECT_EQ(Mass(grid), 0);
  EXPECT_EQ(Histogram(data, 0, {0, 1}, 2)[1], 1);
}

TEST(Grid, CellsAreSquareAndOfTheNumberAsked) {
  const Grid grid = SquareGrid({-4, 4}, {-2, 2}, 20'000);
  EXPECT_EQ(grid.columns, 200);
  EXPECT_EQ(grid.rows, 100);
  const Grid thin = SquareGrid({0, 1e9}, {0, 1e-9}, 1000);
  EXPECT_LE(static_cast<int64_t>(thin.columns) * thin.rows, 4000);
  for (const Grid& unlike :
       {SquareGrid({0, 1e-2}, {-180, 180}, 160'000), SquareGrid({-180, 180}, {0, 1e-2}, 160'000)}) {
    EXPECT_LE(std::max(unlike.columns, unlike.rows), 32'767) << "cairo draws no larger image";
    EXPECT_GE(std::min(unlike.columns, unlike.rows), 8);
  }
  const Matrix centers = Centers(grid);
  EXPECT_EQ(centers.rows, 20'000);
  EXPECT_NEAR(centers(0, 0), -3.98, 1e-12);
  EXPECT_NEAR(centers(19'999, 1), 1.98, 1e-12);
}

TEST(Viridis, GrowsLighterFromEndToEnd) {
  double before = -1;
  for (int i = 0; i <= 100; ++i) {
    const Color color = Viridis(i / 100.0);
    const double light = 0.2126 * color.r + 0.7152 * color.g + 0.0722 * color.b;
    EXPECT_GT(light, before);
    before = light;
  }
  EXPECT_EQ(Viridis(NAN).r, Viridis(0).r);
  EXPECT_EQ(Viridis(7).g, Viridis(1).g);
}

}  // namespace
}  // namespace sluice::plot

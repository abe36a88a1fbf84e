#include "client/cli/plot/grid.h"

#include <algorithm>
#include <cmath>

namespace sluice::plot {
namespace {

constexpr int kMostCellsOfASide = 4096;

// The cell of `value` among `count` in the range; -1 outside, and for NaN.
int CellOf(double value, Range range, int count) {
  const double at = (value - range.low) / range.span() * count;
  return at >= 0 && at < count ? static_cast<int>(at) : value == range.high ? count - 1 : -1;
}

}  // namespace

Grid SquareGrid(Range x, Range y, int cells) {
  Grid grid;
  grid.x = x;
  grid.y = y;
  const double side = std::sqrt(x.span() * y.span() / cells);
  // Ranges of very unlike spans still get a few cells each way.
  // Cairo draws no image of more than 32,767 either way, and nobody sees as many.
  const double most = std::min(cells, kMostCellsOfASide);
  grid.columns = static_cast<int>(std::clamp(std::round(x.span() / side), 8.0, most));
  grid.rows = static_cast<int>(std::clamp(std::round(y.span() / side), 8.0, most));
  grid.columns = std::min(grid.columns, 4 * cells / grid.rows);
  grid.values.assign(static_cast<size_t>(grid.columns) * grid.rows, 0);
  return grid;
}

Matrix Centers(const Grid& grid) {
  Matrix points;
  points.rows = static_cast<int64_t>(grid.columns) * grid.rows;
  points.cols = 2;
  points.dtype = DType::kFloat64;
  points.values.reserve(static_cast<size_t>(points.rows) * 2);
  for (int row = 0; row < grid.rows; ++row) {
    for (int column = 0; column < grid.columns; ++column) {
      points.values.push_back(grid.x_of(column));
      points.values.push_back(grid.y_of(row));
    }
  }
  return points;
}

void FillHistogram(const Matrix& data, int64_t x_column, int64_t y_column, Grid* grid) {
  grid->values.assign(static_cast<size_t>(grid->columns) * grid->rows, 0);
  const double weight =
      1 / (static_cast<double>(std::max<int64_t>(data.rows, 1)) * grid->cell_area());
  for (int64_t i = 0; i < data.rows; ++i) {
    const int column = CellOf(data(i, x_column), grid->x, grid->columns);
    const int row = CellOf(data(i, y_column), grid->y, grid->rows);
    if (column < 0 || row < 0) continue;
    grid->values[static_cast<size_t>(row) * grid->columns + column] += weight;
  }
}

std::vector<double> Histogram(const Matrix& data, int64_t column, Range range, int bins) {
  std::vector<double> density(static_cast<size_t>(bins), 0);
  const double weight =
      bins / (static_cast<double>(std::max<int64_t>(data.rows, 1)) * range.span());
  for (int64_t i = 0; i < data.rows; ++i) {
    const int cell = CellOf(data(i, column), range, bins);
    if (cell >= 0) density[static_cast<size_t>(cell)] += weight;
  }
  return density;
}

}  // namespace sluice::plot

// Grid: a function's values, or a histogram, on a rectangle of cells.
#pragma once

#include <vector>

#include "client/cli/plot/geometry.h"
#include "sluice/types.h"

namespace sluice::plot {

// Cells row by row from the lowest y. Values belong to the cells' centres.
struct Grid {
  int columns = 0, rows = 0;
  Range x, y;
  std::vector<double> values;

  double cell_area() const { return x.span() * y.span() / columns / rows; }
  double x_of(int column) const { return x.low + (column + 0.5) * x.span() / columns; }
  double y_of(int row) const { return y.low + (row + 0.5) * y.span() / rows; }
};

// An empty grid of about `cells` square cells over the two ranges.
Grid SquareGrid(Range x, Range y, int cells);

// The centres of all cells, [rows * columns, 2], in the order of `values`.
Matrix Centers(const Grid& grid);

// The density of two columns of `data` over the grid's ranges: counts / n / area.
// Rows outside count in n alone.
void FillHistogram(const Matrix& data, int64_t x_column, int64_t y_column, Grid* grid);

// The density of one column: `bins` values.
std::vector<double> Histogram(const Matrix& data, int64_t column, Range range, int bins);

}  // namespace sluice::plot

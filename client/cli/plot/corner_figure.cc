#include "client/cli/plot/corner_figure.h"

#include <algorithm>

#include "client/cli/plot/axes.h"
#include "client/cli/plot/grid.h"
#include "client/cli/plot/heatmap.h"
#include "client/cli/plot/ticks.h"

namespace sluice::plot {
namespace {

constexpr double kGap = 10;
constexpr double kLeft = 74, kTop = 76, kRight = 20, kBottom = 56;
constexpr double kRightOfData = 74;  // The data's rows are read from the right.

// A Canvas is neither copied nor moved, so the layout is a plain helper beside it.
class Corner {
 public:
  Corner(const CornerPicture& picture, int columns)
      : picture_(picture),
        columns_(columns),
        side_(std::clamp(780.0 / columns, 120.0, 250.0)),
        canvas_(kLeft + columns * side_ + (columns - 1) * kGap +
                    (picture.data && columns > 1 ? kRightOfData : kRight),
                kTop + columns * side_ + (columns - 1) * kGap + kBottom, 2) {
    for (int i = 0; i < columns; ++i) ranges_.push_back(ColumnRange(i));
  }

  std::string Draw() {
    for (int row = 0; row < columns_; ++row) {
      for (int column = 0; column < columns_; ++column) DrawPanel(row, column);
    }
    DrawHeading();
    return canvas_.EncodePng();
  }

 private:
  const Matrix& reference() const { return picture_.data ? *picture_.data : picture_.model; }

  // The middle 99.8 % of what is known best, so that a stray sample does not rule.
  Range ColumnRange(int column) const {
    std::vector<double> values;
    for (int64_t i = 0; i < reference().rows; ++i) values.push_back(reference()(i, column));
    return Padded({Quantile(values, 0.001), Quantile(values, 0.999)}, 0.08);
  }

  void DrawPanel(int row, int column) {
    if (column > row && !picture_.data) return;
    const Rect frame{kLeft + column * (side_ + kGap), kTop + row * (side_ + kGap), side_, side_};
    AxesStyle style;
    style.text = 11;
    style.spacing = 34;
    style.x_ticks = row == columns_ - 1;
    style.y_right = column > row;
    style.y_ticks = column == 0 || (column > row && column == columns_ - 1);
    const AxesLabels labels{"", style.x_ticks ? Name(column) : "", style.y_ticks ? Name(row) : ""};
    if (row == column) return DrawDiagonal(frame, column, labels, style);
    const Axes axes(&canvas_, frame, ranges_[column], ranges_[row]);
    Grid grid = SquareGrid({0, 1}, {0, 1}, column > row ? 1600 : 2500);
    grid.x = ranges_[column];
    grid.y = ranges_[row];
    FillHistogram(column > row ? *picture_.data : picture_.model, column, row, &grid);
    DrawHeatmap(axes, grid, BrightestOf(grid), false);
    axes.DrawFrame(labels, style);
  }

  void DrawDiagonal(Rect frame, int column, const AxesLabels& labels, AxesStyle style) {
    constexpr int kBins = 60;
    const Range range = ranges_[column];
    const std::vector<double> model = Histogram(picture_.model, column, range, kBins);
    std::vector<double> data;
    if (picture_.data) data = Histogram(*picture_.data, column, range, kBins);
    const double most = std::max({RangeOf(model).high, RangeOf(data).high * !data.empty(), 1e-300});
    const Axes axes(&canvas_, frame, range, {0, most * 1.1});
    axes.Curve(Steps(model, range), kBlue, 1.8);
    axes.Curve(Steps(data, range), kOrange, 1.8);
    style.y_ticks = false;
    axes.DrawFrame({labels.title, labels.x, columns_ > 1 && column == 0 ? "density" : ""}, style);
  }

  static std::vector<Point> Steps(const std::vector<double>& bars, Range range) {
    std::vector<Point> points;
    const double width = range.span() / static_cast<double>(std::max<size_t>(bars.size(), 1));
    for (size_t i = 0; i < bars.size(); ++i) {
      points.push_back({range.low + static_cast<double>(i) * width, bars[i]});
      points.push_back({range.low + static_cast<double>(i + 1) * width, bars[i]});
    }
    return points;
  }

  void DrawHeading() {
    const TextStyle title{.size = 15, .bold = true, .across = Align::kStart};
    canvas_.Text({kLeft, 22}, picture_.title, title);
    TextStyle note{.size = 12, .color = kBlue, .across = Align::kStart};
    const std::string model = picture_.data ? "model (below the diagonal)" : "model";
    canvas_.Text({kLeft, 48}, model, note);
    if (!picture_.data) return;
    const double after = kLeft + canvas_.TextWidth(model, note) + 18;
    note.color = kOrange;
    canvas_.Text({after, 48}, "data (above)", note);
  }

  const std::string& Name(int column) const { return picture_.names[static_cast<size_t>(column)]; }

  const CornerPicture& picture_;
  const int columns_;
  const double side_;
  Canvas canvas_;
  std::vector<Range> ranges_;
};

}  // namespace

std::string DrawCorner(const CornerPicture& picture) {
  const int64_t columns = std::min(picture.model.cols, kMostCornerColumns);
  return Corner(picture, static_cast<int>(columns)).Draw();
}

}  // namespace sluice::plot

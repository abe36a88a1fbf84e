#include "client/cli/plot/film_figure.h"

#include <algorithm>
#include <memory>

#include "client/cli/plot/axes.h"
#include "client/cli/plot/gif_writer.h"
#include "client/cli/plot/heatmap.h"
#include "client/cli/plot/layout.h"
#include "client/cli/plot/projection.h"
#include "client/cli/plot/ticks.h"

namespace sluice::plot {
namespace {

constexpr double kLossHeight = 104;
constexpr double kLossBottom = 52;
constexpr double kTurn = 1.2;  // Radians that the view of a cloud turns by in a film.

PanelRow LayOutFilm(const Film& film) {
  const bool flat = film.ranges.size() == 2;
  const Range any{0, 1};
  PanelRow row = flat ? LayOutPanels(film.ranges[0], film.ranges[1], 2, 330 * 330, 220)
                      : LayOutPanels(any, any, 2, 360 * 360, 220);
  if (!flat) row.colorbar = 0;
  row.margins.top = 48;
  return row;
}

class FilmDrawer {
 public:
  explicit FilmDrawer(const Film& film) : film_(film), row_(LayOutFilm(film)) {
    if (const Grid* last = std::get_if<Grid>(&film.frames.back().image)) {
      const Grid& reference = std::get<Grid>(film.reference);
      most_ = film.exact_reference
                  ? BrightestOf(reference)
                  : std::max(BrightestOf(*last), BrightestOf(reference, kOfHistogram));
    }
    if (film.ranges.size() == 1) highest_ = HighestBar();
  }

  std::unique_ptr<Canvas> Draw(size_t index, double scale) const {
    auto canvas = std::make_unique<Canvas>(
        row_.width(), row_.height() + (HasLosses() ? kLossHeight + kLossBottom : 0), scale);
    const FilmFrame& frame = film_.frames[index];
    const double progress =
        film_.frames.size() > 1 ? static_cast<double>(index) / (film_.frames.size() - 1.0) : 1;
    DrawPanel(canvas.get(), 0, film_.reference, film_.reference_title, progress);
    DrawPanel(canvas.get(), 1, frame.image, film_.title + ", " + frame.label, progress);
    if (most_ > 0) DrawColorbar(canvas.get(), row_.Bar(), most_, "density (1 / area)", 11);
    if (HasLosses()) DrawLossStrip(canvas.get(), static_cast<double>(frame.epoch));
    return canvas;
  }

 private:
  bool HasLosses() const { return !film_.losses.train.empty(); }

  void DrawPanel(Canvas* canvas, int panel, const FilmImage& image, const std::string& title,
                 double progress) const {
    const Rect frame = row_.Frame(panel);
    AxesStyle style;
    style.y_ticks = panel == 0;
    AxesLabels labels{title, film_.names[0], ""};
    if (const Grid* grid = std::get_if<Grid>(&image)) {
      const Axes axes(canvas, frame, film_.ranges[0], film_.ranges[1]);
      DrawHeatmap(axes, *grid, most_, panel == 1 || film_.exact_reference);
      if (panel == 0) labels.y = film_.names[1];
      return axes.DrawFrame(labels, style);
    }
    const Matrix& points = std::get<Matrix>(image);
    if (film_.ranges.size() == 1) return DrawBars(canvas, frame, points, labels, style);
    canvas->Text({frame.x + frame.width / 2, frame.y - 14}, title, {.size = 14, .bold = true});
    View view;
    view.azimuth += kTurn * progress;
    DrawCloud(canvas, frame, points, film_.ranges, view, film_.names);
  }

  std::vector<double> Bars(const Matrix& points) const {
    return Histogram(points, 0, film_.ranges[0], 60);
  }

  double HighestBar() const {
    double highest = 1e-12;
    for (const FilmImage* image : {&film_.reference, &film_.frames.back().image}) {
      highest = std::max(highest, RangeOf(Bars(std::get<Matrix>(*image))).high);
    }
    return highest * 1.1;
  }

  void DrawBars(Canvas* canvas, Rect frame, const Matrix& points, AxesLabels labels,
                const AxesStyle& style) const {
    const Axes axes(canvas, frame, film_.ranges[0], {0, highest_});
    const std::vector<double> bars = Bars(points);
    const double width = axes.x().span() / static_cast<double>(bars.size());
    std::vector<Point> outline;
    for (size_t i = 0; i < bars.size(); ++i) {
      outline.push_back({axes.x().low + static_cast<double>(i) * width, bars[i]});
      outline.push_back({axes.x().low + static_cast<double>(i + 1) * width, bars[i]});
    }
    axes.Curve(outline, kBlue, 1.8);
    if (style.y_ticks) labels.y = "density (1 / length)";
    axes.DrawFrame(labels, style);
  }

  void DrawLossStrip(Canvas* canvas, double epoch) const {
    const Rect frame{row_.margins.left, row_.height(), row_.width() - row_.margins.left - 24,
                     kLossHeight};
    double last = std::max<double>(1, static_cast<double>(film_.frames.back().epoch));
    for (const Point& point : film_.losses.train) last = std::max(last, point.x);
    const Axes axes(canvas, frame, {0, last}, LossRange(film_.losses));
    AxesStyle style;
    style.text = 11;
    style.spacing = 80;
    style.whole_x = true;
    axes.DrawGrid(style);
    DrawLossCurves(axes, film_.losses);
    const double x = axes.At(epoch, 0).x;
    canvas->Line({x, frame.y}, {x, frame.bottom()}, kInk, 1.5);
    axes.DrawFrame({"", "epoch", "loss (nats)"}, style);
    DrawCurveNames(canvas, frame);
  }

  // Above the frame: in a strip as low as this a legend would hide the curves.
  void DrawCurveNames(Canvas* canvas, Rect frame) const {
    Point at{frame.right(), frame.y - 11};
    const auto name = [&](const std::string& text, Color color) {
      const TextStyle style{.size = 11, .color = color, .bold = true, .across = Align::kEnd};
      canvas->Text(at, text, style);
      at.x -= canvas->TextWidth(text, style) + 14;
    };
    const LossHistory& losses = film_.losses;
    if (losses.bound) name("dashed: " + losses.bound_label, kMuted);
    if (!losses.validation.empty()) name("validation", kOrange);
    name("training", kBlue);
  }

  const Film& film_;
  const PanelRow row_;
  double most_ = 0;
  double highest_ = 1;
};

}  // namespace

Result<std::string> DrawFilm(const Film& film) {
  const FilmDrawer drawer(film);
  std::unique_ptr<GifWriter> writer;
  for (size_t i = 0; i < film.frames.size(); ++i) {
    const std::unique_ptr<Canvas> canvas = drawer.Draw(i, 1);
    if (writer == nullptr) {
      writer = std::make_unique<GifWriter>(canvas->pixel_width(), canvas->pixel_height());
    }
    const bool last = i + 1 == film.frames.size();
    Status status = writer->AddFrame(canvas->Pixels(), last ? 300 : 12);
    if (!status.ok()) return status;
  }
  return writer->Finish();
}

std::string DrawFilmFrame(const Film& film, size_t frame) {
  return FilmDrawer(film).Draw(frame, 2)->EncodePng();
}

}  // namespace sluice::plot

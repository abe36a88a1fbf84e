#include "client/cli/plot/density_figure.h"

#include "client/cli/plot/axes.h"
#include "client/cli/plot/heatmap.h"
#include "client/cli/plot/layout.h"

namespace sluice::plot {

std::string DrawDensity(const DensityPicture& picture) {
  const Grid& first = picture.panels.front().grid;
  const auto count = static_cast<int>(picture.panels.size());
  const PanelRow row =
      LayOutPanels(first.x, first.y, count, 420 * 420 / (count > 1 ? 1.5 : 1.0), 220);
  Canvas canvas(row.width(), row.height(), 2);
  for (int i = 0; i < count; ++i) {
    const DensityPanel& panel = picture.panels[static_cast<size_t>(i)];
    const Axes axes(&canvas, row.Frame(i), first.x, first.y);
    DrawHeatmap(axes, panel.grid, picture.most, panel.smooth);
    AxesStyle style;
    style.y_ticks = i == 0;
    axes.DrawFrame({panel.title, picture.x_label, i == 0 ? picture.y_label : ""}, style);
  }
  DrawColorbar(&canvas, row.Bar(), picture.most, picture.unit, 12);
  return canvas.EncodePng();
}

}  // namespace sluice::plot

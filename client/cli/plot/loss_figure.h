// Losses over the epochs of a training.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/cli/plot/axes.h"

namespace sluice::plot {

struct LossHistory {
  std::vector<Point> train, validation;  // (epoch, nats)
  std::string y_label = "mean negative log-likelihood (nats)";
  std::optional<Point> best;    // (epoch, nats)
  std::optional<double> bound;  // What no fit beats, where known.
  std::string bound_label;
};

// What the y axis should show: the first epochs and lone spikes may be cut off.
Range LossRange(const LossHistory& history);

// Curves into axes whose frame is drawn by the caller.
void DrawLossCurves(const Axes& axes, const LossHistory& history);

// PNG.
std::string DrawLoss(const LossHistory& history, const std::string& title);

}  // namespace sluice::plot

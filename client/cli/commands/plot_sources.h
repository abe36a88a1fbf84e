// What the pictures are drawn from, fetched from the server.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "client/cli/context.h"
#include "client/cli/plot/geometry.h"
#include "client/cli/plot/grid.h"
#include "client/cli/plot/loss_figure.h"

namespace sluice::cli {

// A model as it is asked: by name ("wow@3", "JOB#EPOCH"), a conditional one at a row of
// context, which has no columns otherwise.
struct ModelQuery {
  std::string name;
  Matrix at = {};
};

// A model to draw, and the data it was trained on where they are known.
struct PlotModel {
  ModelQuery query;
  std::string title;  // "wow, version 3"
  int64_t dim = 0;
  std::string target;   // Trained on a target, or
  std::string dataset;  // on a dataset.
  std::optional<Matrix> data;
  std::string train_job;
};

// `dataset` overrides what the version's provenance says; may be empty. A dataset
// that is gone is said on stderr and left out, and those of a conditional model are: they
// are of all contexts. `at` is its --context. Throws CommandFailure.
PlotModel FindPlotModel(Context& context, const std::string& name, const std::string& dataset,
                        const std::string& at);

// What an axis should show of each column: all of the data, padded, and the middle
// 99.6 % where `trimmed`, as samples of a model need.
std::vector<plot::Range> ColumnRanges(const Matrix& points, bool trimmed);

// Of the model's data or target where known, else of its samples.
std::vector<plot::Range> PlotRanges(Context& context, const PlotModel& model);

// exp(log-prob) at the centres of about `cells` cells.
plot::Grid ModelDensity(Context& context, const ModelQuery& query, plot::Range x, plot::Range y,
                        int cells);

// A histogram of the two columns with enough rows a cell to be read.
plot::Grid DataDensity(const Matrix& data, plot::Range x, plot::Range y);

// exp(log-density - log Z); where log Z is unknown it is summed over the grid.
plot::Grid TargetDensity(Context& context, const Target& target, plot::Range x, plot::Range y,
                         int cells);

Target FindTarget(Context& context, const std::string& id);

// The job of this name, or the one that trained the model or version of this name.
TrainJob FindPlotJob(Context& context, const std::string& name);

// The job's losses so far.
plot::LossHistory FetchLosses(Context& context, const TrainJob& job);

// The same rows each time.
Matrix SampleRows(Context& context, const ModelQuery& query, int64_t rows);

// Rows [n, dim].
std::vector<double> LogDensity(Context& context, const ModelQuery& query, const Matrix& rows);

}  // namespace sluice::cli

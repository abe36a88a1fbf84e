#include "client/cli/commands/plot_sources.h"

#include <algorithm>
#include <cmath>

#include "client/cli/command_failure.h"
#include "client/cli/commands/context_option.h"
#include "client/cli/plot/ticks.h"

namespace sluice::cli {
namespace {

constexpr uint64_t kPictureSeed = 1;
constexpr int64_t kRangeSamples = 4000;

std::string After(const std::string& text, const std::string& prefix) {
  return text.rfind(prefix, 0) == 0 ? text.substr(prefix.size()) : "";
}

// The row of context that a model of this spec is to be drawn at.
Matrix DrawnAt(const FlowSpec& spec, const std::string& text) {
  Matrix at = ReadContext(text);
  if (at.cols == spec.context_dim && at.rows == (spec.context_dim > 0 ? 1 : 0)) return at;
  if (spec.context_dim == 0) FailUsage("--context is for conditional models, and this is none");
  FailUsage("the model is conditional: --context gives the one row of " +
            std::to_string(spec.context_dim) + " numbers that it is drawn at");
}

PlotModel FromVersion(Context& context, const std::string& name, const std::string& at) {
  const Version version = OrFail(context.client().GetVersion(name));
  PlotModel model;
  const std::string id = name.substr(0, name.find('@'));
  // Pinned: a version published meanwhile must not mix into the picture.
  model.query = {id + "@" + std::to_string(version.number), DrawnAt(version.spec, at)};
  model.title = id + ", version " + std::to_string(version.number);
  model.dim = version.spec.dim;
  model.dataset = After(version.source, "datasets/");
  model.target = After(version.source, "targets/");
  model.train_job = PlainId(version.train_job, "trainJobs");
  return model;
}

PlotModel FromSnapshot(Context& context, const std::string& name, size_t hash,
                       const std::string& at) {
  const TrainJob job =
      OrFail(context.client().GetTrainJob(PlainId(name.substr(0, hash), "trainJobs")));
  PlotModel model;
  const FlowSpec spec = OrFail(context.client().GetModel(job.model)).spec;
  model.query = {job.id + name.substr(hash), DrawnAt(spec, at)};
  model.title = job.model + ", epoch " + name.substr(hash + 1);
  model.dim = spec.dim;
  model.dataset = job.dataset;
  model.target = job.target;
  model.train_job = job.id;
  return model;
}

void FillDensity(const std::vector<double>& log_density, double log_z, plot::Grid* grid) {
  std::transform(log_density.begin(), log_density.end(), grid->values.begin(),
                 [log_z](double value) { return std::exp(value - log_z); });
}

void AddUpdate(const TrainUpdate& update, plot::LossHistory* history) {
  const auto epoch = static_cast<double>(update.epoch);
  if (update.epoch <= 0) return;
  if (update.train_loss) history->train.push_back({epoch, *update.train_loss});
  if (update.validation_loss) history->validation.push_back({epoch, *update.validation_loss});
  if (update.best_loss) {
    history->best = plot::Point{static_cast<double>(update.best_epoch), *update.best_loss};
  }
  if (update.log_z_known) {
    history->bound = -*update.log_z_known;
    history->bound_label = "\u2212log Z (exact)";
  }
}

}  // namespace

PlotModel FindPlotModel(Context& context, const std::string& name, const std::string& dataset,
                        const std::string& at) {
  const std::string plain = PlainId(name, "models");
  const size_t hash = plain.find('#');
  PlotModel model = hash == std::string::npos ? FromVersion(context, plain, at)
                                              : FromSnapshot(context, plain, hash, at);
  if (model.query.at.cols > 0) {
    if (!dataset.empty()) FailUsage("--dataset: its rows are of all contexts, not of one");
    model.title += " at " + at;
    model.dataset.clear();
  }
  if (!dataset.empty()) model.dataset = PlainId(dataset, "datasets");
  if (model.dataset.empty()) return model;
  Result<Matrix> data = context.client().DownloadDataset(model.dataset);
  if (data.ok() && data->cols == model.dim) {
    model.data = *std::move(data);
  } else if (!dataset.empty()) {
    OrFail(data.status());
    FailInvalid("dataset " + dataset + " has " + std::to_string(data->cols) +
                " columns; the model's dim is " + std::to_string(model.dim));
  } else {
    Say("dataset " + model.dataset +
        " is not shown: " + (data.ok() ? "its columns do not match" : data.status().message));
  }
  return model;
}

std::vector<plot::Range> ColumnRanges(const Matrix& points, bool trimmed) {
  std::vector<plot::Range> ranges;
  for (int64_t column = 0; column < points.cols; ++column) {
    std::vector<double> values;
    for (int64_t row = 0; row < points.rows; ++row) values.push_back(points(row, column));
    const plot::Range range =
        trimmed ? plot::Range{plot::Quantile(values, 0.002), plot::Quantile(values, 0.998)}
                : plot::RangeOf(values);
    ranges.push_back(plot::Padded(range, trimmed ? 0.15 : 0.08));
  }
  return ranges;
}

std::vector<plot::Range> PlotRanges(Context& context, const PlotModel& model) {
  if (model.data) return ColumnRanges(*model.data, false);
  if (!model.target.empty()) {
    const Target target = FindTarget(context, model.target);
    std::vector<plot::Range> box;
    for (size_t i = 0; i < std::min(target.low.size(), target.high.size()); ++i) {
      box.push_back({target.low[i], target.high[i]});
    }
    if (static_cast<int64_t>(box.size()) == model.dim) return box;
  }
  return ColumnRanges(SampleRows(context, model.query, kRangeSamples), true);
}

plot::Grid ModelDensity(Context& context, const ModelQuery& query, plot::Range x, plot::Range y,
                        int cells) {
  plot::Grid grid = plot::SquareGrid(x, y, cells);
  FillDensity(LogDensity(context, query, plot::Centers(grid)), 0, &grid);
  return grid;
}

plot::Grid DataDensity(const Matrix& data, plot::Range x, plot::Range y) {
  const int64_t cells = std::clamp<int64_t>(data.rows / 3, 400, 10'000);
  plot::Grid grid = plot::SquareGrid(x, y, static_cast<int>(cells));
  plot::FillHistogram(data, 0, 1, &grid);
  return grid;
}

plot::Grid TargetDensity(Context& context, const Target& target, plot::Range x, plot::Range y,
                         int cells) {
  plot::Grid grid = plot::SquareGrid(x, y, cells);
  const std::vector<double> log_density =
      OrFail(context.client().EvaluateTarget(target.id, plot::Centers(grid)));
  FillDensity(log_density, target.log_z.value_or(0), &grid);
  if (target.log_z) return grid;
  double mass = 0;
  for (const double value : grid.values) mass += value * grid.cell_area();
  for (double& value : grid.values) value /= mass > 0 ? mass : 1;
  return grid;
}

Target FindTarget(Context& context, const std::string& id) {
  for (const Target& target : OrFail(context.client().ListTargets())) {
    if (target.id == id) return target;
  }
  Fail(Failure(Code::kNotFound, "there is no target " + id + "; `sluice target list` shows them"));
}

TrainJob FindPlotJob(Context& context, const std::string& name) {
  Result<TrainJob> job = context.client().GetTrainJob(PlainId(name, "trainJobs"));
  const bool may_be_model =
      job.status().code == Code::kNotFound || job.status().code == Code::kInvalidArgument;
  if (job.ok() || !may_be_model) return OrFail(std::move(job));
  const Result<Version> version = context.client().GetVersion(PlainId(name, "models"));
  // Of two things that are not there, the one asked for first is named.
  if (!version.ok() || version->train_job.empty()) Fail(job.status());
  return OrFail(context.client().GetTrainJob(PlainId(version->train_job, "trainJobs")));
}

plot::LossHistory FetchLosses(Context& context, const TrainJob& job) {
  plot::LossHistory history;
  if (!job.target.empty()) history.y_label = "loss: KL \u2212 log Z (nats)";
  if (job.last_sequence == 0) return history;
  const Status status = context.client().WatchTrainJob(job.id, 0, [&](const TrainUpdate& update) {
    AddUpdate(update, &history);
    // A job that still runs would be followed for ever.
    return update.sequence < job.last_sequence;
  });
  if (status.code != Code::kCancelled) OrFail(status);
  return history;
}

Matrix SampleRows(Context& context, const ModelQuery& query, int64_t rows) {
  Client::SampleOptions options;
  options.seed = kPictureSeed;
  options.context = query.at;
  return OrFail(context.client().Sample(query.name, rows, options)).x;
}

std::vector<double> LogDensity(Context& context, const ModelQuery& query, const Matrix& rows) {
  const Matrix asked = query.at.cols > 0 ? JoinColumns(rows, query.at) : rows;
  return OrFail(context.client().LogProb(query.name, asked)).log_prob;
}

}  // namespace sluice::cli

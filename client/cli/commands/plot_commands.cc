#include <algorithm>
#include <cmath>
#include <functional>
#include <memory>

#include "client/cli/command_failure.h"
#include "client/cli/commands/commands.h"
#include "client/cli/commands/context_option.h"
#include "client/cli/commands/evaluation_picture.h"
#include "client/cli/commands/film_command.h"
#include "client/cli/commands/plot_sources.h"
#include "client/cli/files/files.h"
#include "client/cli/files/table_file.h"
#include "client/cli/plot/corner_figure.h"
#include "client/cli/plot/curve_figure.h"
#include "client/cli/plot/density_figure.h"
#include "client/cli/plot/heatmap.h"

namespace sluice::cli {
namespace {

constexpr int kCells = 80'000;
constexpr int kCurvePoints = 800;
constexpr int64_t kCornerSamples = 50'000;

// Neither is worth a training's wait: found wrong before any work is done.
void CheckEnding(const std::string& path, const std::string& ending) {
  if (path != "-" && Ending(path) != ending) {
    FailUsage(path + ": this picture is written as ." + ending);
  }
}

// One curve of a density over [low, high].
plot::NamedCurve Curve(const std::string& name, plot::Range x,
                       const std::function<std::vector<double>(const Matrix&)>& log_density) {
  Matrix points{kCurvePoints, 1, {}, DType::kFloat64};
  for (int i = 0; i < kCurvePoints; ++i) {
    points.values.push_back(x.low + x.span() * i / (kCurvePoints - 1));
  }
  const std::vector<double> values = log_density(points);
  plot::NamedCurve curve{name, {}};
  for (int i = 0; i < kCurvePoints; ++i) {
    const auto at = static_cast<size_t>(i);
    curve.points.push_back({points.values[at], std::exp(values[at])});
  }
  return curve;
}

plot::NamedCurve ModelCurve(Context& context, const PlotModel& model, plot::Range x) {
  return Curve(model.title, x,
               [&](const Matrix& points) { return LogDensity(context, model.query, points); });
}

std::string DensityLine(Context& context, const PlotModel& model) {
  plot::CurvePicture picture;
  picture.title = model.title;
  picture.x = PlotRanges(context, model)[0];
  picture.curves.push_back(ModelCurve(context, model, picture.x));
  if (model.data) {
    picture.bars_name = "data: " + model.dataset;
    picture.bars = plot::Histogram(*model.data, 0, picture.x, 80);
  }
  return plot::DrawCurves(picture);
}

std::string DensityMap(Context& context, const PlotModel& model) {
  const std::vector<plot::Range> ranges = PlotRanges(context, model);
  plot::DensityPicture picture;
  picture.panels.push_back(
      {model.title, ModelDensity(context, model.query, ranges[0], ranges[1], kCells), true});
  picture.most = plot::BrightestOf(picture.panels[0].grid);
  if (model.data) {
    picture.panels.push_back(
        {"data: " + model.dataset, DataDensity(*model.data, ranges[0], ranges[1]), false});
    picture.most =
        std::max(picture.most, plot::BrightestOf(picture.panels[1].grid, plot::kOfHistogram));
  } else if (!model.target.empty()) {
    picture.panels.push_back(
        {"exact: " + model.target,
         TargetDensity(context, FindTarget(context, model.target), ranges[0], ranges[1], kCells),
         true});
    picture.most = plot::BrightestOf(picture.panels[1].grid);
  }
  return plot::DrawDensity(picture);
}

std::string DensityCorner(Context& context, const PlotModel& model) {
  if (model.dim > plot::kMostCornerColumns) {
    Say("only the first " + std::to_string(plot::kMostCornerColumns) + " of " +
        std::to_string(model.dim) + " coordinates are shown");
  }
  plot::CornerPicture picture;
  picture.title = model.title + (model.data ? " and dataset " + model.dataset : "");
  picture.model = SampleRows(context, model.query, kCornerSamples);
  picture.data = model.data;
  picture.names = ColumnNames("x", model.dim);
  return plot::DrawCorner(picture);
}

struct PlotOptions {
  std::string name, model, dataset, context, out;
};

void PlotDensity(Context& context, const PlotOptions& options) {
  CheckEnding(options.out, "png");
  const PlotModel model = FindPlotModel(context, options.name, options.dataset, options.context);
  OrFail(WriteFile(options.out, model.dim == 1   ? DensityLine(context, model)
                                : model.dim == 2 ? DensityMap(context, model)
                                                 : DensityCorner(context, model)));
}

void PlotLoss(Context& context, const std::string& name, const std::string& out) {
  CheckEnding(out, "png");
  const TrainJob job = FindPlotJob(context, name);
  const plot::LossHistory history = FetchLosses(context, job);
  if (history.train.empty() && history.validation.empty()) {
    Fail(Failure(Code::kFailedPrecondition,
                 "job " + job.id + " (" + NameOf(job.state) + ") has no losses yet"));
  }
  const std::string source =
      job.dataset.empty() ? "target " + job.target : "dataset " + job.dataset;
  OrFail(WriteFile(
      out, plot::DrawLoss(history, "Training " + job.model + " on " + source + ", job " + job.id)));
}

std::string TargetLine(Context& context, const Target& target, const PlotModel* model,
                       plot::Range x) {
  plot::CurvePicture picture;
  picture.title = "target " + target.id;
  picture.x = x;
  picture.curves.push_back(Curve("exact", x, [&](const Matrix& points) {
    std::vector<double> values = OrFail(context.client().EvaluateTarget(target.id, points));
    for (double& value : values) value -= target.log_z.value_or(0);
    return values;
  }));
  if (model != nullptr) picture.curves.push_back(ModelCurve(context, *model, x));
  return plot::DrawCurves(picture);
}

std::string TargetMap(Context& context, const Target& target, const PlotModel* model, plot::Range x,
                      plot::Range y) {
  plot::DensityPicture picture;
  picture.panels.push_back(
      {"exact: " + target.id, TargetDensity(context, target, x, y, kCells), true});
  picture.most = plot::BrightestOf(picture.panels[0].grid);
  if (model != nullptr) {
    picture.panels.push_back(
        {model->title, ModelDensity(context, model->query, x, y, kCells), true});
  }
  return plot::DrawDensity(picture);
}

void PlotTarget(Context& context, const PlotOptions& options) {
  CheckEnding(options.out, "png");
  if (options.model.empty() && !options.context.empty()) FailUsage("--context goes with --model");
  const Target target = FindTarget(context, PlainId(options.name, "targets"));
  PlotModel model;
  if (!options.model.empty()) model = FindPlotModel(context, options.model, "", options.context);
  if (!options.model.empty() && model.dim != target.dim) {
    FailInvalid("target " + target.id + " has dim " + std::to_string(target.dim) + ", the model " +
                std::to_string(model.dim));
  }
  if (target.dim > 2 || target.low.size() < static_cast<size_t>(target.dim) ||
      target.high.size() != target.low.size()) {
    FailInvalid(
        "targets of one and two coordinates can be drawn; `plot density MODEL` draws samples");
  }
  const PlotModel* fitted = options.model.empty() ? nullptr : &model;
  const plot::Range x{target.low[0], target.high[0]};
  OrFail(WriteFile(options.out, target.dim == 1 ? TargetLine(context, target, fitted, x)
                                                : TargetMap(context, target, fitted, x,
                                                            {target.low[1], target.high[1]})));
}

CLI::Option* AddOutput(CLI::App* command, std::string* out, const char* ending) {
  return command->add_option("-o,--output", *out, std::string("*.") + ending + ", or - for stdout")
      ->required();
}

}  // namespace

void AddPlotCommands(CLI::App& app, Context& context) {
  CLI::App* group = app.add_subcommand("plot", "Pictures: PNG, and GIF where time passes");
  group->require_subcommand(1);
  auto options = std::make_shared<PlotOptions>();

  CLI::App* loss = group->add_subcommand("loss", "A job's losses over its epochs");
  loss->add_option("JOB", options->name, "Or a model: the job that trained it")->required();
  AddOutput(loss, &options->out, "png");
  loss->callback([&context, options] { PlotLoss(context, options->name, options->out); });

  CLI::App* density = group->add_subcommand("density", "A model's density beside its data's");
  density->add_option("MODEL", options->name, "NAME, NAME@VERSION or JOB#EPOCH")->required();
  density->add_option("--dataset", options->dataset,
                      "Drawn beside it; else what it was trained on");
  AddOutput(density, &options->out, "png");
  AddContextOption(*density, &options->context);
  density->callback([&context, options] { PlotDensity(context, *options); });

  CLI::App* target = group->add_subcommand("target", "A target, exact beside fitted");
  target->add_option("TARGET", options->name)->required();
  target->add_option("--model", options->model, "NAME or NAME@VERSION");
  AddOutput(target, &options->out, "png");
  AddContextOption(*target, &options->context);
  target->callback([&context, options] { PlotTarget(context, *options); });

  auto fit = std::make_shared<EvaluateCommand>();
  CLI::App* evaluate =
      group->add_subcommand("evaluate", "How well a model fits: ranks and coverage, or weights");
  AddEvaluateOptions(*evaluate, fit.get());
  AddOutput(evaluate, &fit->picture, "png");
  evaluate->callback([&context, fit] {
    OrFail(WriteFile(fit->picture, DrawEvaluation(Evaluate(context, *fit), *fit)));
  });

  auto film_options = std::make_shared<FilmOptions>();
  CLI::App* film = group->add_subcommand("film", "A model learning, as an animated GIF");
  film->add_option("MODEL", film_options->model)->required();
  film->add_option("--job", film_options->job, "Of which the snapshots are shown");
  film->add_option("--dataset", film_options->dataset, "Drawn beside it");
  AddContextOption(*film, &film_options->context);
  AddOutput(film, &film_options->out, "gif");
  film->callback([&context, film_options] {
    CheckEnding(film_options->out, "gif");
    WriteFilm(context, *film_options);
  });
}

}  // namespace sluice::cli

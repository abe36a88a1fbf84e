#include "client/cli/commands/evaluation_picture.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "client/cli/command_failure.h"
#include "client/cli/files/files.h"
#include "client/cli/plot/evaluation_figure.h"
#include "client/cli/term/evaluation_view.h"
#include "client/cli/term/format.h"
#include "client/cli/validators.h"

namespace sluice::cli {
namespace {

std::string TitleOf(const Evaluation& evaluation, const EvaluateCommand& command) {
  const std::string prefix = "models/";
  std::string name = evaluation.version;
  if (name.compare(0, prefix.size(), prefix) == 0) name = name.substr(prefix.size());
  const size_t slash = name.find("/versions/");
  if (slash != std::string::npos)
    name = name.substr(0, slash) + ", version " + name.substr(slash + 10);
  return name + " beside " + AgainstText(command);
}

std::vector<plot::RankCurve> CurvesOf(const std::vector<Ranks>& columns) {
  std::vector<plot::RankCurve> curves;
  for (const Ranks& ranks : columns) {
    curves.push_back({"x" + std::to_string(ranks.column + 1), ranks.counts});
  }
  return curves;
}

// Rows that are ranked among this many draws are as sure as these rows of a known law.
double AsOneSample(double rows, double draws) { return rows * draws / std::max(rows + draws, 1.0); }

std::string NoteOf(const DatasetFit& fit) {
  std::string note = "log-likelihood " + FormatNumber(fit.log_likelihood.mean, 4) + " nats a row";
  if (fit.two_sample_rows == 0) return note;
  return note + "; a classifier is right of " +
         FormatNumber(100 * fit.two_sample_accuracy.mean, 3) + " % of rows and draws";
}

std::string DrawFit(const DatasetFit& fit, const std::string& title) {
  plot::CalibrationPicture picture{title, NoteOf(fit), {}};
  const bool conditional = !fit.calibration.empty();
  const auto rows = static_cast<double>(fit.rows), draws = static_cast<double>(fit.draws);
  const std::string share = "share of rows";
  picture.panels.push_back({"Columns", "rank among all draws", share,
                            AsOneSample(rows, conditional ? rows : draws), CurvesOf(fit.columns)});
  if (conditional) {
    picture.panels.push_back({"Columns at their context", "rank among draws at the context", share,
                              rows, CurvesOf(fit.calibration)});
  }
  picture.panels.push_back({"Regions of highest density",
                            "mass of the region",
                            share + " inside",
                            conditional ? rows : AsOneSample(rows, draws),
                            {{"", fit.regions.counts}}});
  return plot::DrawCalibration(picture);
}

std::string DrawFit(const TargetFit& fit, const std::string& title) {
  plot::WeightPicture picture;
  picture.title = title;
  picture.draws = fit.weights.draws;
  picture.log_weights = fit.weights.tail;
  picture.note = WeightsText(fit.weights);
  return plot::DrawWeights(picture);
}

}  // namespace

void AddEvaluateOptions(CLI::App& app, EvaluateCommand* command) {
  Client::EvaluateOptions& options = command->options;
  app.add_option("MODEL", command->model, "NAME, NAME@VERSION or JOB#EPOCH")->required();
  CLI::Option* dataset =
      app.add_option("--dataset", options.dataset, "Rows to compare the model with, or");
  CLI::Option* target = app.add_option("--target", options.target, "a target");
  dataset->excludes(target);
  app.add_option("--rows", options.rows,
                 "At most this many of the dataset's (10,000; of a conditional model 1,000)")
      ->check(AtLeastOne());
  app.add_option("--draws", options.draws,
                 "Of the model (10,000, or as many as rows; of a conditional model 100 at the\n"
                 "context of each)")
      ->check(AtLeastOne());
  app.add_option("--seed", options.seed, "Of everything random (0)");
  const auto of_rows = [target](CLI::Option* option) { option->excludes(target); };
  of_rows(app.add_flag("--held-out", options.held_out,
                       "Only rows that the version's own training held out"));
  of_rows(app.add_option("--weights", options.weight_column,
                         "Column of the dataset, by name or number from 0, that weighs the rows"));
  of_rows(app.add_flag("--dequantize", options.dequantize,
                       "Noise on discrete columns, as a training with --degenerate dequantize"));
}

Evaluation Evaluate(Context& context, const EvaluateCommand& command) {
  Client::EvaluateOptions options = command.options;
  options.dataset = PlainId(options.dataset, "datasets");
  options.target = PlainId(options.target, "targets");
  if (options.dataset.empty() && options.target.empty()) {
    FailUsage("give --dataset or --target");
  }
  if (!options.target.empty() && options.rows > 0) FailUsage("--rows is of a dataset; see --draws");
  if (!command.picture.empty() && command.picture != "-" && Ending(command.picture) != "png") {
    FailUsage(command.picture + ": this picture is written as .png");
  }
  return OrFail(context.client().Evaluate(PlainId(command.model, "models"), options));
}

std::string AgainstText(const EvaluateCommand& command) {
  return command.options.target.empty() ? "dataset " + PlainId(command.options.dataset, "datasets")
                                        : "target " + PlainId(command.options.target, "targets");
}

std::string DrawEvaluation(const Evaluation& evaluation, const EvaluateCommand& command) {
  const std::string title = TitleOf(evaluation, command);
  if (evaluation.dataset) return DrawFit(*evaluation.dataset, title);
  if (evaluation.target) return DrawFit(*evaluation.target, title);
  Fail(Failure(Code::kInternal, "the server's reply holds neither kind of fit"));
}

}  // namespace sluice::cli

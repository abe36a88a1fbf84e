#include <memory>

#include "client/cli/command_failure.h"
#include "client/cli/commands/commands.h"
#include "client/cli/commands/context_option.h"
#include "client/cli/commands/table_output.h"
#include "client/cli/files/files.h"
#include "client/cli/files/npy.h"
#include "client/cli/files/table_file.h"

namespace sluice::cli {
namespace {

Matrix Column(const std::vector<double>& values, DType dtype) {
  return {static_cast<int64_t>(values.size()), 1, values, dtype};
}

DType ModelType(Context& context, const std::string& model) {
  // A snapshot ("JOB#EPOCH") has no version to ask.
  const Result<Version> version = context.client().GetVersion(model);
  return version.ok() ? version->spec.dtype : DType::kFloat64;
}

struct PointsCommand {
  std::string model, in = "-", in_format, context;
  TableOutput out;
  bool to_base = false, from_base = false;
  std::string layers, ladj;
};

void AddPointsOptions(CLI::App& sub, PointsCommand* command) {
  sub.add_option("MODEL", command->model, "NAME or NAME@VERSION")->required();
  sub.add_option("--in", command->in, "*.npy, *.csv, or - for stdin")->capture_default_str();
  sub.add_option("--format-in", command->in_format, "npy or csv, whatever the file's name");
  AddContextOption(sub, &command->context);
  AddTableOutput(sub, &command->out);
}

Matrix ReadPoints(const PointsCommand& command) {
  return WithContext(OrFail(ReadTable(command.in, command.in_format)), command.context);
}

void LogProb(Context& context, const PointsCommand& command) {
  CheckTableOutput(command.out);
  const std::string model = PlainId(command.model, "models");
  const Matrix points = ReadPoints(command);
  const LogProbs scores = OrFail(context.client().LogProb(model, points));
  const Matrix column = Column(scores.log_prob, ModelType(context, model));
  OrFail(WriteTable(command.out.file, command.out.format, column, {"log_prob"}));
  SayNotFinite(scores.not_finite);
}

// [layers, n, dim]: what a table cannot hold.
void WriteLayers(const std::string& path, const Images& images) {
  std::vector<double> values;
  for (const Matrix& layer : images.layers) {
    values.insert(values.end(), layer.values.begin(), layer.values.end());
  }
  const std::vector<int64_t> shape{static_cast<int64_t>(images.layers.size()), images.points.rows,
                                   images.points.cols};
  OrFail(WriteFile(path, EncodeNpy(shape, values, images.points.dtype)));
}

void Transform(Context& context, const PointsCommand& command) {
  CheckTableOutput(command.out);
  if (!command.layers.empty() && command.layers != "-" && Ending(command.layers) != "npy") {
    FailUsage("--layers writes an .npy file of shape [layers, rows, dim]");
  }
  const std::string model = PlainId(command.model, "models");
  const Matrix points = ReadPoints(command);
  const Direction direction = command.to_base ? Direction::kToBase : Direction::kFromBase;
  const Images images =
      OrFail(context.client().Transform(model, direction, points, !command.layers.empty()));
  const std::string letter = command.to_base ? "z" : "x";
  OrFail(WriteTable(command.out.file, command.out.format, images.points,
                    ColumnNames(letter, images.points.cols)));
  if (!command.ladj.empty()) {
    OrFail(WriteTable(command.ladj, "", Column(images.ladj, images.points.dtype), {"ladj"}));
  }
  if (!command.layers.empty()) WriteLayers(command.layers, images);
  SayNotFinite(images.not_finite);
}

void AddTransform(CLI::App& app, Context& context) {
  auto command = std::make_shared<PointsCommand>();
  CLI::App* sub = app.add_subcommand("transform", "Map points between data and base space");
  AddPointsOptions(*sub, command.get());
  CLI::Option* to = sub->add_flag("--to-base", command->to_base, "x to z");
  CLI::Option* from = sub->add_flag("--from-base", command->from_base, "z to x");
  to->excludes(from);
  sub->add_option("--layers", command->layers, "Also the points after every layer, into this .npy");
  sub->add_option("--ladj", command->ladj, "Also log|det J| of each row, into this file");
  sub->callback([&context, command] {
    if (command->to_base == command->from_base) FailUsage("give --to-base or --from-base");
    Transform(context, *command);
  });
}

}  // namespace

void AddInferenceCommands(CLI::App& app, Context& context) {
  auto command = std::make_shared<PointsCommand>();
  CLI::App* sub = app.add_subcommand("log-prob", "Score points under a model, in nats");
  AddPointsOptions(*sub, command.get());
  sub->callback([&context, command] { LogProb(context, *command); });
  AddTransform(app, context);
}

}  // namespace sluice::cli

#include <memory>

#include "client/cli/command_failure.h"
#include "client/cli/commands/commands.h"
#include "client/cli/commands/evaluation_picture.h"
#include "client/cli/files/files.h"
#include "client/cli/term/evaluation_view.h"

namespace sluice::cli {
namespace {

void RunEvaluate(Context& context, const EvaluateCommand& command) {
  const Evaluation evaluation = Evaluate(context, command);
  if (!command.picture.empty()) {
    OrFail(WriteFile(command.picture, DrawEvaluation(evaluation, command)));
  }
  // Stdout is the picture's.
  if (command.picture == "-") return;
  if (context.json()) return PrintJson(ToJson(evaluation));
  PrintEvaluation(evaluation, AgainstText(command));
  for (const std::string& note : evaluation.notes) Say("note: " + note);
}

struct SelfTestCommand {
  std::string model;
  Client::SelfTestOptions options;
};

void RunSelfTest(Context& context, const SelfTestCommand& command) {
  const SelfTestReport report =
      OrFail(context.client().SelfTest(PlainId(command.model, "models"), command.options));
  context.json() ? PrintJson(ToJson(report)) : PrintSelfTest(report);
  if (report.passed) return;
  std::string broken;
  for (const Law& law : report.laws) {
    if (law.passed) continue;
    if (!broken.empty()) broken += ", ";
    broken += law.name;
  }
  Fail(Failure(Code::kDataLoss, report.version + " breaks laws of a flow: " + broken));
}

}  // namespace

void AddEvaluateCommands(CLI::App& app, Context& context) {
  auto evaluate = std::make_shared<EvaluateCommand>();
  CLI::App* sub = app.add_subcommand("evaluate", "How well a model fits a dataset or a target");
  AddEvaluateOptions(*sub, evaluate.get());
  sub->add_option("-o,--output", evaluate->picture, "Also a picture, as *.png; - for it alone");
  sub->callback([&context, evaluate] { RunEvaluate(context, *evaluate); });

  auto test = std::make_shared<SelfTestCommand>();
  sub = app.add_subcommand("selftest", "Whether a model keeps the laws of a flow; exit code 1: no");
  sub->add_option("MODEL", test->model, "NAME, NAME@VERSION or JOB#EPOCH")->required();
  sub->add_option("--draws", test->options.draws, "To measure on (4,000), at least 100");
  sub->add_option("--seed", test->options.seed, "Of the draws (0)");
  sub->callback([&context, test] { RunSelfTest(context, *test); });
}

}  // namespace sluice::cli

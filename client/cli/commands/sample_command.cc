#include <unistd.h>

#include <iostream>
#include <memory>
#include <utility>

#include "client/cli/command_failure.h"
#include "client/cli/commands/commands.h"
#include "client/cli/commands/context_option.h"
#include "client/cli/commands/corrected_sample.h"
#include "client/cli/commands/table_output.h"
#include "client/cli/files/table_writer.h"
#include "client/cli/term/format.h"
#include "client/cli/term/row_progress.h"

namespace sluice::cli {
namespace {

struct SampleCommand {
  std::string model;
  int64_t rows = 1000;
  std::string context;
  Client::SampleOptions options;
  CorrectedSample corrected;
  TableOutput out;
};

Matrix WithColumn(const Matrix& matrix, const std::vector<double>& column) {
  Matrix wider{matrix.rows, matrix.cols + 1, {}, matrix.dtype};
  wider.values.reserve(matrix.values.size() + column.size());
  for (int64_t row = 0; row < matrix.rows; ++row) {
    const auto first = matrix.values.begin() + row * matrix.cols;
    wider.values.insert(wider.values.end(), first, first + matrix.cols);
    wider.values.push_back(column[static_cast<size_t>(row)]);
  }
  return wider;
}

TableShape ShapeOf(const SampleCommand& command, const Samples& first) {
  TableShape shape{command.rows, first.x.cols, first.x.dtype, ColumnNames("x", first.x.cols)};
  if (command.options.with_log_prob) {
    ++shape.cols;
    shape.names.push_back("log_prob");
  }
  return shape;
}

// Rows that scroll over the terminal are progress enough.
Terminal TerminalFor(const TableOutput& out) {
  Terminal terminal = DetectStderr();
  if (out.file == "-" && isatty(STDOUT_FILENO) == 1) terminal.interactive = false;
  return terminal;
}

void SampleTarget(Context& context, const SampleCommand& command) {
  if (command.options.with_log_prob || command.options.first_row != 0) {
    FailUsage("--log-prob and --first-row do not go with --correct");
  }
  CorrectedSample corrected = command.corrected;
  corrected.options.seed = command.options.seed;
  WriteCorrected(context, PlainId(command.model, "models"), command.rows, corrected, command.out);
}

void Sample(Context& context, const SampleCommand& command) {
  CheckTableOutput(command.out);
  CheckCorrection(command.corrected);
  if (!command.corrected.method.empty()) return SampleTarget(context, command);
  const auto table = OrFail(TableWriter::Open(command.out.file, command.out.format));
  Samples last;
  int64_t rows = 0, not_finite = 0;
  {
    RowProgress progress(command.rows, TerminalFor(command.out), RowProgress::Clock::now(),
                         std::cerr);
    const auto write = [&](const Samples& chunk) {
      Status status;
      if (last.version.empty()) status = table->Begin(ShapeOf(command, chunk));
      last.version = chunk.version;
      last.seed = chunk.seed;
      if (!status.ok()) return status;
      rows += chunk.x.rows;
      not_finite += chunk.not_finite;
      status = table->Append(command.options.with_log_prob ? WithColumn(chunk.x, chunk.log_prob)
                                                           : chunk.x);
      progress.Show(rows, RowProgress::Clock::now());
      return status;
    };
    OrFail(context.client().StreamSample(PlainId(command.model, "models"), command.rows,
                                         command.options, write));
  }
  OrFail(table->Close());
  Say(FormatCount(rows) + " rows of " + last.version + ", seed " + std::to_string(last.seed));
  SayNotFinite(not_finite);
}

}  // namespace

void AddSampleCommand(CLI::App& app, Context& context) {
  auto command = std::make_shared<SampleCommand>();
  CLI::App* sub = app.add_subcommand("sample", "Draw points from a model");
  sub->add_option("MODEL", command->model, "NAME or NAME@VERSION")->required();
  sub->add_option("-n,--rows", command->rows,
                  "How many (1000; with rows of context, as many as they are)");
  sub->add_option("--seed", command->options.seed, "The same rows again; drawn otherwise");
  sub->add_option("--first-row", command->options.first_row, "Skip this many of the seed's rows");
  sub->add_flag("--log-prob", command->options.with_log_prob, "Adds a last column log_prob");
  AddContextOption(*sub, &command->context);
  AddCorrectionOptions(*sub, &command->corrected);
  AddTableOutput(*sub, &command->out);
  sub->callback([&context, sub, command] {
    command->options.context = ReadContext(command->context);
    const int64_t given = command->options.context.rows;
    if (given > 1 && sub->count("--rows") == 0) command->rows = given;
    Sample(context, *command);
  });
}

}  // namespace sluice::cli

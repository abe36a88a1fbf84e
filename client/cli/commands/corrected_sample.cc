#include "client/cli/commands/corrected_sample.h"

#include <cstdio>

#include "client/cli/command_failure.h"
#include "client/cli/files/table_writer.h"
#include "client/cli/term/evaluation_view.h"
#include "client/cli/term/format.h"
#include "client/cli/validators.h"

namespace sluice::cli {
namespace {

Correction MethodOf(const std::string& name) {
  if (name == "resample") return Correction::kResample;
  return name == "mcmc" ? Correction::kMcmc : Correction::kImportance;
}

// The weights are doubles, whatever the rows are.
Matrix WithWeights(const CorrectedSamples& samples) {
  Matrix wide{samples.x.rows, samples.x.cols + 1, {}, DType::kFloat64};
  for (int64_t row = 0; row < samples.x.rows; ++row) {
    for (int64_t i = 0; i < samples.x.cols; ++i) wide.values.push_back(samples.x(row, i));
    wide.values.push_back(samples.log_weight[static_cast<size_t>(row)]);
  }
  return wide;
}

void SayHowItWent(const CorrectedSamples& samples, const CorrectedSample& asked) {
  Say(FormatCount(samples.x.rows) + " rows of target " + asked.target + " by " + samples.version +
      ", " + asked.method + ", seed " + std::to_string(samples.seed));
  Say(WeightsText(samples.weights));
  if (samples.acceptance_rate) {
    Say("acceptance rate " + FormatNumber(*samples.acceptance_rate, 3) + " over " +
        FormatCount(samples.chains) + " chains; the longest stay on one row " +
        FormatCount(samples.longest_stay) + " steps");
  }
  if (asked.method != "importance") {
    Say(FormatCount(samples.distinct_rows) + " of the rows are distinct draws");
  }
  for (const std::string& note : samples.notes) Say("note: " + note);
}

}  // namespace

void AddCorrectionOptions(CLI::App& command, CorrectedSample* sample) {
  command
      .add_option("--correct", sample->method,
                  "Draw from --target instead, by way of the model: importance (adds a last\n"
                  "column log_weight), resample or mcmc")
      ->check(CLI::IsMember({"importance", "resample", "mcmc"}));
  command.add_option("--target", sample->target, "Of --correct");
  command
      .add_option("--draws", sample->options.draws,
                  "resample: draws to choose from (ten for each row)")
      ->check(AtLeastOne());
  command.add_option("--chains", sample->options.chains, "mcmc (100)")->check(AtLeastOne());
  command.add_option("--burn-in", sample->options.burn_in,
                     "mcmc: steps of each chain that are not kept (200)");
}

void CheckCorrection(const CorrectedSample& sample) {
  const Client::CorrectionOptions& options = sample.options;
  if (sample.method.empty()) {
    if (!sample.target.empty()) FailUsage("--target needs --correct");
    if (options.draws != 0 || options.chains != 0 || options.burn_in) {
      FailUsage("--draws, --chains and --burn-in need --correct");
    }
    return;
  }
  if (sample.target.empty()) FailUsage("--correct needs --target");
  if (options.draws != 0 && sample.method != "resample") {
    FailUsage("--draws is of --correct resample");
  }
  if ((options.chains != 0 || options.burn_in) && sample.method != "mcmc") {
    FailUsage("--chains and --burn-in are of --correct mcmc");
  }
}

void WriteCorrected(Context& context, const std::string& model, int64_t rows,
                    const CorrectedSample& sample, const TableOutput& out) {
  const auto table = OrFail(TableWriter::Open(out.file, out.format));
  CorrectedSample asked = sample;
  asked.target = PlainId(sample.target, "targets");
  asked.options.method = MethodOf(sample.method);
  const CorrectedSamples samples =
      OrFail(context.client().SampleCorrected(model, asked.target, rows, asked.options));
  const Matrix written = samples.log_weight.empty() ? samples.x : WithWeights(samples);
  TableShape shape{written.rows, written.cols, written.dtype, ColumnNames("x", samples.x.cols)};
  if (!samples.log_weight.empty()) shape.names.push_back("log_weight");
  OrFail(table->Begin(shape));
  OrFail(table->Append(written));
  OrFail(table->Close());
  SayHowItWent(samples, asked);
}

}  // namespace sluice::cli

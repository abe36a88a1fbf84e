#include "client/src/call.h"
#include "client/src/client_impl.h"
#include "client/src/decode.h"
#include "client/src/names.h"
#include "client/src/tensor.h"

namespace sluice {
namespace {

using EvaluationStub = v1::EvaluationService::StubInterface;

v1::Correction EncodeCorrection(Correction method) {
  switch (method) {
    case Correction::kImportance:
      return v1::CORRECTION_IMPORTANCE;
    case Correction::kResample:
      return v1::CORRECTION_RESAMPLE;
    case Correction::kMcmc:
      return v1::CORRECTION_MCMC;
  }
  return v1::CORRECTION_UNSPECIFIED;
}

Result<CorrectedSamples> DecodeSamples(const v1::SampleCorrectedResponse& in) {
  CorrectedSamples out;
  const Result<int64_t> rows = AppendRows(in.x(), &out.x);
  if (!rows.ok()) return rows.status();
  if (in.has_log_weight()) {
    Status status = AppendVector(in.log_weight(), *rows, &out.log_weight);
    if (!status.ok()) return status;
  }
  out.version = in.version();
  out.seed = in.seed();
  out.weights = DecodeWeights(in.weights());
  out.distinct_rows = in.distinct_rows();
  if (in.has_acceptance_rate()) out.acceptance_rate = in.acceptance_rate();
  out.chains = in.chains();
  out.longest_stay = in.longest_stay();
  out.notes = {in.notes().begin(), in.notes().end()};
  return out;
}

}  // namespace

Result<Evaluation> ClientImpl::Evaluate(const std::string& model, const EvaluateOptions& options) {
  // The wire has room for one alone.
  if (!options.dataset.empty() && !options.target.empty()) {
    return Failure(Code::kInvalidArgument, "give a dataset or a target, not both");
  }
  v1::EvaluateRequest request;
  request.set_model(ServableName(model));
  if (!options.dataset.empty()) request.set_dataset(DatasetName(options.dataset));
  if (!options.target.empty()) request.set_target(TargetName(options.target));
  request.set_rows(options.rows);
  request.set_draws(options.draws);
  request.set_seed(options.seed);
  request.set_held_out(options.held_out);
  request.set_weight_column(options.weight_column);
  request.set_dequantize(options.dequantize);
  const auto reply = Call(*stubs_.evaluation, &EvaluationStub::Evaluate, request, options_.timeout);
  return Then(reply, DecodeEvaluation);
}

Result<SelfTestReport> ClientImpl::SelfTest(const std::string& model,
                                            const SelfTestOptions& options) {
  v1::SelfTestRequest request;
  request.set_model(ServableName(model));
  request.set_draws(options.draws);
  request.set_seed(options.seed);
  return Then(Call(*stubs_.evaluation, &EvaluationStub::SelfTest, request, options_.timeout),
              DecodeSelfTest);
}

Result<CorrectedSamples> ClientImpl::SampleCorrected(const std::string& model,
                                                     const std::string& target, int64_t rows,
                                                     const CorrectionOptions& options) {
  v1::SampleCorrectedRequest request;
  request.set_model(ServableName(model));
  request.set_target(TargetName(target));
  request.set_rows(rows);
  request.set_correction(EncodeCorrection(options.method));
  if (options.seed) request.set_seed(*options.seed);
  request.set_draws(options.draws);
  request.set_chains(options.chains);
  if (options.burn_in) request.set_burn_in(*options.burn_in);
  const auto reply =
      Call(*stubs_.evaluation, &EvaluationStub::SampleCorrected, request, options_.timeout);
  if (!reply.ok()) return reply.status();
  Result<CorrectedSamples> samples = DecodeSamples(*reply);
  if (samples.ok() && samples->x.rows != rows) {
    return MalformedReply(std::to_string(samples->x.rows) + " rows for " + std::to_string(rows));
  }
  return samples;
}

}  // namespace sluice

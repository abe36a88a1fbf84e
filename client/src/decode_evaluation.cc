#include "client/src/decode.h"

namespace sluice {
namespace {

MeanError DecodeMean(const v1::MeanError& in) { return {in.mean(), in.error()}; }

// An origin that this client does not know is none that it can vouch for.
RowsOrigin DecodeOrigin(v1::RowsOrigin in) {
  switch (in) {
    case v1::ROWS_ORIGIN_HELD_OUT:
      return RowsOrigin::kHeldOut;
    case v1::ROWS_ORIGIN_OTHER_DATASET:
      return RowsOrigin::kOtherDataset;
    case v1::ROWS_ORIGIN_TRAINED_ON:
      return RowsOrigin::kTrainedOn;
    default:
      return RowsOrigin::kUnknown;
  }
}

Ranks DecodeRanks(const v1::Ranks& in) {
  return {in.column(), in.ks_distance(), in.p_value(), {in.counts().begin(), in.counts().end()}};
}

DatasetFit DecodeFit(const v1::DatasetFit& in) {
  DatasetFit out;
  out.origin = DecodeOrigin(in.origin());
  out.rows = in.rows();
  out.draws = in.draws();
  out.log_likelihood = DecodeMean(in.log_likelihood());
  out.rows_without_density = in.rows_without_density();
  out.two_sample_accuracy = DecodeMean(in.two_sample().accuracy());
  out.two_sample_p_value = in.two_sample().p_value();
  out.two_sample_rows = in.two_sample().rows_each();
  for (const auto& column : in.columns()) out.columns.push_back(DecodeRanks(column));
  for (const auto& column : in.calibration()) out.calibration.push_back(DecodeRanks(column));
  for (const auto& level : in.coverage()) {
    out.coverage.push_back({level.level(), DecodeMean(level.covered())});
  }
  out.regions = DecodeRanks(in.regions());
  return out;
}

TargetFit DecodeFit(const v1::TargetFit& in) {
  TargetFit out;
  if (in.has_kl()) out.kl = DecodeMean(in.kl());
  if (in.has_log_z_known()) out.log_z_known = in.log_z_known();
  out.weights = DecodeWeights(in.weights());
  return out;
}

}  // namespace

WeightStatistics DecodeWeights(const v1::Weights& in) {
  WeightStatistics out;
  out.draws = in.draws();
  out.outside = in.outside();
  if (in.has_log_z()) out.log_z = DecodeMean(in.log_z());
  out.ess = in.ess();
  if (in.has_pareto_k()) out.pareto_k = in.pareto_k();
  out.largest_share = in.largest_share();
  out.tail = {in.tail().begin(), in.tail().end()};
  return out;
}

Evaluation DecodeEvaluation(const v1::EvaluateResponse& in) {
  Evaluation out;
  out.version = in.version();
  out.seed = in.seed();
  if (in.has_dataset()) out.dataset = DecodeFit(in.dataset());
  if (in.has_target()) out.target = DecodeFit(in.target());
  out.notes = {in.notes().begin(), in.notes().end()};
  return out;
}

SelfTestReport DecodeSelfTest(const v1::SelfTestResponse& in) {
  SelfTestReport out;
  out.version = in.version();
  out.seed = in.seed();
  out.passed = in.passed();
  for (const auto& law : in.laws()) {
    out.laws.push_back({law.law(), law.description(), law.checked(), law.passed(), law.measured(),
                        law.tolerance()});
  }
  return out;
}

}  // namespace sluice

#include "server/rpc/encode_evaluation.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "server/rpc/encode_tensor.h"

namespace sluiced::rpc {
namespace {

// Vehtari et al. 2024: above it, means by the weights are not to be believed.
constexpr double kMostTrustedK = 0.7;
constexpr char kOwnDraws[] =
    "measured on draws of the model itself: what of the target it misses altogether shows in none "
    "of this, and makes all of it look too good";

void EncodeMean(const evaluation::MeanError& mean, v1::MeanError* out) {
  out->set_mean(mean.mean);
  out->set_error(mean.error);
}

void EncodeRanks(const evaluation::Uniformity& ranks, int64_t column, v1::Ranks* out) {
  out->set_column(column);
  out->set_ks_distance(ranks.ks.distance);
  out->set_p_value(ranks.ks.p_value);
  out->mutable_counts()->Add(ranks.counts.begin(), ranks.counts.end());
}

void EncodeColumns(const std::vector<evaluation::Uniformity>& columns,
                   google::protobuf::RepeatedPtrField<v1::Ranks>* out) {
  for (size_t i = 0; i < columns.size(); ++i) {
    EncodeRanks(columns[i], static_cast<int64_t>(i), out->Add());
  }
}

void EncodeWeights(const evaluation::WeightSummary& weights, v1::Weights* out) {
  out->set_draws(weights.draws);
  out->set_outside(weights.outside);
  if (weights.log_z) EncodeMean({*weights.log_z, *weights.log_z_error}, out->mutable_log_z());
  out->set_ess(weights.ess);
  if (weights.pareto_k) out->set_pareto_k(*weights.pareto_k);
  out->set_largest_share(weights.largest_share);
  out->mutable_tail()->Add(weights.tail.begin(), weights.tail.end());
}

template <typename Response>
void NoteWeights(const evaluation::WeightSummary& weights, Response* out) {
  if (weights.pareto_k.value_or(0) > kMostTrustedK) {
    out->add_notes(
        absl::StrFormat("Pareto k of %.2f is above 0.7: few draws carry most of the "
                        "weight, and the numbers made of weights are not to be trusted",
                        *weights.pareto_k));
  }
  if (weights.outside > 0) {
    out->add_notes(absl::StrCat(weights.outside, " of ", weights.draws,
                                " draws lie off the target's support or are not finite"));
  }
  out->add_notes(kOwnDraws);
}

// The mean weight of draws that miss a part of the target is that of the rest.
void NoteMissedMass(const evaluation::TargetFit& fit, v1::EvaluateResponse* out) {
  constexpr double kErrors = 5;
  if (!fit.log_z_known || !fit.weights.log_z) return;
  const double short_of = *fit.log_z_known - *fit.weights.log_z;
  if (short_of < kErrors * *fit.weights.log_z_error) return;
  out->add_notes(
      absl::StrFormat("the draws find %.0f %% of the known Z: the model misses parts of the target",
                      100 * std::exp(-short_of)));
}

}  // namespace

void EncodeFit(const evaluation::RowsFit& fit, v1::EvaluateResponse* out) {
  v1::DatasetFit& into = *out->mutable_dataset();
  into.set_rows(fit.rows);
  into.set_draws(fit.draws);
  EncodeMean(fit.log_likelihood, into.mutable_log_likelihood());
  into.set_rows_without_density(fit.without_density);
  v1::TwoSampleTest& test = *into.mutable_two_sample();
  EncodeMean(fit.two_sample.accuracy, test.mutable_accuracy());
  test.set_p_value(fit.two_sample.p_value);
  test.set_folds(fit.two_sample.folds);
  test.set_rows_each(fit.two_sample.folds > 0 ? fit.two_sample.rows_each : 0);
  EncodeColumns(fit.columns, into.mutable_columns());
  EncodeColumns(fit.calibration, into.mutable_calibration());
  for (const evaluation::Coverage::Level& level : fit.coverage.levels) {
    v1::Coverage& coverage = *into.add_coverage();
    coverage.set_level(level.level);
    EncodeMean(level.covered, coverage.mutable_covered());
  }
  EncodeRanks(fit.coverage.regions, 0, into.mutable_regions());
  if (fit.draws_not_finite > 0) {
    out->add_notes(absl::StrCat(fit.draws_not_finite, " of ", fit.draws,
                                " draws overflowed: what compares rows with draws says little"));
  }
  if (fit.without_density > 0) {
    out->add_notes(absl::StrCat(fit.without_density, " of ", fit.rows,
                                " rows have no density under the model; the mean log-likelihood is "
                                "that of the others"));
  }
}

void EncodeFit(const evaluation::TargetFit& fit, v1::EvaluateResponse* out) {
  v1::TargetFit& into = *out->mutable_target();
  if (fit.kl) EncodeMean({*fit.kl, *fit.kl_error}, into.mutable_kl());
  if (fit.log_z_known) into.set_log_z_known(*fit.log_z_known);
  EncodeWeights(fit.weights, into.mutable_weights());
  NoteMissedMass(fit, out);
  NoteWeights(fit.weights, out);
}

void EncodeLaws(const std::vector<evaluation::Law>& laws, v1::SelfTestResponse* out) {
  out->set_passed(std::ranges::all_of(laws, &evaluation::Law::kept));
  for (const evaluation::Law& law : laws) {
    v1::Law& into = *out->add_laws();
    into.set_law(law.name);
    into.set_description(law.description);
    into.set_checked(law.checked);
    into.set_passed(law.kept());
    into.set_measured(law.measured);
    into.set_tolerance(law.tolerance);
  }
}

void EncodeSample(const evaluation::CorrectionPlan& plan, const evaluation::CorrectedSample& sample,
                  v1::SampleCorrectedResponse* out) {
  EncodeTensor(sample.x, out->mutable_x());
  if (plan.method == evaluation::Correction::kImportance) {
    EncodeTensor(Array::FromDoubles({sample.x.rows()}, sample.log_weights),
                 out->mutable_log_weight());
  }
  EncodeWeights(sample.weights, out->mutable_weights());
  out->set_distinct_rows(sample.distinct_rows);
  if (sample.acceptance_rate) {
    out->set_acceptance_rate(*sample.acceptance_rate);
    out->set_chains(plan.chains);
    out->set_longest_stay(sample.longest_stay);
  }
  NoteWeights(sample.weights, out);
}

}  // namespace sluiced::rpc

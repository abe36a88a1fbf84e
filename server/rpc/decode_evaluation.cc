#include "server/rpc/decode_evaluation.h"

#include <algorithm>
#include <limits>

#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/evaluation/self_test.h"
#include "server/rpc/names.h"
#include "server/rpc/sample_source.h"

namespace sluiced::rpc {
namespace {

constexpr int64_t kRows = 10'000, kConditionalRows = 1000, kDrawsAtContext = 100;
constexpr int64_t kTargetDraws = 10'000, kSelfTestDraws = 4000;
constexpr int64_t kChains = 100, kBurnIn = 200;
constexpr int64_t kDrawsOfARow = 10, kFewestDraws = 10'000;

// A count that may be left to the server: not negative, and within the limit.
absl::Status CheckCount(absl::string_view field, int64_t count, const serving::Limits& limits) {
  if (count < 0) return FieldError(field, "must not be negative");
  if (count <= limits.rows) return absl::OkStatus();
  return Exhausted(absl::StrCat(field, ": ", count, "; at most ", limits.rows, " in one call"),
                   absl::ZeroDuration());
}

absl::StatusOr<const targets::Target*> DecodeTargetFor(const std::string& name,
                                                       const flows::FlowSpec& spec) {
  ASSIGN_OR_RETURN(const std::string id, ParseName("target", kTargets, name));
  ASSIGN_OR_RETURN(const targets::Target* target, targets::FindTarget(id));
  if (spec.context_dim > 0) {
    return FieldError("target", "the model is conditional, and a target has no context");
  }
  if (target->dim() == spec.dim) return target;
  return FieldError("target", absl::StrCat("has ", target->dim(), " dimensions; the model has ",
                                           spec.dim, " dimensions"));
}

absl::Status DecodeDataset(const v1::EvaluateRequest& in, const flows::FlowSpec& spec,
                           const serving::Limits& limits, EvaluateQuery* query) {
  ASSIGN_OR_RETURN(query->dataset, ParseName("dataset", kDatasets, in.dataset()));
  const bool conditional = spec.context_dim > 0;
  query->held_out = in.held_out();
  query->weight_column = in.weight_column();
  query->dequantize = in.dequantize();
  if (query->rows == 0) query->rows = std::min(conditional ? kConditionalRows : kRows, limits.rows);
  if (!conditional) return absl::OkStatus();
  if (query->draws == 0) query->draws = kDrawsAtContext;
  if (query->rows <= limits.rows / query->draws) return absl::OkStatus();
  return Exhausted(absl::StrCat("draws: ", query->draws, " at each of ", query->rows,
                                " rows; at most ", limits.rows, " in one call"),
                   absl::ZeroDuration());
}

absl::StatusOr<evaluation::Correction> DecodeCorrection(v1::Correction in) {
  switch (in) {
    case v1::CORRECTION_IMPORTANCE:
      return evaluation::Correction::kImportance;
    case v1::CORRECTION_RESAMPLE:
      return evaluation::Correction::kResample;
    case v1::CORRECTION_MCMC:
      return evaluation::Correction::kMcmc;
    default:
      return FieldError("correction", "must be IMPORTANCE, RESAMPLE or MCMC");
  }
}

// Settings of another method would go unnoticed.
absl::Status CheckOthersUnset(const v1::SampleCorrectedRequest& in) {
  if (in.draws() != 0 && in.correction() != v1::CORRECTION_RESAMPLE) {
    return FieldError("draws", "is of RESAMPLE alone");
  }
  if (in.chains() != 0 && in.correction() != v1::CORRECTION_MCMC) {
    return FieldError("chains", "is of MCMC alone");
  }
  if (in.has_burn_in() && in.correction() != v1::CORRECTION_MCMC) {
    return FieldError("burn_in", "is of MCMC alone");
  }
  return absl::OkStatus();
}

absl::Status DecodeChains(const v1::SampleCorrectedRequest& in, evaluation::CorrectionPlan* plan) {
  if (in.chains() < 0) return FieldError("chains", "must not be negative");
  if (in.chains() > plan->rows) {
    return FieldError("chains", absl::StrCat("more than the ", plan->rows, " rows"));
  }
  if (in.burn_in() < 0) return FieldError("burn_in", "must not be negative");
  plan->chains = in.chains() > 0 ? in.chains() : std::min(kChains, plan->rows);
  plan->burn_in = in.has_burn_in() ? in.burn_in() : kBurnIn;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<EvaluateQuery> DecodeEvaluate(const v1::EvaluateRequest& in,
                                             const flows::FlowSpec& spec,
                                             const serving::Limits& limits) {
  RETURN_IF_ERROR(CheckCount("rows", in.rows(), limits));
  RETURN_IF_ERROR(CheckCount("draws", in.draws(), limits));
  EvaluateQuery query{.rows = in.rows(), .draws = in.draws(), .seed = in.seed()};
  if (in.has_dataset()) {
    RETURN_IF_ERROR(DecodeDataset(in, spec, limits, &query));
    return query;
  }
  if (!in.has_target()) return FieldError("dataset", "give a dataset or a target");
  if (in.rows() != 0) return FieldError("rows", "a target has no rows; give draws");
  if (in.held_out()) return FieldError("held_out", "a target has no rows that are held out");
  if (!in.weight_column().empty()) return FieldError("weight_column", "a target has no rows");
  if (in.dequantize()) return FieldError("dequantize", "a target has no rows");
  ASSIGN_OR_RETURN(query.target, DecodeTargetFor(in.target(), spec));
  if (query.draws == 0) query.draws = std::min(kTargetDraws, limits.rows);
  return query;
}

absl::StatusOr<SelfTestQuery> DecodeSelfTest(const v1::SelfTestRequest& in,
                                             const serving::Limits& limits) {
  RETURN_IF_ERROR(CheckCount("draws", in.draws(), limits));
  const int64_t draws = in.draws() == 0 ? kSelfTestDraws : in.draws();
  if (draws < evaluation::kFewestTestedDraws) {
    return FieldError("draws", absl::StrCat("at least ", evaluation::kFewestTestedDraws));
  }
  return SelfTestQuery{.draws = draws, .seed = in.seed()};
}

absl::StatusOr<CorrectedQuery> DecodeSampleCorrected(const v1::SampleCorrectedRequest& in,
                                                     const flows::FlowSpec& spec,
                                                     const serving::Limits& limits) {
  RETURN_IF_ERROR(CheckCount("rows", in.rows(), limits));
  RETURN_IF_ERROR(CheckCount("draws", in.draws(), limits));
  if (in.rows() < 1) return FieldError("rows", "must be at least 1");
  CorrectedQuery query;
  evaluation::CorrectionPlan& plan = query.plan;
  ASSIGN_OR_RETURN(plan.method, DecodeCorrection(in.correction()));
  RETURN_IF_ERROR(CheckOthersUnset(in));
  plan.rows = in.rows();
  plan.seed = in.has_seed() ? in.seed() : DrawSeed();
  plan.proposals = in.draws();
  if (plan.proposals == 0) {
    plan.proposals = std::min(std::max(kFewestDraws, plan.rows * kDrawsOfARow),
                              std::max(limits.rows, plan.rows));
  }
  RETURN_IF_ERROR(DecodeChains(in, &plan));
  ASSIGN_OR_RETURN(query.target, DecodeTargetFor(in.target(), spec));
  const int64_t proposals = evaluation::ProposalsOf(plan);
  if (proposals > limits.rows) {
    return Exhausted(absl::StrCat("rows: they take ", proposals, " draws of the model; at most ",
                                  limits.rows, " in one call"),
                     absl::ZeroDuration());
  }
  return query;
}

}  // namespace sluiced::rpc

#include "server/evaluation/corrected_sample.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/common/philox.h"
#include "server/common/status_macros.h"
#include "server/evaluation/independence_chains.h"
#include "server/evaluation/pareto.h"

namespace sluiced::evaluation {
namespace {

std::vector<double> Normalized(const std::vector<double>& log_weights) {
  const double largest = *std::max_element(log_weights.begin(), log_weights.end());
  double sum = 0;
  for (double w : log_weights) sum += std::exp(w - largest);
  std::vector<double> normalized = log_weights;
  for (double& w : normalized) w -= largest + std::log(sum);
  return normalized;
}

// Systematic resampling (Kitagawa 1996), then shuffled: the order tells nothing.
std::vector<int64_t> Resampled(const std::vector<double>& log_weights, int64_t rows,
                               uint64_t seed) {
  PhiloxReader random(seed, Stream::kEvaluate, kResampling);
  const double offset = random.Uniform();
  const std::vector<double> normalized = Normalized(log_weights);
  std::vector<int64_t> chosen;
  double sum = 0;
  int64_t last = 0;
  for (size_t i = 0; i < normalized.size(); ++i) {
    const double weight = std::exp(normalized[i]);
    sum += weight;
    if (weight > 0) last = static_cast<int64_t>(i);
    while (static_cast<int64_t>(chosen.size()) < rows &&
           (static_cast<double>(chosen.size()) + offset) / static_cast<double>(rows) < sum) {
      chosen.push_back(static_cast<int64_t>(i));
    }
  }
  chosen.resize(static_cast<size_t>(rows), last);  // What rounding left.
  for (size_t i = chosen.size(); i > 1; --i) std::swap(chosen[i - 1], chosen[random.Below(i)]);
  return chosen;
}

int64_t CountDistinct(std::vector<int64_t> rows) {
  std::sort(rows.begin(), rows.end());
  return std::unique(rows.begin(), rows.end()) - rows.begin();
}

absl::Status MoveChains(const std::vector<double>& log_weights, const CorrectionPlan& plan,
                        std::vector<int64_t>* rows, CorrectedSample* sample) {
  ASSIGN_OR_RETURN(
      ChainRows chains,
      RunChains(log_weights, {.rows = plan.rows, .chains = plan.chains, .burn_in = plan.burn_in},
                plan.seed));
  *rows = std::move(chains.rows);
  sample->acceptance_rate = chains.acceptance_rate;
  sample->longest_stay = chains.longest_stay;
  return absl::OkStatus();
}

}  // namespace

int64_t ProposalsOf(const CorrectionPlan& plan) {
  if (plan.method == Correction::kImportance) return plan.rows;
  if (plan.method == Correction::kResample) return plan.proposals;
  int64_t steps = 0, all = 0;
  if (__builtin_add_overflow(plan.burn_in, KeptSteps(plan.rows, plan.chains), &steps) ||
      __builtin_mul_overflow(steps, plan.chains, &all)) {
    return std::numeric_limits<int64_t>::max();
  }
  return all;
}

absl::StatusOr<CorrectedSample> SampleCorrected(const flows::Flow& flow,
                                                const targets::Target& target,
                                                const CorrectionPlan& plan,
                                                const KeepGoing& keep_going) {
  ASSIGN_OR_RETURN(flows::Samples draws,
                   DrawRows(flow, ProposalsOf(plan), plan.seed, 0, Array(), keep_going));
  ASSIGN_OR_RETURN(const std::vector<double> log_p, TargetDensity(target, draws.x, keep_going));
  const std::vector<double> log_weights = LogWeights(log_p, ToDoubles(draws.log_prob));
  CorrectedSample sample;
  sample.weights = SummaryOf(log_weights);
  if (sample.weights.outside == sample.weights.draws) {
    return absl::FailedPreconditionError(absl::StrCat("none of ", sample.weights.draws,
                                                      " draws of the flow lies on the target's "
                                                      "support"));
  }
  if (plan.method == Correction::kImportance) {
    sample.x = std::move(draws.x);
    sample.log_weights = Normalized(log_weights);
    sample.distinct_rows = plan.rows;
    return sample;
  }
  std::vector<int64_t> rows;
  if (plan.method == Correction::kResample) {
    rows = Resampled(SmoothTail(log_weights).log_weights, plan.rows, plan.seed);
  } else {
    RETURN_IF_ERROR(MoveChains(log_weights, plan, &rows, &sample));
  }
  sample.x = TakeRows(draws.x, rows);
  sample.distinct_rows = CountDistinct(std::move(rows));
  return sample;
}

}  // namespace sluiced::evaluation

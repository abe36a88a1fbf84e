#include "server/evaluation/target_fit.h"

#include <utility>
#include <vector>

#include "server/common/status_macros.h"
#include "server/evaluation/importance.h"

namespace sluiced::evaluation {

absl::StatusOr<TargetFit> FitOfTarget(const flows::Flow& flow, const targets::Target& target,
                                      int64_t draws, uint64_t seed, const KeepGoing& keep_going) {
  ASSIGN_OR_RETURN(const flows::Samples samples,
                   DrawRows(flow, draws, seed, 0, Array(), keep_going));
  ASSIGN_OR_RETURN(std::vector<double> log_p, TargetDensity(target, samples.x, keep_going));
  std::vector<double> log_q = ToDoubles(samples.log_prob);
  TargetFit fit;
  fit.weights = SummaryOf(LogWeights(log_p, log_q));
  fit.log_z_known = target.log_z();
  std::vector<double> continued = log_p;  // Of the loss, which nobody asks for.
  const Estimates estimates =
      Estimate({std::move(log_q), std::move(log_p), std::move(continued)}, target.log_z());
  fit.kl = estimates.kl;
  fit.kl_error = estimates.kl_error;
  return fit;
}

}  // namespace sluiced::evaluation

#include "server/evaluation/independence_chains.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "absl/strings/str_cat.h"
#include "server/common/philox.h"
#include "server/common/status_macros.h"
#include "server/evaluation/flow_rows.h"

namespace sluiced::evaluation {
namespace {

class Chain {
 public:
  Chain(const std::vector<double>& log_weights, int64_t first)
      : log_weights_(log_weights), at_(first) {}

  int64_t at() const { return at_; }
  bool stands() const { return WeightAt(at_) > -std::numeric_limits<double>::infinity(); }

  // Moves to `proposal` or stays; whether it moved. Any weight is better than none.
  bool Step(int64_t proposal, double dice) {
    const bool accepted = !stands() || std::log(dice) < WeightAt(proposal) - WeightAt(at_);
    if (accepted) at_ = proposal;
    return accepted;
  }

 private:
  double WeightAt(int64_t draw) const { return log_weights_[static_cast<size_t>(draw)]; }

  const std::vector<double>& log_weights_;
  int64_t at_;
};

}  // namespace

int64_t KeptSteps(int64_t rows, int64_t chains) { return rows / chains + (rows % chains != 0); }

absl::StatusOr<ChainRows> RunChains(const std::vector<double>& log_weights, const ChainPlan& plan,
                                    uint64_t seed) {
  const int64_t kept = KeptSteps(plan.rows, plan.chains), steps = plan.burn_in + kept;
  PhiloxReader random(seed, Stream::kEvaluate, kAcceptance);
  ChainRows out;
  int64_t accepted = 0;
  for (int64_t c = 0; c < plan.chains; ++c) {
    Chain chain(log_weights, c * steps);
    int64_t stay = 0;
    for (int64_t step = 0; step < steps; ++step) {
      const bool moved = chain.Step(c * steps + step, random.Uniform());
      if (step < plan.burn_in) continue;
      if (!chain.stands()) {
        return absl::FailedPreconditionError(
            absl::StrCat("chain ", c, " has found no row of the target's support in ", step + 1,
                         " steps; give more burn-in, or fit the flow better"));
      }
      accepted += moved ? 1 : 0;
      stay = moved ? 1 : stay + 1;
      out.longest_stay = std::max(out.longest_stay, stay);
      if (static_cast<int64_t>(out.rows.size()) < plan.rows) out.rows.push_back(chain.at());
    }
  }
  out.acceptance_rate = static_cast<double>(accepted) / static_cast<double>(kept * plan.chains);
  return out;
}

}  // namespace sluiced::evaluation

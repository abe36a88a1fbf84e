// TrainingPlan: losses of a flow and their gradients, in one pass over tiles of
// rows that go forward and backward before the next one is touched.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "server/engine/buffer.h"
#include "server/engine/plan.h"

namespace sluiced::engine {

// Runs task(0) ... task(tasks - 1), on any threads, and returns when all are done.
using TaskRunner = std::function<void(int64_t tasks, const std::function<void(int64_t)>& task)>;

// The default: one after the other on the calling thread.
void RunInline(int64_t tasks, const std::function<void(int64_t)>& task);

enum class Score { kKeep, kDrop };

// Belongs to one training: one call at a time. The results' bits depend on the
// number of rows, not on the runner. Nothing is allocated after the first call
// on as many rows.
template <typename T>
class TrainingPlan {
 public:
  // As Plan's.
  TrainingPlan(const flows::FlowSpec& spec, const flows::Standardization& standardization,
               std::span<const T> parameters);

  // Other parameters from here on.
  void Update(std::span<const T> parameters) { plan_.Update(parameters); }

  // For values at the present parameters, on any thread between updates.
  const Plan<T>& plan() const { return plan_; }

  // Mean of -log q(x) over rows x [n, dim], n >= 1, and its gradient [parameters]:
  // 0 for those that the masks leave out. Not finite where a row overflows.
  double Likelihood(std::span<const T> x, std::span<T> gradient,
                    const TaskRunner& runner = RunInline);

  // Mean of log q(x) over x = FromBase(z), for draws z [n, dim], n >= 1. gradient is
  // that of the mean of log q(x) - log p(x): `slope` is asked for d log p / dx of a
  // few rows at a time, on the runner's threads. Score::kDrop leaves out the
  // gradient that log q has at fixed x: its mean is zero, and its noise would not
  // vanish at the optimum (Roeder, Wu and Duvenaud 2017, arXiv:1703.09194).
  double ReverseKl(std::span<const T> z, Score score, const SlopeFunction<T>& slope,
                   std::span<T> gradient, const TaskRunner& runner = RunInline);

 private:
  // Shares of a sum over rows, a task each: so many that up to eight threads are
  // busy, none so small that its own sums would cost more than its rows.
  struct Split {
    size_t rows, shares;
    size_t First(size_t share) const;
  };

  template <typename OneShare>
  double Sum(std::span<const T> rows, std::span<T> gradient, const TaskRunner& runner,
             const OneShare& one_share);
  Split SplitOf(size_t rows) const;

  Plan<T> plan_;
  Buffer<T> sums_;     // [shares, GradientNumbers()]
  Buffer<T> scratch_;  // [shares, GradientScratch()]
  std::vector<double> losses_;
};

extern template class TrainingPlan<float>;
extern template class TrainingPlan<double>;

}  // namespace sluiced::engine

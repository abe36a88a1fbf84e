// TrainingPlan: losses of a flow and their gradients, in one pass over tiles of
// rows that go forward and backward before the next one is touched.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "server/engine/buffer.h"
#include "server/engine/plan.h"
#include "server/engine/task_runner.h"

namespace sluiced::engine {

enum class Score { kKeep, kDrop };

// Belongs to one training: one call at a time, each shared among the runner's
// workers. The results' bits depend on the number of rows, not on the runner. Nothing
// is allocated after the first call on as many rows.
template <typename T>
class TrainingPlan {
 public:
  // As Plan's; `runner` must outlive it.
  TrainingPlan(const flows::FlowSpec& spec, const flows::Standardization& standardization,
               std::span<const T> parameters, TaskRunner* runner);

  // Other parameters from here on. After PackFor::kDensities, which is less to do, neither Draw
  // nor ReverseKl may follow.
  void Update(std::span<const T> parameters, PackFor what = PackFor::kAll);

  // log q of rows x [n, dim + context_dim], n >= 0; -inf where it overflows.
  void LogProb(std::span<const T> x, std::span<T> log_prob);

  // Draws x [n, dim] made of normals [n, NormalColumns(spec)], n >= 0, and log q there, -inf
  // where it overflows. Of flows without context, as ReverseKl.
  void Draw(std::span<const T> normals, std::span<T> x, std::span<T> log_prob);

  // Mean of -log q(x) over rows x [n, dim + context_dim], n >= 1, and its gradient [parameters]:
  // 0 for those that the masks leave out. Not finite where a row overflows.
  double Likelihood(std::span<const T> x, std::span<T> gradient);

  // Mean of log q(x) over draws x made of normals [n, NormalColumns(spec)], n >= 1. gradient
  // is that of the mean of log q(x) - log p(x): `slope` is asked for d log p / dx of a
  // few rows at a time, on the runner's threads. Score::kDrop leaves out the
  // gradient that log q has at fixed x: its mean is zero, and its noise would not
  // vanish at the optimum (Roeder, Wu and Duvenaud 2017, arXiv:1703.09194).
  double ReverseKl(std::span<const T> normals, Score score, const SlopeFunction<T>& slope,
                   std::span<T> gradient);

 private:
  // Shares of a sum over rows, a task each: so many that up to eight threads are
  // busy, none so small that its own sums would cost more than its rows.
  struct Split {
    size_t rows, shares;
    size_t First(size_t share) const;
  };

  template <typename OneShare>
  double Sum(size_t rows, std::span<T> gradient, const OneShare& one_share);
  Split SplitOf(size_t rows) const;
  // part(first, count) for parts of the rows, on the runner.
  template <typename Part>
  void InParts(size_t rows, const Part& part);

  Plan<T> plan_;
  PackFor packed_for_ = PackFor::kAll;
  TaskRunner* const runner_;
  Buffer<T> sums_;                        // [shares, parameters]
  std::vector<Workspace<T>> workspaces_;  // By worker.
  std::vector<double> losses_;            // By share.
};

extern template class TrainingPlan<float>;
extern template class TrainingPlan<double>;

}  // namespace sluiced::engine

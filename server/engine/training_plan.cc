#include "server/engine/training_plan.h"

#include <algorithm>

#include "server/common/check.h"

namespace sluiced::engine {
namespace {

constexpr size_t kMostShares = 8;
constexpr size_t kRowsOfAShare = 128;
// Sums that all shares of a large flow may take, in numbers, unless there are two.
constexpr size_t kMostSums = size_t{1} << 25;
// Shares begin at multiples of it: the lanes of the widest vectors.
constexpr size_t kShareStep = 16;

}  // namespace

void RunInline(int64_t tasks, const std::function<void(int64_t)>& task) {
  for (int64_t i = 0; i < tasks; ++i) task(i);
}

template <typename T>
TrainingPlan<T>::TrainingPlan(const flows::FlowSpec& spec,
                              const flows::Standardization& standardization,
                              std::span<const T> parameters)
    : plan_(spec, standardization, parameters, Gradients::kYes) {}

template <typename T>
size_t TrainingPlan<T>::Split::First(size_t share) const {
  return share == shares ? rows : share * rows / shares / kShareStep * kShareStep;
}

template <typename T>
typename TrainingPlan<T>::Split TrainingPlan<T>::SplitOf(size_t rows) const {
  const size_t fitting = std::max<size_t>(2, kMostSums / plan_.program().GradientNumbers());
  const size_t wanted = std::max<size_t>(1, rows / kRowsOfAShare);
  return {rows, std::min({wanted, fitting, kMostShares})};
}

template <typename T>
double TrainingPlan<T>::Likelihood(std::span<const T> x, std::span<T> gradient,
                                   const TaskRunner& runner) {
  const auto dim = static_cast<size_t>(plan_.dim());
  return Sum(x, gradient, runner, [&](const Share<T>& share) {
    return plan_.program().Likelihood(x.data() + share.first_row * dim, share);
  });
}

template <typename T>
double TrainingPlan<T>::ReverseKl(std::span<const T> z, Score score, const SlopeFunction<T>& slope,
                                  std::span<T> gradient, const TaskRunner& runner) {
  const auto dim = static_cast<size_t>(plan_.dim());
  return Sum(z, gradient, runner, [&](const Share<T>& share) {
    return plan_.program().ReverseKl(z.data() + share.first_row * dim, score == Score::kKeep, slope,
                                     share);
  });
}

template <typename T>
template <typename OneShare>
double TrainingPlan<T>::Sum(std::span<const T> rows, std::span<T> gradient,
                            const TaskRunner& runner, const OneShare& one_share) {
  const Program<T>& program = plan_.program();
  const Split split = SplitOf(rows.size() / static_cast<size_t>(plan_.dim()));
  SLUICED_CHECK(split.rows > 0);
  const size_t numbers = program.GradientNumbers(), scratch = program.GradientScratch();
  if (sums_.size() < split.shares * numbers) {
    sums_ = Buffer<T>(split.shares * numbers);
    scratch_ = Buffer<T>(split.shares * scratch);
    losses_.resize(split.shares);
  }
  const T weight = static_cast<T>(1.0 / static_cast<double>(split.rows));
  runner(static_cast<int64_t>(split.shares), [&](int64_t task) {
    const auto i = static_cast<size_t>(task);
    T* sums = sums_.data() + i * numbers;
    std::fill_n(sums, numbers, T{0});
    const size_t first = split.First(i);
    losses_[i] = one_share({.first_row = first,
                            .rows = split.First(i + 1) - first,
                            .weight = weight,
                            .sums = sums,
                            .scratch = scratch_.data() + i * scratch});
  });
  std::fill(gradient.begin(), gradient.end(), T{0});
  runner(static_cast<int64_t>(program.ReduceTasks()), [&](int64_t task) {
    program.Reduce(sums_.data(), split.shares, static_cast<size_t>(task), gradient.data());
  });
  double loss = 0;
  for (size_t i = 0; i < split.shares; ++i) loss += losses_[i];
  return loss / static_cast<double>(split.rows);
}

template class TrainingPlan<float>;
template class TrainingPlan<double>;

}  // namespace sluiced::engine

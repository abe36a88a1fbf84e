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
// Sums are added up in pieces of so many numbers, a task each.
constexpr size_t kPiece = 4096;
// Without gradients, rows of a task: several tiles, so that handing it out is little.
constexpr size_t kRowsOfAPart = 384;

constexpr size_t Pieces(size_t numbers, size_t piece) { return (numbers + piece - 1) / piece; }

// to[i] = from[i] + from[i + step] + ..., `count` of them.
template <typename T>
void AddUp(const T* from, size_t count, size_t step, std::span<T> to) {
  std::copy_n(from, to.size(), to.begin());
  T* __restrict sum = to.data();
  for (size_t k = 1; k < count; ++k) {
    const T* __restrict more = from + k * step;
    for (size_t i = 0; i < to.size(); ++i) sum[i] += more[i];
  }
}

}  // namespace

template <typename T>
TrainingPlan<T>::TrainingPlan(const flows::FlowSpec& spec,
                              const flows::Standardization& standardization,
                              std::span<const T> parameters, TaskRunner* runner)
    : plan_(spec, standardization, parameters, Gradients::kYes),
      runner_(runner),
      workspaces_(static_cast<size_t>(runner->workers())),
      losses_(kMostShares) {
  for (Workspace<T>& workspace : workspaces_) workspace.Take(plan_.program().GradientScratch());
}

template <typename T>
void TrainingPlan<T>::Update(std::span<const T> parameters, PackFor what) {
  packed_for_ = what;
  runner_->Run(plan_.pieces(),
               [&](int64_t piece, int) { plan_.UpdatePiece(piece, parameters, what); });
}

template <typename T>
template <typename Part>
void TrainingPlan<T>::InParts(size_t rows, const Part& part) {
  // Parts grow with the rows, so that a Run has few.
  const size_t step = std::max(kRowsOfAPart, Pieces(rows, 64));
  runner_->Run(static_cast<int64_t>(Pieces(rows, step)), [&](int64_t i, int worker) {
    const size_t first = static_cast<size_t>(i) * step;
    part(first, std::min(step, rows - first), workspaces_[static_cast<size_t>(worker)]);
  });
}

template <typename T>
void TrainingPlan<T>::LogProb(std::span<const T> x, std::span<T> log_prob) {
  const auto row = static_cast<size_t>(plan_.row());
  SLUICED_CHECK(x.size() == log_prob.size() * row);
  InParts(log_prob.size(), [&](size_t first, size_t count, Workspace<T>& workspace) {
    plan_.LogProb(x.subspan(first * row, count * row), log_prob.subspan(first, count), workspace);
  });
}

template <typename T>
void TrainingPlan<T>::Draw(std::span<const T> normals, std::span<T> x, std::span<T> log_prob) {
  SLUICED_CHECK(packed_for_ == PackFor::kAll);
  const auto dim = static_cast<size_t>(plan_.dim()), row = static_cast<size_t>(plan_.normals());
  SLUICED_CHECK(normals.size() == log_prob.size() * row && x.size() == log_prob.size() * dim);
  InParts(log_prob.size(), [&](size_t first, size_t count, Workspace<T>& workspace) {
    plan_.Draw(normals.subspan(first * row, count * row), x.subspan(first * dim, count * dim),
               log_prob.subspan(first, count), workspace);
  });
}

template <typename T>
size_t TrainingPlan<T>::Split::First(size_t share) const {
  return share == shares ? rows : share * rows / shares / kShareStep * kShareStep;
}

template <typename T>
typename TrainingPlan<T>::Split TrainingPlan<T>::SplitOf(size_t rows) const {
  const size_t fitting = std::max<size_t>(2, kMostSums / static_cast<size_t>(plan_.parameters()));
  const size_t wanted = std::max<size_t>(1, rows / kRowsOfAShare);
  return {rows, std::min({wanted, fitting, kMostShares})};
}

template <typename T>
double TrainingPlan<T>::Likelihood(std::span<const T> x, std::span<T> gradient) {
  const auto row = static_cast<size_t>(plan_.row());
  return Sum(x.size() / row, gradient, [&](const Share<T>& share) {
    return plan_.program().Likelihood(x.data() + share.first_row * row, share);
  });
}

template <typename T>
double TrainingPlan<T>::ReverseKl(std::span<const T> normals, Score score,
                                  const SlopeFunction<T>& slope, std::span<T> gradient) {
  SLUICED_CHECK(packed_for_ == PackFor::kAll);
  const auto row = static_cast<size_t>(plan_.normals());
  return Sum(normals.size() / row, gradient, [&](const Share<T>& share) {
    return plan_.program().ReverseKl(normals.data() + share.first_row * row, score == Score::kKeep,
                                     slope, share);
  });
}

template <typename T>
template <typename OneShare>
double TrainingPlan<T>::Sum(size_t rows, std::span<T> gradient, const OneShare& one_share) {
  const Split split = SplitOf(rows);
  SLUICED_CHECK(split.rows > 0);
  const size_t numbers = gradient.size();
  if (sums_.size() < split.shares * numbers) sums_ = Buffer<T>(split.shares * numbers);
  const T weight = static_cast<T>(1.0 / static_cast<double>(split.rows));
  runner_->Run(static_cast<int64_t>(split.shares), [&](int64_t task, int worker) {
    const auto i = static_cast<size_t>(task);
    T* sums = sums_.data() + i * numbers;
    std::fill_n(sums, numbers, T{0});
    const size_t first = split.First(i);
    losses_[i] = one_share({.first_row = first,
                            .rows = split.First(i + 1) - first,
                            .weight = weight,
                            .sums = sums,
                            .scratch = workspaces_[static_cast<size_t>(worker)].Take(
                                plan_.program().GradientScratch())});
  });
  const size_t piece = std::max(kPiece, Pieces(numbers, 64));
  runner_->Run(static_cast<int64_t>(Pieces(numbers, piece)), [&](int64_t task, int) {
    const size_t first = static_cast<size_t>(task) * piece;
    AddUp(sums_.data() + first, split.shares, numbers,
          gradient.subspan(first, std::min(piece, numbers - first)));
  });
  double loss = 0;
  for (size_t i = 0; i < split.shares; ++i) loss += losses_[i];
  return loss / static_cast<double>(split.rows);
}

template class TrainingPlan<float>;
template class TrainingPlan<double>;

}  // namespace sluiced::engine

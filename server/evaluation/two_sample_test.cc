#include "server/evaluation/two_sample_test.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "server/common/philox.h"
#include "server/common/status_macros.h"
#include "server/evaluation/classifier.h"

namespace sluiced::evaluation {
namespace {

constexpr int64_t kFolds = 5;
constexpr int64_t kFewestRows = 10;
constexpr size_t kBatch = 128;
constexpr int64_t kMostEpochs = 40, kFewestEpochs = 8;
// Multiply-adds of all folds together, about: a few seconds.
constexpr int64_t kWork = 8'000'000'000;
// Standardised numbers are cut here: an outlier is told apart all the same.
constexpr double kFurthest = 10;

struct Sample {
  std::vector<float> rows;    // [n, columns]
  std::vector<float> labels;  // [n]
  size_t columns = 0;
  size_t size() const { return labels.size(); }
};

std::vector<int64_t> FiniteRows(const Array& rows) {
  std::vector<int64_t> finite;
  const int64_t columns = rows.shape()[1];
  for (int64_t row = 0; row < rows.rows(); ++row) {
    bool all = true;
    for (int64_t i = 0; all && i < columns; ++i) all = std::isfinite(rows.At(row * columns + i));
    if (all) finite.push_back(row);
  }
  return finite;
}

// Both samples, one below the other.
Sample Standardized(const Array& a, const Array& b, size_t each) {
  Sample sample;
  sample.columns = static_cast<size_t>(a.shape()[1]);
  sample.rows.resize(2 * each * sample.columns);
  for (size_t column = 0; column < sample.columns; ++column) {
    const std::vector<double> ours = ColumnOf(a, static_cast<int64_t>(column));
    const std::vector<double> theirs = ColumnOf(b, static_cast<int64_t>(column));
    double mean = 0, variance = 0;
    for (double v : ours) mean += v / static_cast<double>(ours.size());
    for (double v : ours) variance += (v - mean) * (v - mean) / static_cast<double>(ours.size());
    const double scale = variance > 0 ? std::sqrt(variance) : 1;
    for (size_t row = 0; row < 2 * each; ++row) {
      const double value = row < each ? ours[row] : theirs[row - each];
      sample.rows[row * sample.columns + column] =
          static_cast<float>(std::clamp((value - mean) / scale, -kFurthest, kFurthest));
    }
  }
  sample.labels.assign(2 * each, 0);
  std::fill(sample.labels.begin(), sample.labels.begin() + static_cast<long>(each), 1.0F);
  return sample;
}

void Shuffle(std::vector<size_t>& order, PhiloxReader& random) {
  for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.Below(i)]);
}

class Folds {
 public:
  Folds(const Sample& sample, uint64_t seed, const KeepGoing& keep_going)
      : sample_(sample), seed_(seed), keep_going_(keep_going), order_(sample.size() / 2) {
    std::iota(order_.begin(), order_.end(), size_t{0});
    PhiloxReader random(seed, Stream::kEvaluate, kFoldOrder);
    Shuffle(order_, random);
  }

  // Of the rows of fold `fold`, those that a classifier trained on the others gets right.
  absl::StatusOr<int64_t> Hits(int64_t fold) const {
    std::vector<size_t> train, held_out;
    for (size_t i = 0; i < order_.size(); ++i) {
      // Row i of both samples may share a context: apart, they would give each other away.
      std::vector<size_t>& into = static_cast<int64_t>(i) % kFolds == fold ? held_out : train;
      into.insert(into.end(), {order_[i], order_[i] + order_.size()});
    }
    Classifier classifier(static_cast<int64_t>(sample_.columns),
                          seed_ + static_cast<uint64_t>(fold), kClassifier);
    PhiloxReader random(seed_ + 1 + static_cast<uint64_t>(fold), Stream::kEvaluate, kFoldOrder);
    for (int64_t epoch = 0; epoch < Epochs(classifier); ++epoch) {
      Shuffle(train, random);
      RETURN_IF_ERROR(TrainOnce(train, classifier));
    }
    int64_t hits = 0;
    for (size_t row : held_out) {
      hits += (classifier.Logit(RowAt(row)) > 0) == (sample_.labels[row] > 0) ? 1 : 0;
    }
    return hits;
  }

 private:
  int64_t Epochs(const Classifier& classifier) const {
    const auto rows = static_cast<int64_t>(sample_.size()) * kFolds;
    return std::clamp(kWork / (3 * rows * classifier.parameters()), kFewestEpochs, kMostEpochs);
  }

  std::span<const float> RowAt(size_t row) const {
    return std::span(sample_.rows).subspan(row * sample_.columns, sample_.columns);
  }

  absl::Status TrainOnce(const std::vector<size_t>& train, Classifier& classifier) const {
    std::vector<float> rows, labels;
    for (size_t first = 0; first < train.size(); first += kBatch) {
      if (first % (8 * kBatch) == 0) RETURN_IF_ERROR(keep_going_());
      rows.clear();
      labels.clear();
      for (size_t i = first; i < std::min(first + kBatch, train.size()); ++i) {
        const std::span<const float> row = RowAt(train[i]);
        rows.insert(rows.end(), row.begin(), row.end());
        labels.push_back(sample_.labels[train[i]]);
      }
      classifier.Step(rows, labels);
    }
    return absl::OkStatus();
  }

  const Sample& sample_;
  const uint64_t seed_;
  const KeepGoing& keep_going_;
  std::vector<size_t> order_;
};

}  // namespace

absl::StatusOr<TwoSampleTest> TellApart(const Array& a, const Array& b, uint64_t seed,
                                        const KeepGoing& keep_going) {
  std::vector<int64_t> of_a = FiniteRows(a), of_b = FiniteRows(b);
  const auto each = static_cast<int64_t>(std::min(of_a.size(), of_b.size()));
  TwoSampleTest test;
  test.rows_each = std::min(each, kMostTestedRows);
  if (test.rows_each < kFewestRows) return test;
  const auto kept = static_cast<size_t>(test.rows_each);
  of_a.resize(kept);
  of_b.resize(kept);
  const Sample sample = Standardized(TakeRows(a, of_a), TakeRows(b, of_b), kept);
  const Folds folds(sample, seed, keep_going);
  int64_t hits = 0;
  for (int64_t fold = 0; fold < kFolds; ++fold) {
    ASSIGN_OR_RETURN(const int64_t more, folds.Hits(fold));
    hits += more;
  }
  test.folds = kFolds;
  const auto count = static_cast<double>(sample.size());
  test.accuracy = ShareOf(static_cast<double>(hits), count);
  const double by_chance = std::sqrt(0.25 / count);
  test.p_value = std::erfc((test.accuracy.mean - 0.5) / by_chance / std::sqrt(2.0)) / 2;
  return test;
}

}  // namespace sluiced::evaluation

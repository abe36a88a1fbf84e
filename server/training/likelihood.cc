// Maximum likelihood on rows.
#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "server/common/array_parts.h"
#include "server/training/criterion.h"

namespace sluiced::training {
namespace {

constexpr int64_t kRowsAtOnce = 4096;
// Without held-out rows the best parameters are chosen on at most so many of the
// training rows.
constexpr int64_t kMaxAssessedRows = 10'000;

struct Weighted {
  Array rows;
  std::vector<double> weights;  // Empty: all weigh the same.
};

Weighted Pick(const Array& data, const std::vector<double>& weights,
              std::span<const int64_t> rows) {
  Weighted picked = {TakeRows(data, rows), {}};
  if (weights.empty()) return picked;
  for (int64_t row : rows) picked.weights.push_back(weights[static_cast<size_t>(row)]);
  return picked;
}

class Likelihood final : public Criterion {
 public:
  Likelihood(std::unique_ptr<FlowGradients> flow, const TrainConfig& config, const Array& data,
             const Split& split, const std::vector<double>& weights)
      : flow_(std::move(flow)),
        config_(config),
        train_(Pick(data, weights, split.train)),
        validation_(Pick(data, weights, split.validation)) {
    if (split.validation.empty() && train_.rows.rows() > kMaxAssessedRows) {
      std::vector<int64_t> order = ShuffledOrder(train_.rows.rows(), config_.seed, -1);
      order.resize(kMaxAssessedRows);
      assessed_ = Pick(train_.rows, train_.weights, order);
    }
  }

  int64_t rows_per_epoch() const override { return train_.rows.rows(); }

  void BeginEpoch(int64_t epoch) override {
    const int64_t rows = train_.rows.rows();
    if (train_.weights.empty()) {
      if (config_.shuffle) order_ = ShuffledOrder(rows, config_.seed, epoch);
      return;
    }
    order_ = WeightedOrder(train_.weights, config_.seed, epoch);
    if (!config_.shuffle) return;
    std::vector<int64_t> shuffled = ShuffledOrder(rows, config_.seed, epoch);
    for (int64_t& row : shuffled) row = order_[static_cast<size_t>(row)];
    order_ = std::move(shuffled);
  }

  double Batch(const Array& parameters, int64_t first, int64_t count, Array* gradient) override {
    if (order_.empty()) {
      return flow_->NegativeLogLikelihood(parameters, train_.rows.Rows(first, count), gradient);
    }
    const auto rows =
        std::span(order_).subspan(static_cast<size_t>(first), static_cast<size_t>(count));
    TakeRowsInto(train_.rows, rows, &batch_);
    return flow_->NegativeLogLikelihood(parameters, batch_, gradient);
  }

  Assessment Assess(const Array& parameters) override {
    if (validation_.rows.rows() > 0) return {MeanLoss(parameters, validation_), false, {}};
    return {MeanLoss(parameters, assessed_.rows.rows() > 0 ? assessed_ : train_), true, {}};
  }

  bool IsFiniteOnTrainingRows(const Array& parameters) override {
    return std::isfinite(MeanLoss(parameters, train_));
  }

  std::map<std::string, double> Measure(const Array& parameters) override {
    std::map<std::string, double> metrics = {{"train_loss", MeanLoss(parameters, train_)}};
    if (validation_.rows.rows() > 0) metrics["validation_loss"] = MeanLoss(parameters, validation_);
    return metrics;
  }

 private:
  double MeanLoss(const Array& parameters, const Weighted& set) const {
    double sum = 0, weights = 0;
    for (int64_t first = 0; first < set.rows.rows(); first += kRowsAtOnce) {
      const int64_t count = std::min(kRowsAtOnce, set.rows.rows() - first);
      const Array rows = set.rows.Rows(first, count);
      if (set.weights.empty()) {
        sum += static_cast<double>(count) * flow_->NegativeLogLikelihood(parameters, rows, nullptr);
        weights += static_cast<double>(count);
        continue;
      }
      const std::vector<double> log_prob = flow_->LogProb(parameters, rows);
      for (size_t i = 0; i < log_prob.size(); ++i) {
        const double weight = set.weights[static_cast<size_t>(first) + i];
        // A row of no weight may lie anywhere.
        if (weight > 0) sum -= weight * log_prob[i];
        weights += weight;
      }
    }
    return sum / weights;
  }

  const std::unique_ptr<FlowGradients> flow_;
  const TrainConfig config_;
  const Weighted train_, validation_;
  Weighted assessed_;           // Empty: all of train_.
  std::vector<int64_t> order_;  // Of the epoch's rows; empty: as they are.
  Array batch_;
};

}  // namespace

std::unique_ptr<Criterion> MakeLikelihood(std::unique_ptr<FlowGradients> flow,
                                          const TrainConfig& config, const Array& data, DType dtype,
                                          const Split& split, const std::vector<double>& weights) {
  return std::make_unique<Likelihood>(std::move(flow), config, data.To(dtype), split, weights);
}

}  // namespace sluiced::training

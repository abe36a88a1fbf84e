// Maximum likelihood on rows.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>
#include <vector>

#include "server/training/criterion.h"

namespace sluiced::training {
namespace {

constexpr int64_t kRowsAtOnce = 4096;
// Without held-out rows the best parameters are chosen on at most so many of the
// training rows.
constexpr int64_t kMaxAssessedRows = 10'000;

void GatherInto(const Array& data, std::span<const int64_t> rows, Array* gathered) {
  const auto count = static_cast<int64_t>(rows.size());
  if (gathered->rows() != count || gathered->dtype() != data.dtype()) {
    *gathered = Array(data.dtype(), {count, data.cols()});
  }
  const size_t row_bytes = static_cast<size_t>(data.cols()) * SizeOf(data.dtype());
  std::byte* out = gathered->bytes().data();
  for (int64_t row : rows) {
    std::memcpy(out, data.bytes().data() + static_cast<size_t>(row) * row_bytes, row_bytes);
    out += row_bytes;
  }
}

Array Gather(const Array& data, std::span<const int64_t> rows) {
  Array gathered(data.dtype(), {static_cast<int64_t>(rows.size()), data.cols()});
  GatherInto(data, rows, &gathered);
  return gathered;
}

class Likelihood final : public Criterion {
 public:
  Likelihood(std::unique_ptr<FlowGradients> flow, const TrainConfig& config, const Array& data,
             const Split& split)
      : flow_(std::move(flow)),
        config_(config),
        train_(Gather(data, split.train)),
        validation_(Gather(data, split.validation)) {
    if (split.validation.empty() && train_.rows() > kMaxAssessedRows) {
      std::vector<int64_t> order = ShuffledOrder(train_.rows(), config_.seed, -1);
      order.resize(kMaxAssessedRows);
      assessed_ = Gather(train_, order);
    }
  }

  int64_t rows_per_epoch() const override { return train_.rows(); }

  void BeginEpoch(int64_t epoch) override {
    if (config_.shuffle) order_ = ShuffledOrder(train_.rows(), config_.seed, epoch);
  }

  double Batch(const Array& parameters, int64_t first, int64_t count, Array* gradient) override {
    if (!config_.shuffle) {
      return flow_->NegativeLogLikelihood(parameters, train_.Rows(first, count), gradient);
    }
    const auto rows =
        std::span(order_).subspan(static_cast<size_t>(first), static_cast<size_t>(count));
    GatherInto(train_, rows, &batch_);
    return flow_->NegativeLogLikelihood(parameters, batch_, gradient);
  }

  Assessment Assess(const Array& parameters) override {
    if (validation_.rows() > 0) return {MeanLoss(parameters, validation_), false, {}};
    return {MeanLoss(parameters, assessed_.rows() > 0 ? assessed_ : train_), true, {}};
  }

  bool IsFiniteOnTrainingRows(const Array& parameters) override {
    return std::isfinite(MeanLoss(parameters, train_));
  }

  std::map<std::string, double> Measure(const Array& parameters) override {
    std::map<std::string, double> metrics = {{"train_loss", MeanLoss(parameters, train_)}};
    if (validation_.rows() > 0) metrics["validation_loss"] = MeanLoss(parameters, validation_);
    return metrics;
  }

 private:
  double MeanLoss(const Array& parameters, const Array& rows) const {
    double sum = 0;
    for (int64_t first = 0; first < rows.rows(); first += kRowsAtOnce) {
      const int64_t count = std::min(kRowsAtOnce, rows.rows() - first);
      sum += static_cast<double>(count) *
             flow_->NegativeLogLikelihood(parameters, rows.Rows(first, count), nullptr);
    }
    return sum / static_cast<double>(rows.rows());
  }

  const std::unique_ptr<FlowGradients> flow_;
  const TrainConfig config_;
  const Array train_, validation_;
  Array assessed_;  // Empty: all of train_.
  std::vector<int64_t> order_;
  Array batch_;
};

}  // namespace

std::unique_ptr<Criterion> MakeLikelihood(std::unique_ptr<FlowGradients> flow,
                                          const TrainConfig& config, const Array& data, DType dtype,
                                          const Split& split) {
  return std::make_unique<Likelihood>(std::move(flow), config, data.To(dtype), split);
}

}  // namespace sluiced::training

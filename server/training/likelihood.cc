// Maximum likelihood on rows.
#include <algorithm>
#include <limits>

#include "server/training/criterion.h"
#include "server/training/tensors.h"

namespace sluiced::training {
namespace {

constexpr int64_t kRowsAtOnce = 4096;
// Without held-out rows the best parameters are chosen on at most so many of the
// training rows.
constexpr int64_t kMaxAssessedRows = 10'000;

torch::Tensor Order(std::vector<int64_t> rows) {
  return torch::tensor(at::ArrayRef<int64_t>(rows), torch::kInt64);
}

class Likelihood final : public Criterion {
 public:
  Likelihood(const flows::RealNvp& flow, const TrainConfig& config, const Array& data,
             const Split& split)
      : flow_(flow), config_(config) {
    const torch::Tensor all = ToTensor(data.To(flow.spec().dtype));
    train_ = all.index_select(0, Order(split.train));
    validation_ = all.index_select(0, Order(split.validation));
    if (split.validation.empty()) assessed_ = AssessedRows();
  }

  int64_t rows_per_epoch() const override { return train_.size(0); }

  void BeginEpoch(int64_t epoch) override {
    if (config_.shuffle) order_ = Order(ShuffledOrder(train_.size(0), config_.seed, epoch));
  }

  BatchLoss Batch(const torch::Tensor& parameters, int64_t first, int64_t count) override {
    const torch::Tensor rows = config_.shuffle
                                   ? train_.index_select(0, order_.narrow(0, first, count))
                                   : train_.narrow(0, first, count);
    const torch::Tensor losses = -flow_.LogProb(parameters, rows);
    return {losses.mean(), losses.detach().mean(torch::kFloat64).item<double>()};
  }

  Assessment Assess(const torch::Tensor& parameters) override {
    if (validation_.size(0) > 0) return {MeanLoss(parameters, validation_), false, {}};
    return {MeanLoss(parameters, assessed_), true, {}};
  }

  std::map<std::string, double> Measure(const torch::Tensor& parameters) override {
    std::map<std::string, double> metrics = {{"train_loss", MeanLoss(parameters, train_)}};
    if (validation_.size(0) > 0) {
      metrics["validation_loss"] = MeanLoss(parameters, validation_);
    }
    return metrics;
  }

 private:
  torch::Tensor AssessedRows() const {
    const int64_t rows = train_.size(0);
    if (rows <= kMaxAssessedRows) return train_;
    std::vector<int64_t> order = ShuffledOrder(rows, config_.seed, -1);
    order.resize(kMaxAssessedRows);
    return train_.index_select(0, Order(order));
  }

  double MeanLoss(const torch::Tensor& parameters, const torch::Tensor& rows) const {
    double sum = 0;
    const int64_t count = rows.size(0);
    for (int64_t first = 0; first < count; first += kRowsAtOnce) {
      const torch::Tensor part = rows.narrow(0, first, std::min(kRowsAtOnce, count - first));
      sum -= flow_.LogProb(parameters, part).sum(torch::kFloat64).item<double>();
    }
    return sum / static_cast<double>(count);
  }

  const flows::RealNvp& flow_;
  const TrainConfig config_;
  torch::Tensor train_, validation_, assessed_;
  torch::Tensor order_;
};

}  // namespace

std::unique_ptr<Criterion> MakeLikelihood(const flows::RealNvp& flow, const TrainConfig& config,
                                          const Array& data, const Split& split) {
  return std::make_unique<Likelihood>(flow, config, data, split);
}

}  // namespace sluiced::training

// Reverse KL on a target.
#include <algorithm>
#include <vector>

#include "server/common/philox.h"
#include "server/training/criterion.h"
#include "server/training/importance.h"
#include "server/training/tensors.h"

namespace sluiced::training {
namespace {

constexpr int64_t kRowsAtOnce = 4096;
// Draws for the estimates after every epoch: a fraction of the epoch's own, so that
// they cost it a tenth; and for the published metrics.
constexpr double kAssessedFraction = 0.4;
constexpr int64_t kFewestAssessed = 256;
constexpr int64_t kMostAssessed = 2000;
constexpr int64_t kMeasured = 100'000;
// Substreams of kEvaluate. Every epoch is judged on the same base draws: differences
// between epochs are then the flow's and not the draws'.
constexpr uint32_t kAssessSubstream = 0;
constexpr uint32_t kMeasureSubstream = 1;

std::vector<double> ToDoubles(const torch::Tensor& tensor) {
  const torch::Tensor whole = tensor.detach().to(torch::kFloat64).contiguous();
  const double* data = whole.data_ptr<double>();
  return {data, data + whole.numel()};
}

void Append(std::vector<double>& to, const std::vector<double>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

class ReverseKl final : public Criterion {
 public:
  ReverseKl(const flows::RealNvp& flow, const TrainConfig& config, const targets::Target& target)
      : flow_(flow), config_(config), target_(target) {}

  int64_t rows_per_epoch() const override { return config_.rows; }

  void BeginEpoch(int64_t epoch) override {
    substream_ = config_.fixed_draws ? 0 : static_cast<uint32_t>(epoch);
  }

  BatchLoss Batch(const torch::Tensor& parameters, int64_t first, int64_t count) override {
    const torch::Tensor z = Normals(Stream::kTrainDraws, substream_, first, count);
    const flows::RealNvp::Result image = flow_.FromBase(parameters, z);
    const torch::Tensor log_q = flows::StandardNormalLogProb(z) - image.ladj;
    const std::vector<double> x = ToDoubles(image.values);
    std::vector<double> log_p(static_cast<size_t>(count)), slope(x.size());
    target_.EvaluateContinued(x, log_p, slope);
    const double mean_log_p = Mean(log_p);
    const double value = log_q.detach().mean(torch::kFloat64).item<double>() - mean_log_p;
    // d/dtheta log p(x(theta)) = (d log p / dx) . (dx / dtheta).
    const torch::Tensor pull = FromDoubles(slope, count);
    const torch::Tensor path = (pull * image.values).sum(1).mean();
    const torch::Tensor entropy =
        config_.drop_score ? WithoutScore(parameters, image.values) : log_q.mean();
    return {entropy - path, value};
  }

  Assessment Assess(const torch::Tensor& parameters) override {
    const auto wanted = static_cast<int64_t>(kAssessedFraction * static_cast<double>(config_.rows));
    const Estimates estimates =
        Evaluate(parameters, kAssessSubstream, std::clamp(wanted, kFewestAssessed, kMostAssessed));
    return {estimates.loss, true, estimates.target};
  }

  std::map<std::string, double> Measure(const torch::Tensor& parameters) override {
    const Estimates estimates = Evaluate(parameters, kMeasureSubstream, kMeasured);
    const TargetProgress& target = estimates.target;
    std::map<std::string, double> metrics = {{"train_loss", estimates.loss}};
    const auto put = [&](const char* key, const std::optional<double>& value) {
      if (value) metrics[key] = *value;
    };
    put("kl", target.kl);
    put("kl_error", estimates.kl_error);
    put("log_z_estimate", target.log_z_estimate);
    put("log_z_error", target.log_z_error);
    put("ess_fraction", target.ess_fraction);
    put("log_z_known", target.log_z_known);
    return metrics;
  }

 private:
  static double Mean(const std::vector<double>& values) {
    double sum = 0;
    for (double v : values) sum += v;
    return sum / static_cast<double>(values.size());
  }

  torch::Tensor FromDoubles(std::vector<double>& values, int64_t rows) const {
    return torch::from_blob(values.data(), {rows, target_.dim()}, torch::kFloat64)
        .to(TypeOf(flow_.spec().dtype), /*non_blocking=*/false, /*copy=*/true);
  }

  torch::Tensor Normals(Stream stream, uint32_t substream, int64_t first, int64_t count) const {
    std::vector<double> z(static_cast<size_t>(count * target_.dim()));
    NormalRows<double>(config_.seed, stream, substream, first, target_.dim(), z);
    return FromDoubles(z, count);
  }

  // Mean log q(x) at parameters held fixed, so that only x carries a gradient: the
  // term left out has mean zero, and its noise would not vanish at the optimum
  // (Roeder, Wu and Duvenaud 2017, arXiv:1703.09194).
  torch::Tensor WithoutScore(const torch::Tensor& parameters, const torch::Tensor& x) const {
    return flow_.LogProb(parameters.detach(), x).mean();
  }

  Estimates Evaluate(const torch::Tensor& parameters, uint32_t substream, int64_t count) const {
    Draws draws;
    for (int64_t first = 0; first < count; first += kRowsAtOnce) {
      const int64_t rows = std::min(kRowsAtOnce, count - first);
      const torch::Tensor z = Normals(Stream::kEvaluate, substream, first, rows);
      const flows::RealNvp::Result image = flow_.FromBase(parameters, z);
      const std::vector<double> x = ToDoubles(image.values);
      std::vector<double> log_p(static_cast<size_t>(rows));
      target_.Evaluate(x, log_p, {});
      Append(draws.log_p, log_p);
      target_.EvaluateContinued(x, log_p, {});
      Append(draws.log_continued, log_p);
      Append(draws.log_q, ToDoubles(flows::StandardNormalLogProb(z) - image.ladj));
    }
    return Estimate(draws, target_.log_z());
  }

  const flows::RealNvp& flow_;
  const TrainConfig config_;
  const targets::Target& target_;
  uint32_t substream_ = 0;
};

}  // namespace

std::unique_ptr<Criterion> MakeReverseKl(const flows::RealNvp& flow, const TrainConfig& config,
                                         const targets::Target& target) {
  return std::make_unique<ReverseKl>(flow, config, target);
}

}  // namespace sluiced::training

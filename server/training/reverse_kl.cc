// Reverse KL on a target.
#include <algorithm>
#include <utility>
#include <vector>

#include "server/common/philox.h"
#include "server/evaluation/importance.h"
#include "server/flows/base_draws.h"
#include "server/training/criterion.h"

namespace sluiced::training {
namespace {

using evaluation::Draws;
using evaluation::Estimates;

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

void Append(std::vector<double>& to, const std::vector<double>& more) {
  to.insert(to.end(), more.begin(), more.end());
}

class ReverseKl final : public Criterion {
 public:
  ReverseKl(std::unique_ptr<FlowGradients> flow, const TrainConfig& config,
            const targets::Target& target, const flows::FlowSpec& spec)
      : flow_(std::move(flow)),
        config_(config),
        target_(target),
        dtype_(spec.dtype),
        columns_(flows::NormalColumns(spec)) {}

  int64_t rows_per_epoch() const override { return config_.rows; }

  void BeginEpoch(int64_t epoch) override {
    substream_ = config_.fixed_draws ? 0 : static_cast<uint32_t>(epoch);
    power_ = AnnealingAt(config_, epoch);
  }

  double Batch(const Array& parameters, int64_t first, int64_t count, Array* gradient) override {
    const Array z = Normals(Stream::kTrainDraws, substream_, first, count);
    std::vector<double> log_p(static_cast<size_t>(count));
    if (gradient == nullptr) {
      const FlowGradients::Images images = flow_->FromNormals(parameters, z);
      target_.EvaluateContinued(images.x, log_p, {});
      return Mean(images.log_q) - power_ * Mean(log_p);
    }
    const auto dim = static_cast<size_t>(target_.dim());
    const auto slope = [&](size_t first_row, std::span<const double> x, std::span<double> out) {
      target_.EvaluateContinued(x, std::span(log_p).subspan(first_row, x.size() / dim), out);
      for (double& slope_of_one : out) slope_of_one *= power_;
    };
    using Score = FlowGradients::Score;
    const double log_q = flow_->ReverseKl(
        parameters, z, config_.drop_score ? Score::kDrop : Score::kKeep, slope, gradient);
    return log_q - power_ * Mean(log_p);
  }

  Assessment Assess(const Array& parameters) override {
    const auto wanted = static_cast<int64_t>(kAssessedFraction * static_cast<double>(config_.rows));
    const Estimates estimates =
        Evaluate(parameters, kAssessSubstream, std::clamp(wanted, kFewestAssessed, kMostAssessed));
    return {estimates.loss, true,
            TargetProgress{.kl = estimates.kl,
                           .log_z_estimate = estimates.log_z_estimate,
                           .log_z_error = estimates.log_z_error,
                           .ess_fraction = estimates.ess_fraction,
                           .log_z_known = target_.log_z()}};
  }

  // The draws assessed are as good as any others.
  bool IsFiniteOnTrainingRows(const Array&) override { return true; }

  std::map<std::string, double> Measure(const Array& parameters) override {
    const Estimates estimates = Evaluate(parameters, kMeasureSubstream, kMeasured);
    std::map<std::string, double> metrics = {{"train_loss", estimates.loss}};
    const auto put = [&](const char* key, const std::optional<double>& value) {
      if (value) metrics[key] = *value;
    };
    put("kl", estimates.kl);
    put("kl_error", estimates.kl_error);
    put("log_z_estimate", estimates.log_z_estimate);
    put("log_z_error", estimates.log_z_error);
    put("ess_fraction", estimates.ess_fraction);
    put("log_z_known", target_.log_z());
    return metrics;
  }

 private:
  static double Mean(const std::vector<double>& values) {
    double sum = 0;
    for (double v : values) sum += v;
    return sum / static_cast<double>(values.size());
  }

  Array Normals(Stream stream, uint32_t substream, int64_t first, int64_t count) const {
    Array normals(DType::kFloat64, {count, columns_});
    NormalRows<double>(config_.seed, stream, substream, first, columns_, normals.as<double>());
    return normals.To(dtype_);
  }

  Estimates Evaluate(const Array& parameters, uint32_t substream, int64_t count) const {
    Draws draws;
    for (int64_t first = 0; first < count; first += kRowsAtOnce) {
      const int64_t rows = std::min(kRowsAtOnce, count - first);
      const FlowGradients::Images images =
          flow_->FromNormals(parameters, Normals(Stream::kEvaluate, substream, first, rows));
      std::vector<double> log_p(static_cast<size_t>(rows));
      target_.Evaluate(images.x, log_p, {});
      Append(draws.log_p, log_p);
      target_.EvaluateContinued(images.x, log_p, {});
      Append(draws.log_continued, log_p);
      Append(draws.log_q, images.log_q);
    }
    return evaluation::Estimate(draws, target_.log_z());
  }

  const std::unique_ptr<FlowGradients> flow_;
  const TrainConfig config_;
  const targets::Target& target_;
  const DType dtype_;
  const int64_t columns_;  // Normal numbers that make a draw.
  uint32_t substream_ = 0;
  double power_ = 1;  // Of the target's density in this epoch.
};

}  // namespace

std::unique_ptr<Criterion> MakeReverseKl(std::unique_ptr<FlowGradients> flow,
                                         const TrainConfig& config, const targets::Target& target,
                                         const flows::FlowSpec& spec) {
  return std::make_unique<ReverseKl>(std::move(flow), config, target, spec);
}

}  // namespace sluiced::training

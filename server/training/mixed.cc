// Rows and a target together.
#include <utility>

#include "server/training/criterion.h"

namespace sluiced::training {
namespace {

class Mixed final : public Criterion {
 public:
  Mixed(std::unique_ptr<Criterion> on_rows, std::unique_ptr<Criterion> on_target, double weight)
      : on_rows_(std::move(on_rows)), on_target_(std::move(on_target)), weight_(weight) {}

  int64_t rows_per_epoch() const override { return on_rows_->rows_per_epoch(); }

  void BeginEpoch(int64_t epoch) override {
    on_rows_->BeginEpoch(epoch);
    on_target_->BeginEpoch(epoch);
  }

  // As many draws as rows.
  double Batch(const Array& parameters, int64_t first, int64_t count, Array* gradient) override {
    const double of_rows = on_rows_->Batch(parameters, first, count, gradient);
    const double of_target = on_target_->Batch(parameters, first, count,
                                               gradient != nullptr ? &target_gradient_ : nullptr);
    if (gradient != nullptr) {
      if (gradient->dtype() == DType::kFloat32) {
        Blend<float>(gradient);
      } else {
        Blend<double>(gradient);
      }
    }
    return Mix(of_rows, of_target);
  }

  Assessment Assess(const Array& parameters) override {
    Assessment rows = on_rows_->Assess(parameters);
    Assessment target = on_target_->Assess(parameters);
    return {Mix(rows.loss, target.loss), rows.on_training_rows, std::move(target.target)};
  }

  bool IsFiniteOnTrainingRows(const Array& parameters) override {
    return on_rows_->IsFiniteOnTrainingRows(parameters);
  }

  // The losses are those on the rows; the target's stands beside them.
  std::map<std::string, double> Measure(const Array& parameters) override {
    std::map<std::string, double> metrics = on_rows_->Measure(parameters);
    for (const auto& [name, value] : on_target_->Measure(parameters)) {
      metrics[name == "train_loss" ? "target_loss" : name] = value;
    }
    return metrics;
  }

 private:
  double Mix(double of_rows, double of_target) const {
    return (1 - weight_) * of_rows + weight_ * of_target;
  }

  template <typename T>
  void Blend(Array* gradient) const {
    const auto other = target_gradient_.as<T>();
    auto of_rows = gradient->template as<T>();
    const auto weight = static_cast<T>(weight_);
    for (size_t i = 0; i < other.size(); ++i) {
      of_rows[i] = (1 - weight) * of_rows[i] + weight * other[i];
    }
  }

  const std::unique_ptr<Criterion> on_rows_, on_target_;
  const double weight_;
  Array target_gradient_;
};

}  // namespace

std::unique_ptr<Criterion> MakeMixed(std::unique_ptr<Criterion> on_rows,
                                     std::unique_ptr<Criterion> on_target, double weight) {
  return std::make_unique<Mixed>(std::move(on_rows), std::move(on_target), weight);
}

}  // namespace sluiced::training

#include <algorithm>
#include <utility>

#include "server/engine/crew.h"
#include "server/engine/training_plan.h"
#include "server/flows/parameters.h"
#include "server/training/flow_gradients.h"

namespace sluiced::training {
namespace {

std::vector<double> ToDoubles(const Array& array) {
  const Array wide = array.To(DType::kFloat64);
  const auto values = wide.as<double>();
  return {values.begin(), values.end()};
}

// Zero, or whatever an array of this shape and dtype held before.
void Shape(Array* array, DType dtype, const std::vector<int64_t>& shape) {
  if (array->dtype() != dtype || array->shape() != shape) *array = Array(dtype, shape);
}

template <typename T>
class EngineGradients final : public FlowGradients {
 public:
  EngineGradients(const flows::FlowSpec& spec, const flows::Standardization& standardization,
                  int threads)
      : spec_(spec),
        crew_(threads),
        plan_(spec, standardization,
              Array(spec.dtype, {flows::ParameterCount(spec)}).template as<T>(), &crew_) {}

  double NegativeLogLikelihood(const Array& parameters, const Array& x, Array* gradient) override {
    plan_.Update(parameters.as<T>(), engine::PackFor::kDensities);
    if (gradient != nullptr) {
      Shape(gradient, spec_.dtype, parameters.shape());
      return plan_.Likelihood(x.as<T>(), gradient->as<T>());
    }
    ScoreRows(x);
    double sum = 0;
    for (T value : log_prob_) sum -= static_cast<double>(value);
    return sum / static_cast<double>(x.rows());
  }

  std::vector<double> LogProb(const Array& parameters, const Array& x) override {
    plan_.Update(parameters.as<T>(), engine::PackFor::kDensities);
    ScoreRows(x);
    return {log_prob_.begin(), log_prob_.end()};
  }

  Images FromNormals(const Array& parameters, const Array& normals) override {
    plan_.Update(parameters.as<T>());
    Array x(spec_.dtype, {normals.rows(), spec_.dim}), log_q(spec_.dtype, {normals.rows()});
    plan_.Draw(normals.as<T>(), x.as<T>(), log_q.as<T>());
    return {ToDoubles(x), ToDoubles(log_q)};
  }

  double ReverseKl(const Array& parameters, const Array& normals, Score score,
                   const SlopeFunction& slope, Array* gradient) override {
    plan_.Update(parameters.as<T>());
    Shape(gradient, spec_.dtype, parameters.shape());
    const auto of_tile = [&](size_t first_row, std::span<const T> tile, std::span<T> out) {
      // Of this thread: tiles of different rows come at the same time.
      thread_local std::vector<double> x, slopes;
      x.assign(tile.begin(), tile.end());
      slopes.resize(x.size());
      slope(first_row, x, slopes);
      std::transform(slopes.begin(), slopes.end(), out.begin(),
                     [](double value) { return static_cast<T>(value); });
    };
    return plan_.ReverseKl(normals.as<T>(),
                           score == Score::kDrop ? engine::Score::kDrop : engine::Score::kKeep,
                           of_tile, gradient->as<T>());
  }

 private:
  void ScoreRows(const Array& x) {
    log_prob_.resize(static_cast<size_t>(x.rows()));
    plan_.LogProb(x.as<T>(), std::span<T>(log_prob_));
  }

  const flows::FlowSpec spec_;
  engine::Crew crew_;
  engine::TrainingPlan<T> plan_;
  std::vector<T> log_prob_;
};

}  // namespace

std::unique_ptr<FlowGradients> MakeEngineGradients(const flows::FlowSpec& spec,
                                                   const flows::Standardization& standardization,
                                                   int threads) {
  if (spec.dtype == DType::kFloat32) {
    return std::make_unique<EngineGradients<float>>(spec, standardization, threads);
  }
  return std::make_unique<EngineGradients<double>>(spec, standardization, threads);
}

std::unique_ptr<FlowGradients> MakeGradients(const flows::FlowSpec& spec,
                                             const flows::Standardization& standardization,
                                             int threads) {
  return flows::ExecutorFor(spec) == flows::Executor::kTorch
             ? MakeTorchGradients(spec, standardization)
             : MakeEngineGradients(spec, standardization, threads);
}

}  // namespace sluiced::training

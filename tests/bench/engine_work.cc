#include "tests/bench/engine_work.h"

#include <memory>
#include <utility>

#include "server/engine/adam.h"
#include "server/engine/crew.h"
#include "server/engine/plan.h"
#include "server/engine/training_plan.h"

namespace sluiced::bench {
namespace {

template <typename T>
struct Scoring {
  Scoring(const Shape& shape, int64_t rows, int threads) : Scoring(StateOf(shape), threads) {
    x = Points(rows, shape);
    log_prob = Array(shape.dtype, {rows});
  }
  Scoring(const flows::FlowState& state, int threads)
      : crew(threads),
        plan(state.spec, state.standardization, state.parameters.as<T>()),
        workspaces(static_cast<size_t>(threads)) {}

  void Run() {
    const std::span<const T> in = std::as_const(x).template as<T>();
    const std::span<T> out = log_prob.template as<T>();
    const auto parts = static_cast<int64_t>(8 * workspaces.size());
    if (workspaces.size() == 1) return plan.LogProb(in, out, workspaces[0]);
    crew.Run(parts, [&](int64_t part, int worker) {
      const auto first = static_cast<size_t>(part * x.rows() / parts);
      const auto count = static_cast<size_t>((part + 1) * x.rows() / parts) - first;
      const auto dim = static_cast<size_t>(plan.dim());
      plan.LogProb(in.subspan(first * dim, count * dim), out.subspan(first, count),
                   workspaces[static_cast<size_t>(worker)]);
    });
  }

  engine::Crew crew;
  engine::Plan<T> plan;
  std::vector<engine::Workspace<T>> workspaces;
  Array x, log_prob;
};

template <typename T>
Work LogProb(const Shape& shape, int64_t rows, int threads) {
  auto scoring = std::make_shared<Scoring<T>>(shape, rows, threads);
  return [scoring] { scoring->Run(); };
}

template <typename T>
Work Sample(const Shape& shape, int64_t rows) {
  const flows::FlowState state = StateOf(shape);
  auto plan = std::make_shared<engine::Plan<T>>(state.spec, state.standardization,
                                                state.parameters.as<T>());
  auto workspace = std::make_shared<engine::Workspace<T>>();
  auto x = std::make_shared<Array>(shape.dtype, std::vector<int64_t>{rows, shape.dim});
  auto log_prob = std::make_shared<Array>(shape.dtype, std::vector<int64_t>{rows});
  return [=] {
    plan->Sample(kSeed, 0, {}, x->template as<T>(), log_prob->template as<T>(), *workspace);
  };
}

template <typename T>
struct Training {
  Training(const flows::FlowState& state, Array rows, int threads)
      : crew(threads),
        plan(state.spec, state.standardization, state.parameters.as<T>(), &crew),
        x(std::move(rows)),
        parameters(state.parameters),
        gradient(state.spec.dtype, parameters.shape()),
        first(gradient),
        second(gradient) {}

  void Run() {
    const std::span<T> into = gradient.template as<T>();
    const std::span<const T> along = into;
    plan.Likelihood(std::as_const(x).template as<T>(), into);
    const engine::AdamStep step = {.learning_rate = 1e-4,
                                   .updates = ++updates,
                                   .gradient_scale = engine::ClipScale(engine::Norm<T>(along), 5)};
    const engine::AdamState<T> state = {parameters.template as<T>(), first.template as<T>(),
                                        second.template as<T>()};
    engine::Update<T>(step, along, {state.parameters, state.first_moment, state.second_moment},
                      state);
    plan.Update(std::as_const(parameters).template as<T>(), engine::PackFor::kDensities);
  }

  engine::Crew crew;
  engine::TrainingPlan<T> plan;
  Array x, parameters, gradient, first, second;
  int64_t updates = 0;
};

template <typename T>
Work Step(const Shape& shape, int64_t rows, int threads) {
  auto training = std::make_shared<Training<T>>(StateOf(shape), Points(rows, shape), threads);
  return [training] { training->Run(); };
}

}  // namespace

Work EngineLogProb(const Shape& shape, int64_t rows, int threads) {
  return shape.dtype == DType::kFloat32 ? LogProb<float>(shape, rows, threads)
                                        : LogProb<double>(shape, rows, threads);
}

Work EngineSample(const Shape& shape, int64_t rows) {
  return shape.dtype == DType::kFloat32 ? Sample<float>(shape, rows) : Sample<double>(shape, rows);
}

Work EngineStep(const Shape& shape, int64_t rows, int threads) {
  return shape.dtype == DType::kFloat32 ? Step<float>(shape, rows, threads)
                                        : Step<double>(shape, rows, threads);
}

double FlopsOf(const Shape& shape) {
  const flows::FlowState state = StateOf(shape);
  const Array wide = state.parameters.To(DType::kFloat64);
  const engine::Plan<double> plan(state.spec, state.standardization, wide.as<double>());
  return 2.0 * static_cast<double>(plan.multiply_adds());
}

}  // namespace sluiced::bench

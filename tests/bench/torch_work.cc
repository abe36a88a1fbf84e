#include "tests/bench/torch_work.h"

#include <benchmark/benchmark.h>
#include <torch/torch.h>

#include <cmath>
#include <memory>
#include <string>

#include "server/flows/torch_flow.h"
#include "tests/bench/torch_modules.h"
#include "tests/flows/tensors.h"

namespace sluiced::bench {
namespace {

constexpr double kLearningRate = 1e-4;

torch::ScalarType TypeOf(const Shape& shape) {
  return shape.dtype == DType::kFloat32 ? torch::kFloat32 : torch::kFloat64;
}

struct Reference {
  explicit Reference(const Shape& shape)
      : state(StateOf(shape)),
        flow(state.spec, state.standardization),
        parameters(flows::TensorOf(state.parameters)) {}

  const flows::FlowState state;
  const flows::TorchFlow flow;
  torch::Tensor parameters;
};

std::shared_ptr<FlowModule> Modules(const Shape& shape) {
  torch::manual_seed(kSeed);
  auto flow = std::make_shared<FlowModule>(shape.dim, shape.layers, shape.hidden);
  flow->to(TypeOf(shape));
  return flow;
}

template <typename LogProb>
void TrainStep(torch::optim::Adam& adam, const LogProb& log_prob) {
  adam.zero_grad();
  const torch::Tensor loss = -log_prob().mean();
  loss.backward();
  adam.step();
  benchmark::DoNotOptimize(loss.item<double>());
}

}  // namespace

void SetTorchThreads(int threads) { torch::set_num_threads(threads); }

Work ReferenceLogProb(const Shape& shape, int64_t rows) {
  auto reference = std::make_shared<Reference>(shape);
  const torch::Tensor x = flows::TensorOf(Points(rows, shape));
  const flows::TorchFlow::Bound bound = reference->flow.Bind(reference->parameters);
  return [=] {
    const torch::InferenceMode guard;
    benchmark::DoNotOptimize(reference->flow.LogProb(bound, x).data_ptr());
  };
}

Work ReferenceSample(const Shape& shape, int64_t rows) {
  auto reference = std::make_shared<Reference>(shape);
  const flows::TorchFlow::Bound bound = reference->flow.Bind(reference->parameters);
  return [=] {
    const torch::InferenceMode guard;
    const torch::Tensor z = torch::randn({rows, shape.dim}, TypeOf(shape));
    const flows::TorchFlow::Result image = reference->flow.FromBase(bound, z);
    benchmark::DoNotOptimize(
        (reference->flow.base().LogProb(bound.base, z) - image.ladj).data_ptr());
  };
}

Work ReferenceStep(const Shape& shape, int64_t rows) {
  auto reference = std::make_shared<Reference>(shape);
  reference->parameters.requires_grad_();
  const torch::Tensor x = flows::TensorOf(Points(rows, shape));
  auto adam = std::make_shared<torch::optim::Adam>(
      std::vector<torch::Tensor>{reference->parameters}, torch::optim::AdamOptions(kLearningRate));
  return [=] {
    const flows::TorchFlow& flow = reference->flow;
    TrainStep(*adam, [&] { return flow.LogProb(flow.Bind(reference->parameters), x); });
  };
}

Work ModulesLogProb(const Shape& shape, int64_t rows) {
  const auto flow = Modules(shape);
  const torch::Tensor x = flows::TensorOf(Points(rows, shape));
  return [=] {
    const torch::InferenceMode guard;
    benchmark::DoNotOptimize(flow->LogProb(x).data_ptr());
  };
}

Work ModulesSample(const Shape& shape, int64_t rows) {
  const auto flow = Modules(shape);
  return [=] {
    const torch::InferenceMode guard;
    const auto [x, log_prob] = flow->Sample(rows, TypeOf(shape));
    benchmark::DoNotOptimize(x.data_ptr());
    benchmark::DoNotOptimize(log_prob.data_ptr());
  };
}

Work ModulesStep(const Shape& shape, int64_t rows) {
  const auto flow = Modules(shape);
  const torch::Tensor x = flows::TensorOf(Points(rows, shape));
  auto adam = std::make_shared<torch::optim::Adam>(flow->parameters(),
                                                   torch::optim::AdamOptions(kLearningRate));
  return [=] { TrainStep(*adam, [&] { return flow->LogProb(x); }); };
}

Work ModulesEpoch(const Array& rows, int64_t batch_size) {
  const auto flow = Modules({rows.cols(), 8, 32, DType::kFloat32});
  const torch::Tensor data = flows::TensorOf(rows);
  auto adam = std::make_shared<torch::optim::Adam>(flow->parameters(),
                                                   torch::optim::AdamOptions(kLearningRate));
  return [=] {
    const torch::Tensor order = torch::randperm(data.size(0));
    for (const torch::Tensor& batch : order.split(batch_size)) {
      TrainStep(*adam, [&] { return flow->LogProb(data.index_select(0, batch)); });
    }
  };
}

}  // namespace sluiced::bench

#include <torch/torch.h>

#include <cstring>

#include "server/flows/torch_flow.h"
#include "server/training/flow_gradients.h"

namespace sluiced::training {
namespace {

// The same numbers, not copied: `array` must outlive the tensor, which is only read.
torch::Tensor View(const Array& array) {
  return torch::from_blob(const_cast<std::byte*>(array.bytes().data()), array.shape(),
                          flows::ScalarTypeOf(array.dtype()));
}

Array ToArray(const torch::Tensor& tensor) {
  const torch::Tensor whole = tensor.detach().contiguous();
  Array array(whole.scalar_type() == torch::kFloat64 ? DType::kFloat64 : DType::kFloat32,
              whole.sizes().vec());
  std::memcpy(array.bytes().data(), whole.data_ptr(), array.bytes().size());
  return array;
}

std::vector<double> ToDoubles(const torch::Tensor& tensor) {
  const torch::Tensor whole = tensor.detach().to(torch::kFloat64).contiguous();
  const double* data = whole.data_ptr<double>();
  return {data, data + whole.numel()};
}

class TorchGradients final : public FlowGradients {
 public:
  TorchGradients(const flows::FlowSpec& spec, const flows::Standardization& standardization)
      : flow_(spec, standardization) {}

  double NegativeLogLikelihood(const Array& parameters, const Array& x, Array* gradient) override {
    const torch::AutoGradMode with_gradient(gradient != nullptr);
    const torch::Tensor leaf = Leaf(parameters);
    const torch::Tensor losses = -flow_.LogProb(flow_.Bind(leaf), View(x));
    if (gradient != nullptr) *gradient = Gradient(losses.mean(), leaf);
    return losses.detach().mean(torch::kFloat64).item<double>();
  }

  std::vector<double> LogProb(const Array& parameters, const Array& x) override {
    const torch::NoGradGuard no_grad;
    return ToDoubles(flow_.LogProb(flow_.Bind(View(parameters)), View(x)));
  }

  Images FromNormals(const Array& parameters, const Array& normals) override {
    const torch::NoGradGuard no_grad;
    const Drawn drawn = Draw(flow_.Bind(View(parameters)), normals);
    return {ToDoubles(drawn.x), ToDoubles(drawn.log_q)};
  }

  double ReverseKl(const Array& parameters, const Array& normals, Score score,
                   const SlopeFunction& slope, Array* gradient) override {
    const torch::Tensor leaf = Leaf(parameters);
    const Drawn drawn = Draw(flow_.Bind(leaf), normals);
    const std::vector<double> x = ToDoubles(drawn.x);
    std::vector<double> slopes(x.size());
    slope(0, x, slopes);
    // d/dtheta log p(x(theta)) = (d log p / dx) . (dx / dtheta).
    const torch::Tensor pull =
        torch::from_blob(slopes.data(), drawn.x.sizes(), torch::kFloat64).to(drawn.x.scalar_type());
    const torch::Tensor path = (pull * drawn.x).sum(1).mean();
    const torch::Tensor entropy = score == Score::kDrop
                                      ? flow_.LogProb(flow_.Bind(leaf.detach()), drawn.x).mean()
                                      : drawn.log_q.mean();
    *gradient = Gradient(entropy - path, leaf);
    return drawn.log_q.detach().mean(torch::kFloat64).item<double>();
  }

 private:
  struct Drawn {
    torch::Tensor x, log_q;
  };
  Drawn Draw(const flows::TorchFlow::Bound& bound, const Array& normals) const {
    const torch::Tensor z = flow_.base().FromNormals(bound.base, View(normals));
    const flows::TorchFlow::Result image = flow_.FromBase(bound, z);
    return {image.values, flow_.base().LogProb(bound.base, z) - image.ladj};
  }

  static torch::Tensor Leaf(const Array& parameters) { return View(parameters).requires_grad_(); }

  static Array Gradient(const torch::Tensor& loss, const torch::Tensor& leaf) {
    return ToArray(torch::autograd::grad({loss}, {leaf})[0]);
  }

  const flows::TorchFlow flow_;
};

}  // namespace

std::unique_ptr<FlowGradients> MakeTorchGradients(const flows::FlowSpec& spec,
                                                  const flows::Standardization& standardization) {
  return std::make_unique<TorchGradients>(spec, standardization);
}

}  // namespace sluiced::training

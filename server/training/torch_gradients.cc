#include <torch/torch.h>

#include <cstring>

#include "server/flows/real_nvp.h"
#include "server/training/flow_gradients.h"

namespace sluiced::training {
namespace {

torch::ScalarType TypeOf(DType dtype) {
  return dtype == DType::kFloat32 ? torch::kFloat32 : torch::kFloat64;
}

// The same numbers, not copied: `array` must outlive the tensor, which is only read.
torch::Tensor View(const Array& array) {
  return torch::from_blob(const_cast<std::byte*>(array.bytes().data()), array.shape(),
                          TypeOf(array.dtype()));
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
    const torch::Tensor losses = -flow_.LogProb(leaf, View(x));
    if (gradient != nullptr) *gradient = Gradient(losses.mean(), leaf);
    return losses.detach().mean(torch::kFloat64).item<double>();
  }

  Images FromBase(const Array& parameters, const Array& z) override {
    const torch::NoGradGuard no_grad;
    const torch::Tensor base = View(z);
    const flows::RealNvp::Result image = flow_.FromBase(View(parameters), base);
    return {ToDoubles(image.values), ToDoubles(flows::StandardNormalLogProb(base) - image.ladj)};
  }

  double ReverseKl(const Array& parameters, const Array& z, Score score, const SlopeFunction& slope,
                   Array* gradient) override {
    const torch::Tensor leaf = Leaf(parameters);
    const torch::Tensor base = View(z);
    const flows::RealNvp::Result image = flow_.FromBase(leaf, base);
    const torch::Tensor log_q = flows::StandardNormalLogProb(base) - image.ladj;
    const std::vector<double> x = ToDoubles(image.values);
    std::vector<double> slopes(x.size());
    slope(0, x, slopes);
    // d/dtheta log p(x(theta)) = (d log p / dx) . (dx / dtheta).
    const torch::Tensor pull =
        torch::from_blob(slopes.data(), image.values.sizes(), torch::kFloat64)
            .to(image.values.scalar_type());
    const torch::Tensor path = (pull * image.values).sum(1).mean();
    const torch::Tensor entropy =
        score == Score::kDrop ? flow_.LogProb(leaf.detach(), image.values).mean() : log_q.mean();
    *gradient = Gradient(entropy - path, leaf);
    return log_q.detach().mean(torch::kFloat64).item<double>();
  }

 private:
  static torch::Tensor Leaf(const Array& parameters) { return View(parameters).requires_grad_(); }

  static Array Gradient(const torch::Tensor& loss, const torch::Tensor& leaf) {
    return ToArray(torch::autograd::grad({loss}, {leaf})[0]);
  }

  const flows::RealNvp flow_;
};

}  // namespace

std::unique_ptr<FlowGradients> MakeTorchGradients(const flows::FlowSpec& spec,
                                                  const flows::Standardization& standardization) {
  return std::make_unique<TorchGradients>(spec, standardization);
}

}  // namespace sluiced::training

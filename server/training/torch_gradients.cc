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

  Images BeginPath(const Array& parameters, const Array& z) override {
    leaf_ = Leaf(parameters);
    const torch::Tensor base = View(z);
    const flows::RealNvp::Result image = flow_.FromBase(leaf_, base);
    x_ = image.values;
    log_q_ = flows::StandardNormalLogProb(base) - image.ladj;
    return {ToDoubles(x_), ToDoubles(log_q_)};
  }

  void EndPath(const std::vector<double>& slope, Score score, Array* gradient) override {
    // d/dtheta log p(x(theta)) = (d log p / dx) . (dx / dtheta).
    const torch::Tensor pull =
        torch::from_blob(const_cast<double*>(slope.data()), x_.sizes(), torch::kFloat64)
            .to(x_.scalar_type());
    const torch::Tensor path = (pull * x_).sum(1).mean();
    const torch::Tensor entropy =
        score == Score::kDrop ? flow_.LogProb(leaf_.detach(), x_).mean() : log_q_.mean();
    *gradient = Gradient(entropy - path, leaf_);
    leaf_ = x_ = log_q_ = torch::Tensor();
  }

 private:
  static torch::Tensor Leaf(const Array& parameters) { return View(parameters).requires_grad_(); }

  static Array Gradient(const torch::Tensor& loss, const torch::Tensor& leaf) {
    return ToArray(torch::autograd::grad({loss}, {leaf})[0]);
  }

  const flows::RealNvp flow_;
  torch::Tensor leaf_, x_, log_q_;  // Of the path begun.
};

}  // namespace

std::unique_ptr<FlowGradients> MakeTorchGradients(const flows::FlowSpec& spec,
                                                  const flows::Standardization& standardization) {
  return std::make_unique<TorchGradients>(spec, standardization);
}

}  // namespace sluiced::training

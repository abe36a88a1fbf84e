// The RealNVP flow as one writes it in torch::nn: a scale and a shift net in every
// layer, masks that multiply, one tensor a parameter. Its nets are those of the flow
// that is measured (dim -> hidden -> hidden -> dim, LeakyReLU), so it does the same
// work by the usual means, and what the masks throw away besides.
#pragma once

#include <torch/torch.h>

#include <utility>
#include <vector>

namespace sluiced::bench {

class CouplingModule : public torch::nn::Module {
 public:
  CouplingModule(torch::Tensor mask, int64_t hidden)
      : mask_(register_buffer("mask", std::move(mask))),
        scale_(register_module("scale", Net(mask_.size(0), hidden))),
        shift_(register_module("shift", Net(mask_.size(0), hidden))) {}

  // The image and log|det J|.
  std::pair<torch::Tensor, torch::Tensor> ToBase(const torch::Tensor& y) {
    const torch::Tensor kept = y * mask_, free = 1 - mask_;
    const torch::Tensor scale = scale_->forward(kept), shift = shift_->forward(kept);
    return {kept + free * ((y - shift) * torch::exp(-scale)), -(free * scale).sum(-1)};
  }
  std::pair<torch::Tensor, torch::Tensor> FromBase(const torch::Tensor& x) {
    const torch::Tensor kept = x * mask_, free = 1 - mask_;
    const torch::Tensor scale = scale_->forward(kept), shift = shift_->forward(kept);
    return {kept + free * (x * torch::exp(scale) + shift), (free * scale).sum(-1)};
  }

 private:
  static torch::nn::Sequential Net(int64_t dim, int64_t hidden) {
    using torch::nn::LeakyReLU, torch::nn::Linear;
    return torch::nn::Sequential(Linear(dim, hidden), LeakyReLU(), Linear(hidden, hidden),
                                 LeakyReLU(), Linear(hidden, dim));
  }

  torch::Tensor mask_;
  torch::nn::Sequential scale_, shift_;
};

class FlowModule : public torch::nn::Module {
 public:
  FlowModule(int64_t dim, int64_t layers, int64_t hidden) : dim_(dim) {
    const torch::Tensor first = (torch::arange(dim) < dim / 2).to(torch::kFloat32);
    for (int64_t layer = 0; layer < layers; ++layer) {
      layers_.push_back(register_module(
          "layer" + std::to_string(layer),
          std::make_shared<CouplingModule>(layer % 2 == 0 ? first : 1 - first, hidden)));
    }
  }

  torch::Tensor LogProb(torch::Tensor x) {
    torch::Tensor ladj = torch::zeros({x.size(0)}, x.options());
    for (auto layer = layers_.rbegin(); layer != layers_.rend(); ++layer) {
      auto [image, part] = (*layer)->ToBase(x);
      x = image;
      ladj = ladj + part;
    }
    return ladj + StandardNormal(x);
  }

  // Rows and their log-densities.
  std::pair<torch::Tensor, torch::Tensor> Sample(int64_t rows, torch::ScalarType type) {
    torch::Tensor x = torch::randn({rows, dim_}, type);
    torch::Tensor log_prob = StandardNormal(x);
    for (const auto& layer : layers_) {
      auto [image, part] = layer->FromBase(x);
      x = image;
      log_prob = log_prob - part;
    }
    return {x, log_prob};
  }

 private:
  torch::Tensor StandardNormal(const torch::Tensor& z) const {
    return -0.5 * (z.square().sum(-1) + static_cast<double>(dim_) * std::log(2 * M_PI));
  }

  const int64_t dim_;
  std::vector<std::shared_ptr<CouplingModule>> layers_;
};

}  // namespace sluiced::bench

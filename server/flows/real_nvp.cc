#include "server/flows/real_nvp.h"

#include <cmath>
#include <numbers>
#include <utility>

#include "server/flows/parameters.h"

namespace sluiced::flows {
namespace {

constexpr double kLeakySlope = 0.01;  // torch.nn.LeakyReLU's default.

torch::ScalarType ScalarTypeOf(DType dtype) {
  return dtype == DType::kFloat32 ? torch::kFloat32 : torch::kFloat64;
}

// Layers of one parity condition on the same columns.
size_t ConditioningHalf(int64_t layer) { return static_cast<size_t>(layer % 2); }

// The pieces of every layer's nets that layers of this parity use, [2, ...] each.
// A part is [layers, 2, rows, columns] of weights in PyTorch's order, [out, in].
std::vector<torch::Tensor> ByLayer(torch::Tensor part, int64_t parity) {
  return part.slice(0, parity, part.size(0), 2).transpose(2, 3).unbind(0);
}

}  // namespace

// Few large views instead of many small ones: autograd pays for each when it goes
// back, and a step on small nets is little else.
ConditionerViews::ConditionerViews(const FlowSpec& spec, const torch::Tensor& parameters)
    : layers_(static_cast<size_t>(spec.layers)) {
  const std::vector<LinearShape> shapes = ConditionerShapes(spec);
  std::vector<int64_t> sizes;
  for (const LinearShape& shape : shapes) {
    sizes.insert(sizes.end(), {shape.in * shape.out, shape.out});
  }
  const std::vector<torch::Tensor> parts =
      parameters.view({spec.layers, 2, -1}).split_with_sizes(sizes, 2);

  const int64_t halves[] = {spec.dim / 2, spec.dim - spec.dim / 2};
  for (int64_t parity = 0; parity < std::min<int64_t>(spec.layers, 2); ++parity) {
    const int64_t first_in = parity == 0 ? 0 : halves[0];
    const int64_t first_out = parity == 0 ? halves[0] : 0;
    for (size_t k = 0; k < shapes.size(); ++k) {
      torch::Tensor weight = parts[2 * k].view({spec.layers, 2, shapes[k].out, shapes[k].in});
      torch::Tensor bias = parts[2 * k + 1].view({spec.layers, 2, shapes[k].out, 1});
      if (k == 0) weight = weight.narrow(3, first_in, halves[parity]);
      if (k + 1 == shapes.size()) {
        weight = weight.narrow(2, first_out, halves[1 - parity]);
        bias = bias.narrow(2, first_out, halves[1 - parity]);
      }
      std::vector<torch::Tensor> weights = ByLayer(weight, parity);
      std::vector<torch::Tensor> biases = ByLayer(bias, parity);
      for (size_t i = 0; i < weights.size(); ++i) {
        layers_[2 * i + static_cast<size_t>(parity)].push_back(
            {std::move(weights[i]), std::move(biases[i])});
      }
    }
  }
}

RealNvp::RealNvp(const FlowSpec& spec, const Standardization& standardization) : spec_(spec) {
  if (standardization.empty()) return;
  // Inference tensors could not be used under autograd later.
  const torch::InferenceMode off(false);
  const auto dtype = ScalarTypeOf(spec.dtype);
  shift_ = torch::tensor(standardization.shift, torch::kFloat64).to(dtype);
  scale_ = torch::tensor(standardization.scale, torch::kFloat64).to(dtype);
  for (double scale : standardization.scale) standardization_ladj_ -= std::log(scale);
}

RealNvp::Halves RealNvp::Split(const torch::Tensor& points) const {
  const int64_t half = spec_.dim / 2;
  return {points.narrow(1, 0, half), points.narrow(1, half, spec_.dim - half)};
}

// Odd layers of one dimension have nothing to transform.
bool RealNvp::Transforms(int64_t layer) const { return spec_.dim > 1 || layer % 2 == 0; }

// Only the columns that survive the seed's mask go in, and only those that survive
// it come out: the masked products are zeros there, but for 0 * inf = NaN.
RealNvp::ScaleAndShift RealNvp::Condition(const ConditionerViews& conditioners, int64_t layer,
                                          const torch::Tensor& conditioning) const {
  torch::Tensor h = conditioning.expand({2, conditioning.size(0), conditioning.size(1)});
  const std::vector<ConditionerViews::Linear>& linears = conditioners.layer(layer);
  for (size_t k = 0; k < linears.size(); ++k) {
    h = torch::baddbmm(linears[k].bias, h, linears[k].weight);
    if (k + 1 < linears.size()) torch::leaky_relu_(h, kLeakySlope);
  }
  std::vector<torch::Tensor> nets = h.unbind(0);
  if (spec_.scale_bound > 0) {
    nets[0] = (nets[0] * (1 / spec_.scale_bound)).tanh() * spec_.scale_bound;
  }
  return {std::move(nets[0]), std::move(nets[1])};
}

torch::Tensor RealNvp::SumScales(const std::vector<torch::Tensor>& scales,
                                 const torch::Tensor& points) const {
  if (scales.empty()) return torch::zeros({points.size(0)}, points.options());
  return torch::cat(scales, 1).sum(1);
}

RealNvp::Result RealNvp::ToBase(const ConditionerViews& conditioners, const torch::Tensor& x,
                                KeepLayers keep) const {
  Result result;
  Halves halves = Split(scale_.defined() ? (x - shift_) / scale_ : x);
  std::vector<torch::Tensor> scales;
  for (int64_t layer = spec_.layers - 1; layer >= 0; --layer) {
    if (Transforms(layer)) {
      const size_t from = ConditioningHalf(layer);
      auto [scale, shift] = Condition(conditioners, layer, halves[from]);
      halves[1 - from] = (halves[1 - from] - shift) * torch::exp(-scale);
      scales.push_back(std::move(scale));
    }
    if (keep == KeepLayers::kYes) result.layers.push_back(torch::cat({halves[0], halves[1]}, 1));
  }
  result.values = torch::cat({halves[0], halves[1]}, 1);
  result.ladj = standardization_ladj_ - SumScales(scales, x);
  return result;
}

RealNvp::Result RealNvp::FromBase(const ConditionerViews& conditioners, const torch::Tensor& z,
                                  KeepLayers keep) const {
  Result result;
  Halves halves = Split(z);
  std::vector<torch::Tensor> scales;
  for (int64_t layer = 0; layer < spec_.layers; ++layer) {
    if (Transforms(layer)) {
      const size_t from = ConditioningHalf(layer);
      auto [scale, shift] = Condition(conditioners, layer, halves[from]);
      halves[1 - from] = halves[1 - from] * torch::exp(scale) + shift;
      scales.push_back(std::move(scale));
    }
    if (keep == KeepLayers::kYes) result.layers.push_back(torch::cat({halves[0], halves[1]}, 1));
  }
  result.values = torch::cat({halves[0], halves[1]}, 1);
  if (scale_.defined()) result.values = result.values * scale_ + shift_;
  if (keep == KeepLayers::kYes) result.layers.back() = result.values;
  result.ladj = SumScales(scales, z) - standardization_ladj_;
  return result;
}

RealNvp::Result RealNvp::ToBase(const torch::Tensor& parameters, const torch::Tensor& x,
                                KeepLayers keep) const {
  return ToBase(ConditionerViews(spec_, parameters), x, keep);
}

RealNvp::Result RealNvp::FromBase(const torch::Tensor& parameters, const torch::Tensor& z,
                                  KeepLayers keep) const {
  return FromBase(ConditionerViews(spec_, parameters), z, keep);
}

torch::Tensor RealNvp::LogProb(const ConditionerViews& conditioners, const torch::Tensor& x) const {
  const Result base = ToBase(conditioners, x);
  return StandardNormalLogProb(base.values) + base.ladj;
}

torch::Tensor RealNvp::LogProb(const torch::Tensor& parameters, const torch::Tensor& x) const {
  return LogProb(ConditionerViews(spec_, parameters), x);
}

torch::Tensor StandardNormalLogProb(const torch::Tensor& z) {
  const double log_normalizer = 0.5 * std::log(2 * std::numbers::pi);
  return z.square().sum(1) * -0.5 - static_cast<double>(z.size(1)) * log_normalizer;
}

}  // namespace sluiced::flows

#include "server/flows/torch_flow.h"

#include <utility>

#include "server/flows/layers.h"

namespace sluiced::flows {
namespace {

torch::Tensor OrZeros(const torch::Tensor& ladj, const torch::Tensor& rows) {
  return ladj.defined() ? ladj : torch::zeros({rows.size(0)}, rows.options());
}

}  // namespace

TorchFlow::TorchFlow(const FlowSpec& spec, const Standardization& standardization)
    : spec_(spec), data_(spec, standardization), base_(spec) {
  // Inference tensors could not be used under autograd later.
  const torch::InferenceMode off(false);
  for (int64_t layer = 0; layer < spec.layers; ++layer) layers_.push_back(MakeLayer(layer));
  if (spec.architecture == Architecture::kNice) scaling_ = MakeScaling(spec);
}

TorchFlow::Layer TorchFlow::MakeLayer(int64_t layer) const {
  Layer made;
  if (spec_.architecture == Architecture::kRealNvp) {
    made.push_back(MakeSeedCoupling(spec_, layer));
  } else if (IsAutoregressive(spec_.architecture)) {
    made.push_back(MakeAutoregressive(spec_, layer));
  } else {
    made.push_back(MakeCoupling(spec_, layer));
  }
  if (spec_.act_norm) made.push_back(MakeActNorm(spec_, layer));
  if (spec_.mixing == Mixing::kLu) made.push_back(MakeLu(spec_, layer));
  if (!Permutation(spec_, layer).empty()) made.push_back(MakePermutation(spec_, layer));
  return made;
}

TorchFlow::Bound TorchFlow::Bind(const torch::Tensor& parameters) const {
  Bound bound;
  for (const Layer& layer : layers_) {
    std::vector<Views>& views = bound.layers.emplace_back();
    for (const auto& transform : layer) views.push_back(transform->Bind(parameters));
  }
  if (scaling_) bound.scaling = scaling_->Bind(parameters);
  bound.base = base_.Bind(parameters);
  return bound;
}

torch::Tensor TorchFlow::Points(const torch::Tensor& rows) const {
  return spec_.context_dim == 0 ? rows : rows.narrow(1, 0, spec_.dim);
}

Given TorchFlow::GivenBy(const torch::Tensor& rows) const {
  if (spec_.context_dim == 0) return {};
  return {data_.Context(rows.narrow(1, spec_.dim, spec_.context_dim))};
}

TorchFlow::Result TorchFlow::ToBase(const Bound& bound, const torch::Tensor& rows,
                                    KeepLayers keep) const {
  Result result;
  const Given given = GivenBy(rows);
  Image at = data_.ToFlow(Points(rows));
  const auto go = [&](const Transform& transform, const Views& views) {
    const Image next = transform.ToBase(views, at.values, given);
    at = {next.values, Plus(at.ladj, next.ladj)};
  };
  for (size_t layer = layers_.size(); layer-- > 0;) {
    for (size_t i = layers_[layer].size(); i-- > 0;) {
      go(*layers_[layer][i], bound.layers[layer][i]);
    }
    if (layer == 0 && scaling_) go(*scaling_, bound.scaling);
    if (keep == KeepLayers::kYes) result.layers.push_back(at.values);
  }
  result.values = at.values;
  result.ladj = OrZeros(at.ladj, rows);
  return result;
}

TorchFlow::Result TorchFlow::FromBase(const Bound& bound, const torch::Tensor& rows,
                                      KeepLayers keep) const {
  Result result;
  const Given given = GivenBy(rows);
  Image at{Points(rows), {}};
  const auto go = [&](const Transform& transform, const Views& views) {
    const Image next = transform.FromBase(views, at.values, given);
    at = {next.values, Plus(at.ladj, next.ladj)};
  };
  if (scaling_) go(*scaling_, bound.scaling);
  for (size_t layer = 0; layer < layers_.size(); ++layer) {
    for (size_t i = 0; i < layers_[layer].size(); ++i) {
      go(*layers_[layer][i], bound.layers[layer][i]);
    }
    if (keep == KeepLayers::kYes) result.layers.push_back(at.values);
  }
  const Image data = data_.FromFlow(at.values);
  result.values = data.values;
  result.ladj = OrZeros(Plus(at.ladj, data.ladj), rows);
  if (keep == KeepLayers::kYes) result.layers.back() = result.values;
  return result;
}

torch::Tensor TorchFlow::LogProb(const Bound& bound, const torch::Tensor& rows) const {
  const Result base = ToBase(bound, rows);
  return base_.LogProb(bound.base, base.values) + base.ladj;
}

}  // namespace sluiced::flows

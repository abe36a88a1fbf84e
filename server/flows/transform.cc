#include "server/flows/transform.h"

namespace sluiced::flows {

// One split instead of many slices: autograd pays for each when it goes back.
Views ViewsOf(std::span<const ParameterSlice> slices, const torch::Tensor& parameters) {
  if (slices.empty()) return {};
  std::vector<int64_t> sizes;
  for (const ParameterSlice& slice : slices) sizes.push_back(slice.size);
  const int64_t first = slices.front().offset;
  const int64_t end = slices.back().offset + slices.back().size;
  Views views = parameters.narrow(0, first, end - first).split_with_sizes(sizes, 0);
  for (size_t i = 0; i < views.size(); ++i) views[i] = views[i].view(slices[i].shape);
  return views;
}

torch::ScalarType ScalarTypeOf(DType dtype) {
  return dtype == DType::kFloat32 ? torch::kFloat32 : torch::kFloat64;
}

torch::Tensor BoundedScale(const FlowSpec& spec, const torch::Tensor& s) {
  return spec.scale_bound > 0 ? (s * (1 / spec.scale_bound)).tanh() * spec.scale_bound : s;
}

torch::Tensor Plus(const torch::Tensor& a, const torch::Tensor& b) {
  if (!a.defined()) return b;
  return b.defined() ? a + b : a;
}

}  // namespace sluiced::flows

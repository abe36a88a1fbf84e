#include <array>
#include <utility>

#include "server/flows/conditioner.h"
#include "server/flows/layers.h"

namespace sluiced::flows {
namespace {

class SeedCoupling final : public Transform {
 public:
  SeedCoupling(const FlowSpec& spec, int64_t layer)
      : spec_(spec),
        shapes_(ConditionerShapes(spec, layer)),
        seen_(ConditioningRange(spec, layer)),
        moved_(TransformedRange(spec, layer)) {
    const std::vector<ParameterSlice> slices = SlicesOf(spec, Part::kConditioner, layer);
    offset_ = slices.front().offset;
    size_ = slices.back().offset + slices.back().size - offset_;
  }

  // Both nets side by side: [2, in, out] and [2, 1, out] of each map, and nothing of
  // what the seed masks away. Its products are zeros there, but for 0 * inf = NaN.
  Views Bind(const torch::Tensor& parameters) const override {
    std::vector<int64_t> sizes;
    for (const LinearShape& shape : shapes_) {
      sizes.insert(sizes.end(), {shape.in * shape.out, shape.out});
    }
    Views views = parameters.narrow(0, offset_, size_).view({2, -1}).split_with_sizes(sizes, 1);
    for (size_t k = 0; k < shapes_.size(); ++k) {
      torch::Tensor weight = views[2 * k].view({2, shapes_[k].out, shapes_[k].in});
      torch::Tensor bias = views[2 * k + 1].view({2, shapes_[k].out, 1});
      if (k == 0) weight = WithoutMasked(weight);
      if (k + 1 == shapes_.size()) {
        weight = weight.narrow(1, moved_.begin, moved_.size());
        bias = bias.narrow(1, moved_.begin, moved_.size());
      }
      views[2 * k] = weight.transpose(1, 2);
      views[2 * k + 1] = bias.transpose(1, 2);
    }
    return views;
  }

  Image ToBase(const Views& views, const torch::Tensor& x, const Given& given) const override {
    if (moved_.size() == 0) return {x, {}};
    const auto [scale, shift] = Condition(views, x, given);
    const torch::Tensor moved = (Part(x, moved_) - shift) * torch::exp(-scale);
    return {Whole(x, moved), -scale.sum(1)};
  }

  Image FromBase(const Views& views, const torch::Tensor& z, const Given& given) const override {
    if (moved_.size() == 0) return {z, {}};
    const auto [scale, shift] = Condition(views, z, given);
    const torch::Tensor moved = Part(z, moved_) * torch::exp(scale) + shift;
    return {Whole(z, moved), scale.sum(1)};
  }

 private:
  using ScaleAndShift = std::array<torch::Tensor, 2>;

  static torch::Tensor Part(const torch::Tensor& points, ColumnRange range) {
    return points.narrow(1, range.begin, range.size());
  }

  torch::Tensor Whole(const torch::Tensor& points, const torch::Tensor& moved) const {
    const torch::Tensor kept = Part(points, seen_);
    return seen_.begin == 0 ? torch::cat({kept, moved}, 1) : torch::cat({moved, kept}, 1);
  }

  torch::Tensor WithoutMasked(const torch::Tensor& weight) const {
    const torch::Tensor seen = weight.narrow(2, seen_.begin, seen_.size());
    if (spec_.context_dim == 0) return seen;
    return torch::cat({seen, weight.narrow(2, spec_.dim, spec_.context_dim)}, 2);
  }

  ScaleAndShift Condition(const Views& views, const torch::Tensor& points,
                          const Given& given) const {
    torch::Tensor h = Part(points, seen_);
    if (given.context.defined()) h = torch::cat({h, given.context}, 1);
    h = h.expand({2, h.size(0), h.size(1)});
    for (size_t k = 0; k < views.size(); k += 2) {
      if (k > 0) torch::leaky_relu_(h, kLeakySlope);
      h = torch::baddbmm(views[k + 1], h, views[k]);
    }
    return {BoundedScale(spec_, h[0]), h[1]};
  }

  const FlowSpec spec_;
  const std::vector<LinearShape> shapes_;
  const ColumnRange seen_, moved_;
  int64_t offset_, size_;
};

}  // namespace

std::unique_ptr<Transform> MakeSeedCoupling(const FlowSpec& spec, int64_t layer) {
  return std::make_unique<SeedCoupling>(spec, layer);
}

}  // namespace sluiced::flows

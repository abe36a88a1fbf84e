#include "server/flows/column_map.h"

namespace sluiced::flows {
namespace {

// z = x - t
class Additive final : public ColumnMaps {
 public:
  Result ToBase(const torch::Tensor& outputs, const torch::Tensor& x) const override {
    return {x - outputs, {}};
  }
  Result FromBase(const torch::Tensor& outputs, const torch::Tensor& z) const override {
    return {z + outputs, {}};
  }
};

// z = (x - t) * exp(-s)
class Affine final : public ColumnMaps {
 public:
  explicit Affine(const FlowSpec& spec) : spec_(spec) {}

  Result ToBase(const torch::Tensor& outputs, const torch::Tensor& x) const override {
    const auto [scale, shift] = Split(outputs);
    return {(x - shift) * torch::exp(-scale), -scale};
  }
  Result FromBase(const torch::Tensor& outputs, const torch::Tensor& z) const override {
    auto [scale, shift] = Split(outputs);
    return {z * torch::exp(scale) + shift, scale};
  }

 private:
  struct ScaleAndShift {
    torch::Tensor scale, shift;
  };
  ScaleAndShift Split(const torch::Tensor& outputs) const {
    const torch::Tensor pairs = outputs.view({outputs.size(0), -1, 2});
    return {BoundedScale(spec_, pairs.select(2, 0)), pairs.select(2, 1)};
  }

  const FlowSpec spec_;
};

}  // namespace

std::unique_ptr<ColumnMaps> MakeColumnMaps(const FlowSpec& spec, ColumnRange columns) {
  if (IsSpline(spec.architecture)) return MakeSplines(spec, columns);
  if (spec.architecture == Architecture::kNice) return std::make_unique<Additive>();
  return std::make_unique<Affine>(spec);
}

}  // namespace sluiced::flows

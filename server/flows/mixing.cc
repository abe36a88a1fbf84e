// What stands between the layers that condition.
#include <utility>

#include "server/flows/layers.h"

namespace sluiced::flows {
namespace {

class PermutationOfColumns final : public Transform {
 public:
  explicit PermutationOfColumns(const std::vector<int64_t>& order)
      : order_(torch::tensor(order, torch::kInt64)), back_(order_.argsort()) {}

  Views Bind(const torch::Tensor&) const override { return {}; }
  Image ToBase(const Views&, const torch::Tensor& x, const Given&) const override {
    return {x.index_select(1, order_), {}};
  }
  Image FromBase(const Views&, const torch::Tensor& z, const Given&) const override {
    return {z.index_select(1, back_), {}};
  }

 private:
  const torch::Tensor order_, back_;
};

// Rows are points: L U x is x U' L' of them.
class Lu final : public Transform {
 public:
  Lu(const FlowSpec& spec, int64_t layer) : slices_(SlicesOf(spec, Part::kLu, layer)) {}

  Views Bind(const torch::Tensor& parameters) const override {
    const torch::Tensor packed = ViewsOf(slices_, parameters)[0];
    const torch::Tensor log_diagonal = packed.diagonal();
    const torch::Tensor one = torch::eye(packed.size(0), packed.options());
    return {packed.tril(-1) + one, packed.triu(1) + torch::diag(log_diagonal.exp()),
            log_diagonal.sum()};
  }
  Image ToBase(const Views& views, const torch::Tensor& x, const Given&) const override {
    return {x.matmul(views[1].t()).matmul(views[0].t()), views[2].expand({x.size(0)})};
  }
  Image FromBase(const Views& views, const torch::Tensor& z, const Given&) const override {
    const torch::Tensor upper =
        torch::linalg_solve_triangular(views[0], z.t(), /*upper=*/false, /*left=*/true,
                                       /*unitriangular=*/true);
    const torch::Tensor x = torch::linalg_solve_triangular(views[1], upper, /*upper=*/true);
    return {x.t(), -views[2].expand({z.size(0)})};
  }

 private:
  const std::vector<ParameterSlice> slices_;
};

class ActNorm final : public Transform {
 public:
  ActNorm(const FlowSpec& spec, int64_t layer)
      : slices_(SlicesOf(spec, Part::kActNorm, layer)), moves_(torch::ones({spec.dim})) {
    // A circle has no scale, and the spline may turn it.
    for (const Column& column : spec.columns) {
      if (column.support == Support::kPeriodic) moves_[column.index] = 0;
    }
    moves_ = moves_.to(ScalarTypeOf(spec.dtype));
  }

  Views Bind(const torch::Tensor& parameters) const override {
    Views views = ViewsOf(slices_, parameters);
    for (torch::Tensor& view : views) view = view * moves_;
    return views;
  }
  Image ToBase(const Views& views, const torch::Tensor& x, const Given&) const override {
    return {(x - views[0]) * torch::exp(-views[1]), -views[1].sum().expand({x.size(0)})};
  }
  Image FromBase(const Views& views, const torch::Tensor& z, const Given&) const override {
    return {z * torch::exp(views[1]) + views[0], views[1].sum().expand({z.size(0)})};
  }

 private:
  const std::vector<ParameterSlice> slices_;
  torch::Tensor moves_;  // [dim] of 0 and 1.
};

class Scaling final : public Transform {
 public:
  explicit Scaling(const FlowSpec& spec) : slices_(SlicesOf(spec, Part::kScaling, -1)) {}

  Views Bind(const torch::Tensor& parameters) const override {
    return ViewsOf(slices_, parameters);
  }
  Image ToBase(const Views& views, const torch::Tensor& x, const Given&) const override {
    return {x * torch::exp(views[0]), views[0].sum().expand({x.size(0)})};
  }
  Image FromBase(const Views& views, const torch::Tensor& z, const Given&) const override {
    return {z * torch::exp(-views[0]), -views[0].sum().expand({z.size(0)})};
  }

 private:
  const std::vector<ParameterSlice> slices_;
};

}  // namespace

std::unique_ptr<Transform> MakePermutation(const FlowSpec& spec, int64_t layer) {
  return std::make_unique<PermutationOfColumns>(Permutation(spec, layer));
}
std::unique_ptr<Transform> MakeLu(const FlowSpec& spec, int64_t layer) {
  return std::make_unique<Lu>(spec, layer);
}
std::unique_ptr<Transform> MakeActNorm(const FlowSpec& spec, int64_t layer) {
  return std::make_unique<ActNorm>(spec, layer);
}
std::unique_ptr<Transform> MakeScaling(const FlowSpec& spec) {
  return std::make_unique<Scaling>(spec);
}

}  // namespace sluiced::flows

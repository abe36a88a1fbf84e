#include <utility>

#include "server/flows/column_map.h"
#include "server/flows/conditioner.h"
#include "server/flows/layers.h"

namespace sluiced::flows {
namespace {

class Autoregressive final : public Transform {
 public:
  Autoregressive(const FlowSpec& spec, int64_t layer)
      : order_(AutoregressiveOrder(spec, layer)),
        conditioner_(spec, layer),
        maps_(MakeColumnMaps(spec, {0, spec.dim})) {}

  Views Bind(const torch::Tensor& parameters) const override {
    return conditioner_.Bind(parameters);
  }

  Image ToBase(const Views& views, const torch::Tensor& x, const Given& given) const override {
    const ColumnMaps::Result z = maps_->ToBase(conditioner_.Outputs(views, x, given), x);
    return {z.values, z.ladj.sum(1)};
  }

  // Pass r finds the column of rank r: its map's parameters depend on those found
  // before it alone.
  Image FromBase(const Views& views, const torch::Tensor& z, const Given& given) const override {
    std::vector<torch::Tensor> columns(order_.size(), torch::zeros_like(z.narrow(1, 0, 1)));
    ColumnMaps::Result x;
    for (int64_t column : order_) {
      const torch::Tensor known = torch::cat(columns, 1);
      x = maps_->FromBase(conditioner_.Outputs(views, known, given), z);
      columns[static_cast<size_t>(column)] = x.values.narrow(1, column, 1);
    }
    return {torch::cat(columns, 1), x.ladj.sum(1)};
  }

 private:
  const std::vector<int64_t> order_;
  const Conditioner conditioner_;
  const std::unique_ptr<ColumnMaps> maps_;
};

}  // namespace

std::unique_ptr<Transform> MakeAutoregressive(const FlowSpec& spec, int64_t layer) {
  return std::make_unique<Autoregressive>(spec, layer);
}

}  // namespace sluiced::flows

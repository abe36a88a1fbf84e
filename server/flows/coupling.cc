#include <utility>

#include "server/flows/column_map.h"
#include "server/flows/conditioner.h"
#include "server/flows/layers.h"

namespace sluiced::flows {
namespace {

class Coupling final : public Transform {
 public:
  Coupling(const FlowSpec& spec, int64_t layer)
      : seen_(ConditioningRange(spec, layer)),
        moved_(TransformedRange(spec, layer)),
        conditioner_(spec, layer),
        maps_(MakeColumnMaps(spec, moved_)) {}

  Views Bind(const torch::Tensor& parameters) const override {
    return conditioner_.Bind(parameters);
  }

  Image ToBase(const Views& views, const torch::Tensor& x, const Given& given) const override {
    return Map(&ColumnMaps::ToBase, views, x, given);
  }
  Image FromBase(const Views& views, const torch::Tensor& z, const Given& given) const override {
    return Map(&ColumnMaps::FromBase, views, z, given);
  }

 private:
  Image Map(ColumnMaps::Result (ColumnMaps::*way)(const torch::Tensor&, const torch::Tensor&) const,
            const Views& views, const torch::Tensor& points, const Given& given) const {
    const torch::Tensor kept = points.narrow(1, seen_.begin, seen_.size());
    const torch::Tensor outputs = conditioner_.Outputs(views, kept, given);
    const ColumnMaps::Result moved =
        ((*maps_).*way)(outputs, points.narrow(1, moved_.begin, moved_.size()));
    Image image;
    image.values = seen_.begin == 0 ? torch::cat({kept, moved.values}, 1)
                                    : torch::cat({moved.values, kept}, 1);
    if (moved.ladj.defined()) image.ladj = moved.ladj.sum(1);
    return image;
  }

  const ColumnRange seen_, moved_;
  const Conditioner conditioner_;
  const std::unique_ptr<ColumnMaps> maps_;
};

}  // namespace

std::unique_ptr<Transform> MakeCoupling(const FlowSpec& spec, int64_t layer) {
  return std::make_unique<Coupling>(spec, layer);
}

}  // namespace sluiced::flows

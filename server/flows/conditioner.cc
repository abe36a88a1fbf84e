#include "server/flows/conditioner.h"

#include <algorithm>
#include <numbers>
#include <utility>

namespace sluiced::flows {
namespace {

// mask(o, i) = 1 where of_output[o] >= of_input[i].
torch::Tensor MaskOf(const std::vector<int64_t>& of_output, const std::vector<int64_t>& of_input,
                     DType dtype) {
  const torch::Tensor out = torch::tensor(of_output, torch::kInt64).unsqueeze(1);
  const torch::Tensor in = torch::tensor(of_input, torch::kInt64).unsqueeze(0);
  return (out >= in).to(ScalarTypeOf(dtype));
}

}  // namespace

Conditioner::Conditioner(const FlowSpec& spec, int64_t layer)
    : slices_(SlicesOf(spec, Part::kConditioner, layer)), angle_(std::numbers::pi / spec.bound) {
  const ColumnRange range = ConditioningRange(spec, layer);
  const std::vector<Column> columns = ColumnsOf(spec);
  for (int64_t i = range.begin; i < range.end; ++i) {
    periodic_.push_back(columns[static_cast<size_t>(i)].support == Support::kPeriodic);
  }
  if (IsAutoregressive(spec.architecture)) MakeMasks(spec, layer);
}

void Conditioner::MakeMasks(const FlowSpec& spec, int64_t layer) {
  const std::vector<int64_t> order = AutoregressiveOrder(spec, layer);
  std::vector<int64_t> rank(order.size());
  for (size_t r = 0; r < order.size(); ++r)
    rank[static_cast<size_t>(order[r])] = static_cast<int64_t>(r);
  const std::vector<Column> columns = ColumnsOf(spec);
  // A column of rank r is seen by units of degree r + 1 and more, context by all.
  std::vector<int64_t> of_input, of_output;
  for (size_t i = 0; i < columns.size(); ++i) {
    const bool periodic = columns[i].support == Support::kPeriodic;
    of_input.insert(of_input.end(), periodic ? 2 : 1, rank[i] + 1);
    of_output.insert(of_output.end(), static_cast<size_t>(OutputsOfColumn(spec, periodic)),
                     rank[i]);
  }
  of_input.insert(of_input.end(), static_cast<size_t>(spec.context_dim), 0);
  const std::vector<int64_t> degrees = HiddenDegrees(spec);
  masks_.push_back(MaskOf(degrees, of_input, spec.dtype));
  for (int64_t k = 1; k < spec.depth; ++k) masks_.push_back(MaskOf(degrees, degrees, spec.dtype));
  masks_.push_back(MaskOf(of_output, degrees, spec.dtype));
}

Views Conditioner::Bind(const torch::Tensor& parameters) const {
  Views views = ViewsOf(slices_, parameters);
  for (size_t map = 0; 2 * map < views.size(); ++map) {
    torch::Tensor& weight = views[2 * map];
    if (!masks_.empty()) weight = weight * masks_[map];
    weight = weight.t();
  }
  return views;
}

torch::Tensor Conditioner::Features(const torch::Tensor& columns) const {
  if (std::ranges::find(periodic_, true) == periodic_.end()) return columns;
  std::vector<torch::Tensor> features;
  for (size_t i = 0; i < periodic_.size(); ++i) {
    const torch::Tensor column = columns.narrow(1, static_cast<int64_t>(i), 1);
    if (periodic_[i]) {
      features.insert(features.end(), {(column * angle_).cos(), (column * angle_).sin()});
    } else {
      features.push_back(column);
    }
  }
  return torch::cat(features, 1);
}

torch::Tensor Conditioner::Outputs(const Views& views, const torch::Tensor& columns,
                                   const Given& given) const {
  torch::Tensor h = Features(columns);
  if (given.context.defined()) h = torch::cat({h, given.context}, 1);
  for (size_t k = 0; k < views.size(); k += 2) {
    if (k > 0) h = torch::leaky_relu(h, kLeakySlope);
    h = torch::addmm(views[k + 1], h, views[k]);
  }
  return h;
}

}  // namespace sluiced::flows

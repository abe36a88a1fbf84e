#include "server/flows/data_map.h"

#include <cmath>
#include <limits>

namespace sluiced::flows {
namespace {

template <typename T>
std::vector<double> NextTo(const std::vector<double>& from, const std::vector<double>& towards) {
  std::vector<double> next;
  for (size_t i = 0; i < from.size(); ++i) {
    next.push_back(std::nextafter(static_cast<T>(from[i]), static_cast<T>(towards[i])));
  }
  return next;
}

std::vector<double> NextIn(DType dtype, const std::vector<double>& from,
                           const std::vector<double>& towards) {
  return dtype == DType::kFloat32 ? NextTo<float>(from, towards) : NextTo<double>(from, towards);
}

torch::Tensor Numbers(const std::vector<double>& numbers, DType dtype) {
  return torch::tensor(numbers, torch::kFloat64).to(ScalarTypeOf(dtype));
}

}  // namespace

DataMap::DataMap(const FlowSpec& spec, const Standardization& standardization) : spec_(spec) {
  // Inference tensors could not be used under autograd later.
  const torch::InferenceMode off(false);
  for (const Support support : {Support::kPositive, Support::kInterval, Support::kPeriodic}) {
    std::vector<Column> columns;
    for (const Column& column : spec.columns) {
      if (column.support == support) columns.push_back(column);
    }
    if (!columns.empty()) groups_.push_back(MakeGroup(support, columns));
  }
  if (!standardization.shift.empty()) {
    shift_ = Numbers(standardization.shift, spec.dtype);
    scale_ = Numbers(standardization.scale, spec.dtype);
    for (double scale : standardization.scale) standardization_ladj_ -= std::log(scale);
  }
  if (!standardization.context_shift.empty()) {
    context_shift_ = Numbers(standardization.context_shift, spec.dtype);
    context_scale_ = Numbers(standardization.context_scale, spec.dtype);
  }
}

DataMap::Group DataMap::MakeGroup(Support support, const std::vector<Column>& columns) const {
  std::vector<int64_t> indices;
  std::vector<double> low, high;
  for (const Column& column : columns) {
    indices.push_back(column.index);
    low.push_back(column.low);
    high.push_back(column.high);
  }
  Group group;
  group.support = support;
  group.affine = support == Support::kInterval && spec_.base == Base::kUniform;
  group.columns = torch::tensor(indices, torch::kInt64);
  group.low = Numbers(low, spec_.dtype);
  group.high = Numbers(high, spec_.dtype);
  group.least = spec_.dtype == DType::kFloat32 ? std::numeric_limits<float>::min()
                                               : std::numeric_limits<double>::min();
  group.lowest = Numbers(NextIn(spec_.dtype, low, high), spec_.dtype);
  group.highest = Numbers(NextIn(spec_.dtype, high, low), spec_.dtype);
  return group;
}

// ladj: [n, columns of the group]
Image DataMap::ToReal(const Group& group, const torch::Tensor& x) const {
  const torch::Tensor width = group.high - group.low;
  if (group.support == Support::kPeriodic) {
    const torch::Tensor turn = (x - group.low) / width;
    return {(turn - turn.floor()) * (2 * spec_.bound) - spec_.bound,
            ((2 * spec_.bound) / width).log().expand_as(x)};
  }
  const bool positive = group.support == Support::kPositive;
  torch::Tensor inside = positive ? x > 0 : (x > group.low).logical_and(x < group.high);
  // A uniform base has a density at the ends, too.
  if (group.affine) inside = (x >= group.low).logical_and(x <= group.high);
  // Into the support before the formula: its NaN would come back in the gradient.
  const torch::Tensor middle =
      positive ? torch::ones_like(x) : ((group.low + group.high) / 2).expand_as(x);
  const torch::Tensor safe = torch::where(inside, x, middle);
  Image image;
  if (positive) {
    image.values = safe.log();
    image.ladj = -image.values;
  } else if (group.affine) {
    image.values = ((safe - group.low) / width * 2 - 1) * spec_.bound;
    image.ladj = ((2 * spec_.bound) / width).log().expand_as(x);
  } else {
    const torch::Tensor above = (safe - group.low).log(), below = (group.high - safe).log();
    image.values = above - below;
    image.ladj = width.log() - above - below;
  }
  const auto everywhere = [&](double number) { return torch::full_like(x, number); };
  image.values = torch::where(inside, image.values, everywhere(std::nan("")));
  image.ladj =
      torch::where(inside, image.ladj, everywhere(-std::numeric_limits<double>::infinity()));
  return image;
}

Image DataMap::FromReal(const Group& group, const torch::Tensor& u) const {
  const torch::Tensor width = group.high - group.low;
  if (group.support == Support::kPositive) return {u.exp().clamp_min(group.least), u};
  if (group.support == Support::kPeriodic || group.affine) {
    const torch::Tensor x = group.low + (u + spec_.bound) / (2 * spec_.bound) * width;
    return {x, (width / (2 * spec_.bound)).log().expand_as(u)};
  }
  const torch::Tensor x = group.low + width * torch::sigmoid(u);
  const torch::Tensor ladj = width.log() + torch::log_sigmoid(u) + torch::log_sigmoid(-u);
  return {torch::maximum(torch::minimum(x, group.highest), group.lowest), ladj};
}

Image DataMap::ToFlow(const torch::Tensor& x) const {
  Image image{x, {}};
  for (const Group& group : groups_) {
    const Image mapped = ToReal(group, x.index_select(1, group.columns));
    image.values = image.values.index_copy(1, group.columns, mapped.values);
    image.ladj = Plus(image.ladj, mapped.ladj.sum(1));
  }
  if (!shift_.defined()) return image;
  image.values = (image.values - shift_) / scale_;
  image.ladj = Plus(image.ladj, torch::full({x.size(0)}, standardization_ladj_, x.options()));
  return image;
}

Image DataMap::FromFlow(const torch::Tensor& u) const {
  Image image{u, {}};
  if (shift_.defined()) {
    image.values = u * scale_ + shift_;
    image.ladj = torch::full({u.size(0)}, -standardization_ladj_, u.options());
  }
  const torch::Tensor real = image.values;
  for (const Group& group : groups_) {
    const Image mapped = FromReal(group, real.index_select(1, group.columns));
    image.values = image.values.index_copy(1, group.columns, mapped.values);
    image.ladj = Plus(image.ladj, mapped.ladj.sum(1));
  }
  return image;
}

torch::Tensor DataMap::Context(const torch::Tensor& context) const {
  return context_shift_.defined() ? (context - context_shift_) / context_scale_ : context;
}

}  // namespace sluiced::flows

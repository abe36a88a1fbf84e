#include "server/flows/support.h"

#include <cmath>

namespace sluiced::flows {
namespace {

double AsHeld(DType dtype, double x) {
  return dtype == DType::kFloat32 ? static_cast<float>(x) : x;
}

}  // namespace

bool IsInside(const FlowSpec& spec, const Column& column, double x) {
  const double held = AsHeld(spec.dtype, x);
  if (!std::isfinite(held)) return false;
  if (column.support == Support::kPositive) return held > 0;
  if (column.support != Support::kInterval) return true;
  const double low = AsHeld(spec.dtype, column.low), high = AsHeld(spec.dtype, column.high);
  return spec.base == Base::kUniform ? low <= held && held <= high : low < held && held < high;
}

double ToReal(const FlowSpec& spec, const Column& column, double x) {
  const double fraction = (x - column.low) / (column.high - column.low);
  switch (column.support) {
    case Support::kReal:
      return x;
    case Support::kPositive:
      return std::log(x);
    case Support::kPeriodic:
      return (2 * (fraction - std::floor(fraction)) - 1) * spec.bound;
    case Support::kInterval:
      break;
  }
  if (spec.base == Base::kUniform) return (2 * fraction - 1) * spec.bound;
  return std::log(x - column.low) - std::log(column.high - x);
}

bool IsStandardized(const FlowSpec& spec, const Column& column) {
  return column.support != Support::kPeriodic && spec.base != Base::kUniform;
}

}  // namespace sluiced::flows

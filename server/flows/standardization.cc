#include "server/flows/standardization.h"

#include <algorithm>
#include <cmath>

#include "server/common/errors.h"
#include "server/common/status_macros.h"

namespace sluiced::flows {
namespace {

// What does not fit, or is lost in, the flow's numbers cannot be divided by.
bool IsUsableScale(double scale, DType dtype) {
  const double seen = dtype == DType::kFloat32 ? static_cast<float>(scale) : scale;
  return std::isfinite(seen) && seen > 0;
}

absl::Status Check(const std::vector<double>& shift, const std::vector<double>& scale,
                   int64_t columns, DType dtype) {
  const auto expected = shift.empty() && scale.empty() ? 0 : static_cast<size_t>(columns);
  if (shift.size() != expected || scale.size() != expected) {
    return FieldError("standardization", "has not one shift and scale a column");
  }
  const bool usable = std::ranges::all_of(shift, [](double s) { return std::isfinite(s); }) &&
                      std::ranges::all_of(scale, [&](double s) { return IsUsableScale(s, dtype); });
  if (!usable) return FieldError("standardization", "holds a number that cannot be used");
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckStandardization(const FlowSpec& spec, const Standardization& map) {
  RETURN_IF_ERROR(Check(map.shift, map.scale, spec.dim, spec.dtype));
  return Check(map.context_shift, map.context_scale, spec.context_dim, spec.dtype);
}

}  // namespace sluiced::flows

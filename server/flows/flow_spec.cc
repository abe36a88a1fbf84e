#include "server/flows/flow_spec.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/flows/parameters.h"
#include "server/flows/spec_names.h"

namespace sluiced::flows {
namespace {

constexpr double kMostDegreesOfFreedom = 1e6;
constexpr double kLeastBound = 1e-3, kMostBound = 1e3;

absl::Status CheckRange(absl::string_view field, int64_t value, int64_t most, int64_t least = 1) {
  if (value >= least && value <= most) return absl::OkStatus();
  return FieldError(field, absl::StrCat(value, " is not between ", least, " and ", most));
}

absl::Status CheckRange(absl::string_view field, double value, double least, double most) {
  if (value >= least && value <= most) return absl::OkStatus();
  return FieldError(field, absl::StrCat(value, " is not between ", least, " and ", most));
}

bool IsBounded(Support support) {
  return support == Support::kInterval || support == Support::kPeriodic;
}

bool HasPeriodic(const FlowSpec& spec) {
  return std::any_of(spec.columns.begin(), spec.columns.end(),
                     [](const Column& column) { return column.support == Support::kPeriodic; });
}

// The numbers of both ends are told apart by the flow's own.
absl::Status CheckLimits(const std::string& field, const Column& column, DType dtype) {
  const auto as_seen = [dtype](double v) {
    return dtype == DType::kFloat32 ? static_cast<float>(v) : v;
  };
  const double low = as_seen(column.low), high = as_seen(column.high);
  if (!std::isfinite(low)) return FieldError(field + ".low", "is not finite");
  if (!std::isfinite(high)) return FieldError(field + ".high", "is not finite");
  if (low < high && std::isfinite(as_seen(high - low))) return absl::OkStatus();
  return FieldError(field + ".high", absl::StrCat(column.high, " is not above low, ", column.low));
}

absl::Status CheckColumns(const FlowSpec& spec) {
  if (spec.columns.size() > kMaxDeclaredColumns) {
    return FieldError("columns", absl::StrCat("are more than ", kMaxDeclaredColumns));
  }
  int64_t last = -1;
  for (size_t i = 0; i < spec.columns.size(); ++i) {
    const Column& column = spec.columns[i];
    const std::string field = absl::StrCat("columns[", i, "]");
    if (column.index <= last || column.index >= spec.dim) {
      return FieldError(field + ".index",
                        absl::StrCat(column.index, column.index >= spec.dim
                                                       ? " is no column of the model"
                                                       : " does not come after the one before it"));
    }
    last = column.index;
    if (IsBounded(column.support)) RETURN_IF_ERROR(CheckLimits(field, column, spec.dtype));
    if (column.support == Support::kPeriodic && !IsSpline(spec.architecture)) {
      return FieldError(
          field + ".support",
          absl::StrCat("periodic columns need a spline (", NameOf(Architecture::kNeuralSpline),
                       " or ", NameOf(Architecture::kMaskedAutoregressiveSpline), ")"));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckBase(const FlowSpec& spec) {
  RETURN_IF_ERROR(CheckRange("components", spec.components, kMaxComponents));
  // Below it a draw may overflow.
  RETURN_IF_ERROR(
      CheckRange("degrees_of_freedom", spec.degrees_of_freedom, 0.5, kMostDegreesOfFreedom));
  if (spec.base != Base::kUniform) return absl::OkStatus();
  if (!IsSpline(spec.architecture) || spec.mixing == Mixing::kLu || spec.act_norm) {
    return FieldError("base",
                      "a uniform base needs a spline, without LU or act norm: other maps "
                      "leave its box");
  }
  const auto bounded = std::count_if(spec.columns.begin(), spec.columns.end(),
                                     [](const Column& c) { return IsBounded(c.support); });
  if (bounded == spec.dim) return absl::OkStatus();
  return FieldError("base", "a uniform base needs columns that all are an interval or periodic");
}

absl::Status CheckMixing(const FlowSpec& spec) {
  if (spec.architecture == Architecture::kRealNvp) {
    if (spec.mixing != Mixing::kAlternate) {
      return FieldError("mixing", "real-nvp alternates; coupling-affine can do otherwise");
    }
    if (spec.act_norm) {
      return FieldError("act_norm", "real-nvp has none; coupling-affine can have it");
    }
  }
  if (spec.mixing == Mixing::kAlternate || !HasPeriodic(spec)) return absl::OkStatus();
  return FieldError("mixing", "periodic columns keep their places: only alternate is possible");
}

absl::Status CheckSizes(const FlowSpec& spec) {
  RETURN_IF_ERROR(CheckRange("dim", spec.dim, kMaxDim));
  RETURN_IF_ERROR(CheckRange("layers", spec.layers, kMaxLayers));
  RETURN_IF_ERROR(CheckRange("hidden", spec.hidden, kMaxHidden));
  RETURN_IF_ERROR(CheckRange("depth", spec.depth, kMaxDepth));
  RETURN_IF_ERROR(CheckRange("context_dim", spec.context_dim, kMaxDim, 0));
  RETURN_IF_ERROR(CheckRange("bins", spec.bins, kMaxBins, 2));
  return CheckRange("bound", spec.bound, kLeastBound, kMostBound);
}

}  // namespace

const std::vector<Architecture>& AllArchitectures() {
  static const auto* const all = [] {
    auto* list = new std::vector<Architecture>;
    for (const auto& one : NamesOf<Architecture>()) list->push_back(one.value);
    return list;
  }();
  return *all;
}

bool IsAutoregressive(Architecture architecture) {
  return architecture == Architecture::kMaskedAutoregressive ||
         architecture == Architecture::kMaskedAutoregressiveSpline;
}

bool IsSpline(Architecture architecture) {
  return architecture == Architecture::kNeuralSpline ||
         architecture == Architecture::kMaskedAutoregressiveSpline;
}

bool UsualActNorm(const FlowSpec& spec) {
  return IsSpline(spec.architecture) && spec.base != Base::kUniform;
}

int64_t RowColumns(const FlowSpec& spec) { return spec.dim + spec.context_dim; }

std::vector<Column> ColumnsOf(const FlowSpec& spec) {
  std::vector<Column> columns(static_cast<size_t>(spec.dim));
  for (size_t i = 0; i < columns.size(); ++i) columns[i].index = static_cast<int64_t>(i);
  for (const Column& column : spec.columns) columns[static_cast<size_t>(column.index)] = column;
  return columns;
}

std::string TextOf(const Column& column) {
  const std::string name(NameOf(column.support));
  if (!IsBounded(column.support)) return name;
  return absl::StrCat(name, " [", column.low, ", ", column.high,
                      column.support == Support::kPeriodic ? ")" : "]");
}

Executor ExecutorFor(const FlowSpec& spec) {
  return spec.executor == Executor::kTorch || !IsInEngine(spec) ? Executor::kTorch
                                                                : Executor::kEngine;
}

bool IsInEngine(const FlowSpec& spec) {
  // It inverts the matrices of LU anew whenever they change.
  constexpr int64_t kMostDimOfLu = 256;
  return spec.mixing != Mixing::kLu || spec.dim <= kMostDimOfLu;
}

absl::Status Validate(const FlowSpec& spec) {
  RETURN_IF_ERROR(CheckSizes(spec));
  if (spec.scale_bound != 0) {
    if (!(spec.scale_bound >= kMinScaleBound && spec.scale_bound <= kMaxScaleBound)) {
      return FieldError("scale_bound", absl::StrCat(spec.scale_bound, " is neither 0 nor between ",
                                                    kMinScaleBound, " and ", kMaxScaleBound));
    }
  }
  RETURN_IF_ERROR(CheckMixing(spec));
  RETURN_IF_ERROR(CheckColumns(spec));
  RETURN_IF_ERROR(CheckBase(spec));
  const double count = ApproximateParameterCount(spec);
  if (count > static_cast<double>(kMaxParameters)) {
    return FieldError("hidden",
                      absl::StrCat("makes ", count, " parameters, more than ", kMaxParameters,
                                   ": fewer layers, less width or depth"));
  }
  if (spec.executor == Executor::kEngine && !IsInEngine(spec)) {
    return FieldError("executor", "the engine does not compute this flow; auto or torch do");
  }
  return absl::OkStatus();
}

}  // namespace sluiced::flows

#include "server/flows/flow_spec.h"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"

namespace sluiced::flows {
namespace {

using Json = nlohmann::json;

constexpr char kRealNvp[] = "real-nvp";
constexpr size_t kMaxJsonBytes = 4096;

absl::Status CheckRange(absl::string_view field, int64_t value, int64_t most) {
  if (value >= 1 && value <= most) return absl::OkStatus();
  return FieldError(field, absl::StrCat(value, " is not between 1 and ", most));
}

// As a double, which holds every count that matters exactly and overflows for none.
double CountOf(const FlowSpec& spec) {
  const auto dim = static_cast<double>(spec.dim);
  const auto hidden = static_cast<double>(spec.hidden);
  const auto middle = static_cast<double>(spec.depth - 1);
  const double net = (dim + 1) * hidden + middle * (hidden + 1) * hidden + (hidden + 1) * dim;
  return 2 * static_cast<double>(spec.layers) * net;
}

absl::string_view NameOf(Initialization initialization) {
  return initialization == Initialization::kIdentity ? "identity" : "uniform";
}

absl::Status ReadInto(absl::string_view field, const Json& value, int64_t& out) {
  constexpr auto kMost = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
  if (!value.is_number_integer() || (value.is_number_unsigned() && value.get<uint64_t>() > kMost)) {
    return FieldError(field, "is no whole number of 64 bits");
  }
  out = value.get<int64_t>();
  return absl::OkStatus();
}

absl::Status ReadInto(absl::string_view field, const Json& value, double& out) {
  if (!value.is_number()) return FieldError(field, "is no number");
  out = value.get<double>();
  return absl::OkStatus();
}

absl::Status ReadInto(absl::string_view field, const Json& value, bool& out) {
  if (!value.is_boolean()) return FieldError(field, "is neither true nor false");
  out = value.get<bool>();
  return absl::OkStatus();
}

absl::Status ReadInto(absl::string_view field, const Json& value, std::string& out) {
  if (!value.is_string()) return FieldError(field, "is no string");
  out = value.get<std::string>();
  return absl::OkStatus();
}

absl::Status ReadInto(absl::string_view field, const Json& value, DType& out) {
  std::string name;
  RETURN_IF_ERROR(ReadInto(field, value, name));
  auto dtype = DTypeFromName(name);
  if (!dtype) return FieldError(field, "is neither float32 nor float64");
  out = *dtype;
  return absl::OkStatus();
}

absl::Status ReadInto(absl::string_view field, const Json& value, Initialization& out) {
  std::string name;
  RETURN_IF_ERROR(ReadInto(field, value, name));
  for (Initialization one : {Initialization::kIdentity, Initialization::kUniform}) {
    if (name != std::string(NameOf(one))) continue;
    out = one;
    return absl::OkStatus();
  }
  return FieldError(field, "is neither identity nor uniform");
}

absl::Status ReadInto(absl::string_view field, const Json& value, Executor& out) {
  std::string name;
  RETURN_IF_ERROR(ReadInto(field, value, name));
  for (Executor one : {Executor::kAuto, Executor::kEngine, Executor::kTorch}) {
    if (name != std::string(NameOf(one))) continue;
    out = one;
    return absl::OkStatus();
  }
  return FieldError(field, "is none of auto, engine and torch");
}

absl::Status ReadField(const std::string& field, const Json& value, FlowSpec& spec) {
  if (field == "architecture") return ReadInto(field, value, spec.architecture);
  if (field == "dim") return ReadInto(field, value, spec.dim);
  if (field == "layers") return ReadInto(field, value, spec.layers);
  if (field == "hidden") return ReadInto(field, value, spec.hidden);
  if (field == "depth") return ReadInto(field, value, spec.depth);
  if (field == "dtype") return ReadInto(field, value, spec.dtype);
  if (field == "scale_bound") return ReadInto(field, value, spec.scale_bound);
  if (field == "standardize") return ReadInto(field, value, spec.standardize);
  if (field == "initialization") return ReadInto(field, value, spec.initialization);
  if (field == "executor") return ReadInto(field, value, spec.executor);
  return FieldError(absl::CHexEscape(field), "is no field of a flow spec");
}

}  // namespace

absl::string_view NameOf(Executor executor) {
  switch (executor) {
    case Executor::kEngine:
      return "engine";
    case Executor::kTorch:
      return "torch";
    case Executor::kAuto:
      break;
  }
  return "auto";
}

Executor ExecutorFor(const FlowSpec& spec) {
  return spec.executor == Executor::kTorch ? Executor::kTorch : Executor::kEngine;
}

absl::Status Validate(const FlowSpec& spec) {
  if (spec.architecture != kRealNvp) {
    return FieldError("architecture", absl::StrCat("'", absl::CHexEscape(spec.architecture),
                                                   "' is unknown; there is ", kRealNvp));
  }
  RETURN_IF_ERROR(CheckRange("dim", spec.dim, kMaxDim));
  RETURN_IF_ERROR(CheckRange("layers", spec.layers, kMaxLayers));
  RETURN_IF_ERROR(CheckRange("hidden", spec.hidden, kMaxHidden));
  RETURN_IF_ERROR(CheckRange("depth", spec.depth, kMaxDepth));
  if (spec.scale_bound != 0 &&
      !(spec.scale_bound >= kMinScaleBound && spec.scale_bound <= kMaxScaleBound)) {
    return FieldError("scale_bound", absl::StrCat(spec.scale_bound, " is neither 0 nor between ",
                                                  kMinScaleBound, " and ", kMaxScaleBound));
  }
  if (CountOf(spec) > static_cast<double>(kMaxParameters)) {
    return FieldError(
        "hidden", absl::StrCat("makes ", CountOf(spec), " parameters, more than ", kMaxParameters,
                               ": fewer layers, less width or depth"));
  }
  return absl::OkStatus();
}

std::vector<std::string> Warnings(const FlowSpec& spec) {
  std::vector<std::string> warnings;
  if (spec.dim == 1) {
    warnings.push_back(
        "In one dimension RealNVP is an affine map, so this flow can only be a Gaussian.");
  }
  if (spec.dim > 1 && spec.layers == 1) {
    warnings.push_back(absl::StrCat("One layer leaves the first ", spec.dim / 2, " of ", spec.dim,
                                    " coordinates untouched: use two layers or more."));
  }
  return warnings;
}

std::string ToJson(const FlowSpec& spec) {
  const Json json = {{"architecture", spec.architecture},
                     {"dim", spec.dim},
                     {"layers", spec.layers},
                     {"hidden", spec.hidden},
                     {"depth", spec.depth},
                     {"dtype", std::string(sluiced::NameOf(spec.dtype))},
                     {"scale_bound", spec.scale_bound},
                     {"standardize", spec.standardize},
                     {"initialization", std::string(NameOf(spec.initialization))},
                     {"executor", std::string(NameOf(spec.executor))}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

absl::StatusOr<FlowSpec> SpecFromJson(absl::string_view json) {
  if (json.size() > kMaxJsonBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat("a flow spec of ", json.size(), " bytes, more than ", kMaxJsonBytes));
  }
  const Json document = Json::parse(json.begin(), json.end(), nullptr, /*allow_exceptions=*/false);
  if (!document.is_object()) return absl::InvalidArgumentError("a flow spec is a JSON object");
  FlowSpec spec;
  for (const auto& [field, value] : document.items()) {
    RETURN_IF_ERROR(ReadField(field, value, spec));
  }
  RETURN_IF_ERROR(Validate(spec));
  return spec;
}

}  // namespace sluiced::flows

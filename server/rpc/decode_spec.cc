#include "server/rpc/decode_spec.h"

#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/flows/spec_names.h"
#include "server/rpc/decode_tensor.h"

namespace sluiced::rpc {
namespace {

absl::StatusOr<flows::Initialization> DecodeInitialization(v1::Initialization in) {
  switch (in) {
    case v1::INITIALIZATION_UNSPECIFIED:
    case v1::INITIALIZATION_IDENTITY:
      return flows::Initialization::kIdentity;
    case v1::INITIALIZATION_UNIFORM:
      return flows::Initialization::kUniform;
    default:
      return FieldError("initialization",
                        absl::StrCat(static_cast<int>(in), " is no known initialisation"));
  }
}

absl::StatusOr<flows::Executor> DecodeExecutor(v1::Executor in) {
  switch (in) {
    case v1::EXECUTOR_UNSPECIFIED:
    case v1::EXECUTOR_AUTO:
      return flows::Executor::kAuto;
    case v1::EXECUTOR_ENGINE:
      return flows::Executor::kEngine;
    case v1::EXECUTOR_TORCH:
      return flows::Executor::kTorch;
    default:
      return FieldError("executor", absl::StrCat(static_cast<int>(in), " is no known executor"));
  }
}

}  // namespace

absl::StatusOr<flows::FlowSpec> DecodeSpec(const v1::FlowSpec& in) {
  flows::FlowSpec spec;
  if (!in.architecture().empty()) {
    ASSIGN_OR_RETURN(spec.architecture,
                     flows::FromName<flows::Architecture>("architecture", in.architecture()));
  }
  spec.dim = in.dim();
  if (in.layers() != 0) spec.layers = in.layers();
  if (in.hidden() != 0) spec.hidden = in.hidden();
  if (in.depth() != 0) spec.depth = in.depth();
  ASSIGN_OR_RETURN(spec.dtype, DecodeDType("dtype", in.dtype()));
  if (in.has_scale_bound()) spec.scale_bound = in.scale_bound();
  if (in.has_standardize()) spec.standardize = in.standardize();
  ASSIGN_OR_RETURN(spec.initialization, DecodeInitialization(in.initialization()));
  ASSIGN_OR_RETURN(spec.executor, DecodeExecutor(in.executor()));
  RETURN_IF_ERROR(flows::Validate(spec));
  return spec;
}

}  // namespace sluiced::rpc

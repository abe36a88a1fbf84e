#include "server/rpc/decode_spec.h"

#include "absl/strings/str_cat.h"
#include "server/common/errors.h"
#include "server/common/status_macros.h"
#include "server/flows/spec_names.h"
#include "server/rpc/decode_tensor.h"
#include "server/rpc/spec_enums.h"

namespace sluiced::rpc {
namespace {

absl::Status DecodeColumns(const v1::FlowSpec& in, std::vector<flows::Column>* out) {
  if (static_cast<size_t>(in.columns_size()) > flows::kMaxDeclaredColumns) {
    return FieldError("columns", absl::StrCat("are more than ", flows::kMaxDeclaredColumns));
  }
  for (int i = 0; i < in.columns_size(); ++i) {
    const v1::Column& column = in.columns(i);
    ASSIGN_OR_RETURN(
        const flows::Support support,
        DecodeEnum(absl::StrCat("columns[", i, "].support"), kSupports, column.support()));
    out->push_back({column.index(), support, column.low(), column.high()});
  }
  return absl::OkStatus();
}

void DecodeNumbers(const v1::FlowSpec& in, flows::FlowSpec* out) {
  const auto take = [](int64_t value, int64_t* of) {
    if (value != 0) *of = value;
  };
  out->dim = in.dim();
  take(in.layers(), &out->layers);
  take(in.hidden(), &out->hidden);
  take(in.depth(), &out->depth);
  take(in.components(), &out->components);
  take(in.bins(), &out->bins);
  out->context_dim = in.context_dim();
  if (in.has_scale_bound()) out->scale_bound = in.scale_bound();
  if (in.has_degrees_of_freedom()) out->degrees_of_freedom = in.degrees_of_freedom();
  if (in.has_bound()) out->bound = in.bound();
}

}  // namespace

absl::StatusOr<flows::FlowSpec> DecodeSpec(const v1::FlowSpec& in) {
  flows::FlowSpec spec;
  if (!in.architecture().empty()) {
    ASSIGN_OR_RETURN(spec.architecture,
                     flows::FromName<flows::Architecture>("architecture", in.architecture()));
  }
  DecodeNumbers(in, &spec);
  ASSIGN_OR_RETURN(spec.dtype, DecodeDType("dtype", in.dtype()));
  if (in.has_standardize()) spec.standardize = in.standardize();
  ASSIGN_OR_RETURN(spec.initialization,
                   DecodeEnum("initialization", kInitializations, in.initialization()));
  ASSIGN_OR_RETURN(spec.executor, DecodeEnum("executor", kExecutors, in.executor()));
  ASSIGN_OR_RETURN(spec.base, DecodeEnum("base", kBases, in.base()));
  ASSIGN_OR_RETURN(spec.mixing, DecodeEnum("mixing", kMixings, in.mixing()));
  spec.act_norm = in.has_act_norm() ? in.act_norm() : flows::UsualActNorm(spec);
  RETURN_IF_ERROR(DecodeColumns(in, &spec.columns));
  RETURN_IF_ERROR(flows::Validate(spec));
  return spec;
}

}  // namespace sluiced::rpc

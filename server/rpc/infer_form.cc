#include "server/rpc/infer_form.h"

#include <initializer_list>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "server/common/errors.h"
#include "server/common/resource_id.h"
#include "server/common/status_macros.h"
#include "server/models/names.h"

namespace sluiced::rpc {
namespace {

using Metadata = inference::ModelMetadataResponse;

constexpr absl::string_view kLogProbEnding = ".log_prob";
constexpr absl::string_view kSampleEnding = ".sample";
constexpr size_t kMaxQuoted = 80;
constexpr int64_t kAny = -1;

constexpr InferOutput kScores[] = {InferOutput::kLogProb, InferOutput::kNotFinite};
constexpr InferOutput kDraws[] = {InferOutput::kX, InferOutput::kLogProb, InferOutput::kNotFinite,
                                  InferOutput::kSeed};

void Describe(absl::string_view name, absl::string_view datatype,
              std::initializer_list<int64_t> shape, Metadata::TensorMetadata* out) {
  out->set_name(std::string(name));
  out->set_datatype(std::string(datatype));
  out->mutable_shape()->Add(shape.begin(), shape.end());
}

void DescribeOutput(InferOutput output, const flows::FlowSpec& spec,
                    Metadata::TensorMetadata* out) {
  const absl::string_view datatype = DatatypeOf(output, spec.dtype);
  if (output == InferOutput::kX) return Describe(NameOf(output), datatype, {kAny, spec.dim}, out);
  Describe(NameOf(output), datatype, {output == InferOutput::kSeed ? 1 : kAny}, out);
}

}  // namespace

absl::StatusOr<InferTarget> DecodeTarget(const TargetFields& fields, const std::string& name,
                                         const std::string& version) {
  InferTarget target;
  absl::string_view id = name;
  if (absl::ConsumeSuffix(&id, kSampleEnding)) {
    target.method = InferMethod::kSample;
  } else if (!absl::ConsumeSuffix(&id, kLogProbEnding)) {
    return NotFound("model", absl::CHexEscape(name.substr(0, kMaxQuoted)),
                    "of a model NAME there are NAME.log_prob and NAME.sample");
  }
  RETURN_IF_ERROR(CheckId(fields.name, id));
  target.id = std::string(id);
  target.version = models::ModelResource(id);
  if (version.empty()) return target;
  absl::StrAppend(&target.version, "/versions/", version);
  RETURN_IF_ERROR(models::ParseVersionName(target.version, fields.version).status());
  return target;
}

std::span<const InferOutput> OutputsOf(InferMethod method) {
  if (method == InferMethod::kLogProb) return kScores;
  return kDraws;
}

absl::string_view NameOf(InferOutput output) {
  switch (output) {
    case InferOutput::kX:
      return "x";
    case InferOutput::kLogProb:
      return "log_prob";
    case InferOutput::kNotFinite:
      return "not_finite";
    case InferOutput::kSeed:
      break;
  }
  return "seed";
}

absl::string_view DatatypeOf(DType dtype) { return dtype == DType::kFloat32 ? "FP32" : "FP64"; }

absl::string_view DatatypeOf(InferOutput output, DType dtype) {
  if (output == InferOutput::kNotFinite) return "BOOL";
  if (output == InferOutput::kSeed) return "UINT64";
  return DatatypeOf(dtype);
}

void EncodeTensors(InferMethod method, const flows::FlowSpec& spec, Metadata* out) {
  if (method == InferMethod::kLogProb) {
    Describe(kInputX, DatatypeOf(spec.dtype), {kAny, flows::RowColumns(spec)}, out->add_inputs());
  } else {
    Describe(kInputRows, "INT64", {1}, out->add_inputs());
    if (spec.context_dim > 0) {
      Describe(kInputContext, DatatypeOf(spec.dtype), {kAny, spec.context_dim}, out->add_inputs());
    }
  }
  for (const InferOutput output : OutputsOf(method)) {
    DescribeOutput(output, spec, out->add_outputs());
  }
}

}  // namespace sluiced::rpc

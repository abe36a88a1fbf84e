// What a model looks like to the Open Inference Protocol: `wow` is `wow.log_prob` and
// `wow.sample`, each with its tensors.
#pragma once

#include <span>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "inference/open_inference.pb.h"
#include "server/common/array.h"
#include "server/flows/flow_spec.h"

namespace sluiced::rpc {

enum class InferMethod { kLogProb, kSample };
enum class InferOutput { kX, kLogProb, kNotFinite, kSeed };

inline constexpr char kInputX[] = "x";
inline constexpr char kInputRows[] = "rows";
inline constexpr char kInputContext[] = "context";  // Of NAME.sample of conditional models.

struct InferTarget {
  InferMethod method = InferMethod::kLogProb;
  std::string id;       // "wow"
  std::string version;  // models/wow/versions/{number or alias}, or models/wow for the latest.
};
// The fields of a request that name a model.
struct TargetFields {
  absl::string_view name;
  absl::string_view version;
};
// NOT_FOUND for a name that does not end in a method; INVALID_ARGUMENT naming the field
// for one that none can have.
absl::StatusOr<InferTarget> DecodeTarget(const TargetFields& fields, const std::string& name,
                                         const std::string& version);

std::span<const InferOutput> OutputsOf(InferMethod method);
absl::string_view NameOf(InferOutput output);
absl::string_view DatatypeOf(DType dtype);                      // "FP32", "FP64"
absl::string_view DatatypeOf(InferOutput output, DType dtype);  // Of a model of that dtype.

// The tensors of the method, for a model of this spec.
void EncodeTensors(InferMethod method, const flows::FlowSpec& spec,
                   inference::ModelMetadataResponse* out);

}  // namespace sluiced::rpc

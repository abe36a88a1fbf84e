// Versions as safetensors files and as the store's strings.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/flows/flow.h"

namespace sluiced::models {

// A file that carries its own spec and standardisation in its metadata, and the
// parameters under the seed's names.
std::string EncodeModelFile(const flows::FlowState& state);
// A file of EncodeModelFile, or a state_dict of the seed's class (masks included or not):
// INVALID_ARGUMENT naming the tensor that is missing, unknown or misshapen.
absl::StatusOr<flows::FlowState> DecodeModelFile(absl::string_view bytes);

// Snapshots of train jobs are stored as model files. The columns of a VersionRecord:
std::string EncodeStandardization(const flows::Standardization& standardization);
absl::StatusOr<flows::Standardization> DecodeStandardization(absl::string_view json);
std::string EncodeParameters(const Array& parameters);  // Raw little-endian bytes.
absl::StatusOr<Array> DecodeParameters(const flows::FlowSpec& spec, absl::string_view bytes);

}  // namespace sluiced::models

// What a dataset's columns must be for a model, one of them maybe its weights.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/flows/flow_spec.h"
#include "server/store/records.h"

namespace sluiced::rpc {

// The number of the column that `text` names, or numbers from 0; -1 where it is empty.
// INVALID_ARGUMENT naming `field`.
absl::StatusOr<int64_t> DecodeWeightColumn(absl::string_view field, const std::string& text,
                                           const store::DatasetRecord& dataset);

// Whether they are the model's x and context, and the weights (-1: none).
// INVALID_ARGUMENT naming `field`.
absl::Status CheckColumns(absl::string_view field, const store::DatasetRecord& dataset,
                          const flows::FlowSpec& spec, int64_t weight_column);

}  // namespace sluiced::rpc

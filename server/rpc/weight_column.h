// Which column of a dataset weighs its rows.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "server/store/records.h"

namespace sluiced::rpc {

// The number of the column that `text` names, or numbers from 0; -1 where it is empty.
// INVALID_ARGUMENT naming `field`.
absl::StatusOr<int64_t> DecodeWeightColumn(absl::string_view field, const std::string& text,
                                           const store::DatasetRecord& dataset);

}  // namespace sluiced::rpc

// The rows of a dataset as a training sees them. No LibTorch here.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "server/common/array.h"
#include "server/flows/flow_spec.h"
#include "server/training/row_preparation.h"
#include "server/training/train_config.h"

namespace sluiced::training {

struct TrainingRows {
  Array data;                      // [n, RowColumns(spec)]
  std::vector<double> weights;     // [n], or empty.
  std::vector<std::string> names;  // Of the columns of data, or empty.
  Split split;
  std::vector<std::string> notes;  // For people.
};

// Splits the rows, takes their weights out (weight_column, -1: none), checks every
// column of x and, where the settings say so, dequantises. INVALID_ARGUMENT naming the
// column and the remedy.
absl::StatusOr<TrainingRows> PrepareRows(const flows::FlowSpec& spec, const TrainConfig& config,
                                         const Array& rows, int64_t weight_column,
                                         const std::vector<std::string>& names);

}  // namespace sluiced::training
